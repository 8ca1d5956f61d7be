//! An intake that keeps what it gets, line by line.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::Value;

/// Every line that arrived, parsed.
#[derive(Debug, Clone, Default)]
pub struct Sink {
    lines: Arc<Mutex<Vec<Value>>>,
    pub url: String,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let lines = sink.lines.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(lines.clone()))
                .app_data(web::PayloadConfig::new(64 << 20))
                .route(
                    "/",
                    web::get().to(|| async { HttpResponse::Ok().body(r#"{"version":"9.0.0"}"#) }),
                )
                .route("/intake/v2/events", web::post().to(keep))
                .default_service(web::to(HttpResponse::NotFound))
        });
        actix_web::rt::spawn(
            server
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run(),
        );
        sink
    }

    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }
}

async fn keep(lines: web::Data<Arc<Mutex<Vec<Value>>>>, body: String) -> HttpResponse {
    let parsed = body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    lines.lock().unwrap().extend(parsed);
    HttpResponse::Accepted().finish()
}
