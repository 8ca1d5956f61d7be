//! The service's log: error lines become error events, as with the article's `LoggingHandler`.

use std::time::{Duration, Instant};

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};
use env_logger::Env;
use serde_json::Value;

use crate::support::{DEADLINE, agent, sink::Sink};

/// The line of `ship` that logs.
const LINE: u32 = line!() + 10;

async fn ship() -> HttpResponse {
    log::warn!("slow today");
    log::error!(target: "apm_server::server", "the address is taken");
    log::error!(target: "apm_store::writer", "events are not stored");
    log::error!(target: "apm_intake::receive", "the store is closed");
    log::error!(target: "apm_output::load", "events cannot be sent");
    log::error!(target: "apm_agent", "the server is away");
    let crates = 7;
    log::error!("cannot ship {crates} crates");
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn an_error_line_becomes_an_error_event_unless_the_agent_or_the_server_wrote_it() {
    // The only test of this process that sets up the log.
    let (logger, level) = pocket_apm::logging::logger(
        Env::default().default_filter_or("error"),
        pocket_apm::logging::LogFormat::Text,
    );
    logger.install(level).unwrap();
    let sink = Sink::start();
    let agent = agent(&sink.url);
    let route = web::resource("/ship").to(ship);
    let app = init_service(App::new().service(route).wrap(agent.middleware())).await;

    drop(call_service(&app, TestRequest::get().uri("/ship").to_request()).await);
    let flushing = agent.clone();
    assert!(
        web::block(move || flushing.flush(DEADLINE)).await.unwrap(),
        "not sent"
    );

    let events = |kind: &str| -> Vec<Value> {
        let lines = sink.lines();
        lines
            .iter()
            .filter_map(|line| line.get(kind))
            .cloned()
            .collect()
    };
    let started = Instant::now();
    while events("transaction").is_empty() || events("error").is_empty() {
        assert!(started.elapsed() < DEADLINE, "{:#?}", sink.lines());
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    let (transactions, errors) = (events("transaction"), events("error"));
    let [error] = &errors[..] else {
        panic!("{errors:#?}")
    };
    assert_eq!(error["log"]["message"], "cannot ship 7 crates");
    assert_eq!(error["log"]["level"], "error");
    assert_eq!(error["log"]["logger_name"], module_path!());
    let culprit = error["culprit"].as_str().unwrap();
    assert!(
        culprit.ends_with(&format!("it/logging.rs:{LINE}")),
        "{culprit}"
    );
    assert_eq!(error["transaction_id"], transactions[0]["id"]);
    assert_eq!(error["transaction"]["name"], "GET /ship");
}
