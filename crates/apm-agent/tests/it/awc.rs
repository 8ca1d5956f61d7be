//! Requests that a service makes with awc.

use std::net::SocketAddr;

use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::json;

use crate::support::Checked;
use crate::support::server::nobody;

fn client() -> awc::Client {
    awc::Client::builder()
        .wrap(apm_agent::awc::ApmClientMiddleware::new())
        .finish()
}

async fn trace_headers(request: HttpRequest) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    HttpResponse::Ok().json([header("traceparent"), header("tracestate")])
}

/// Answers with the trace headers that it got, redirects, and refuses.
fn upstream() -> SocketAddr {
    let server = HttpServer::new(|| {
        App::new()
            .route("/trace", web::get().to(trace_headers))
            .route(
                "/moved",
                web::get().to(async || {
                    HttpResponse::Found()
                        .insert_header((header::LOCATION, "/trace"))
                        .finish()
                }),
            )
            .route("/gone", web::get().to(async || HttpResponse::Gone()))
    })
    .workers(1)
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

/// The `traceparent` and `tracestate` with which a request arrives.
async fn headers_at(url: &str) -> [Option<String>; 2] {
    let mut response = client().get(url).send().await.unwrap();
    response.json().await.unwrap()
}

/// Whether a request within a transaction gets an answer.
async fn is_answered(recorder: &Checked, url: &str) -> bool {
    let job = recorder.agent().transaction("job", "task");
    let answer = job.wrap(async { client().get(url).send().await });
    answer.await.is_ok()
}

#[actix_web::test]
async fn a_request_is_an_exit_span_whose_id_goes_with_it() {
    let recorder = Checked::default();
    let address = upstream();
    let transaction = recorder.agent().transaction("job", "task");
    let headers: [Option<String>; 2] = transaction
        .wrap(async {
            client()
                .get(format!("http://user:s3cret@{address}/trace?q=1"))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap()
        })
        .await;
    let recorded = recorder.take();
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(span["name"], "GET 127.0.0.1");
    assert_eq!(
        (&span["type"], &span["subtype"]),
        (&"external".into(), &"http".into())
    );
    assert_eq!(span["outcome"], "success");
    let context = &span["context"];
    assert_eq!(
        context["http"]["url"],
        format!("http://{address}/trace?q=1")
    );
    assert_eq!(context["http"]["method"], "GET");
    assert_eq!(context["http"]["status_code"], 200);
    assert_eq!(
        context["service"]["target"],
        json!({"type": "http", "name": address.to_string()})
    );
    assert_eq!(
        context["destination"]["service"]["resource"],
        address.to_string()
    );
    assert_eq!(context["destination"]["address"], "127.0.0.1");
    assert_eq!(context["destination"]["port"], address.port());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    assert_eq!(
        headers[0].as_deref(),
        Some(&*format!(
            "00-{}-{}-01",
            text(&span["trace_id"]),
            text(&span["id"])
        ))
    );
    assert_eq!(headers[1].as_deref(), Some("es=s:1"));
}

#[actix_web::test]
async fn each_hop_of_a_redirect_is_a_span() {
    let recorder = Checked::default();
    let address = upstream();
    assert!(is_answered(&recorder, &format!("http://{address}/moved")).await);
    let recorded = recorder.take();
    let statuses: Vec<_> = recorded
        .spans
        .iter()
        .map(|span| span["context"]["http"]["status_code"].clone())
        .collect();
    assert_eq!(statuses, [302, 200]);
}

#[actix_web::test]
async fn an_answer_of_400_and_above_fails_the_span() {
    let recorder = Checked::default();
    let address = upstream();
    assert!(is_answered(&recorder, &format!("http://{address}/gone")).await);
    assert_eq!(recorder.take().spans[0]["outcome"], "failure");
}

#[actix_web::test]
async fn a_connection_that_is_refused_fails_the_span() {
    let recorder = Checked::default();
    let address = nobody();
    assert!(!is_answered(&recorder, &format!("http://{address}/")).await);
    let recorded = recorder.take();
    assert_eq!(recorded.spans[0]["outcome"], "failure");
    assert!(recorded.spans[0]["context"]["http"]["status_code"].is_null());
}

#[actix_web::test]
async fn an_unsampled_transaction_says_so_to_the_next_service() {
    let recorder = Checked::with_options([("transaction_sample_rate", "0")]);
    let address = upstream();
    let job = recorder.agent().transaction("job", "task");
    let headers = job
        .wrap(headers_at(&format!("http://{address}/trace")))
        .await;
    assert!(headers[0].as_deref().unwrap().ends_with("-00"));
    assert_eq!(headers[1].as_deref(), Some("es=s:0"));
    assert!(recorder.take().spans.is_empty());
}

#[actix_web::test]
async fn outside_a_transaction_requests_are_left_alone() {
    let address = upstream();
    let headers = headers_at(&format!("http://{address}/trace")).await;
    assert_eq!(headers, [None, None]);
}

#[actix_web::test]
async fn hosts_that_dislike_headers_get_none() {
    let recorder = Checked::with_options([("trace_context_ignore_hosts", "127.0.0.*")]);
    let address = upstream();
    let job = recorder.agent().transaction("job", "task");
    let headers = job
        .wrap(headers_at(&format!("http://{address}/trace")))
        .await;
    assert_eq!(headers, [None, None]);
    assert_eq!(recorder.take().spans.len(), 1);
}
