//! Elastic's own agents, unchanged, send to this server and find nothing missing.
//!
//! `.ci/agents` installs them under `target/agents`; where they are not, the tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_support::installed;

use crate::support::server::{TestServer, eventually};

pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/agents")
        .join(path)
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Runs a program that uses an agent, and looks for what it must have sent.
async fn check(service: &str, mut program: Command) {
    let server = TestServer::start();
    program.arg(server.running.url());
    let ended = actix_web::rt::task::spawn_blocking(move || program.output());
    let ended = ended.await.expect("no panic").expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{said}");

    let own = |query: &str| format!("service.name:\"{service}\" and {query}");
    eventually("three transactions and metrics", async || {
        let transactions = server.found(&own("processor.event:transaction")).await;
        let metrics = server.found(&own("processor.event:metric")).await;
        transactions.len() == 3 && !metrics.is_empty()
    })
    .await;
    let transactions = server.found(&own("processor.event:transaction")).await;
    let named = |name: &str| {
        let found = transactions
            .iter()
            .find(|document| text(document, "/transaction/name").contains(name));
        found.unwrap_or_else(|| panic!("no {name} in {transactions:#?}; {said}"))
    };
    let people = named("/people");
    assert_eq!(text(people, "/transaction/type"), "request");
    assert_eq!(text(people, "/transaction/result"), "HTTP 2xx");
    assert_eq!(text(people, "/event/outcome"), "success");
    assert_eq!(text(people, "/labels/kind"), "people");
    assert_eq!(text(named("/broken"), "/event/outcome"), "failure");

    let trace = text(people, "/trace/id");
    let query = own(&format!("processor.event:span and trace.id:\"{trace}\""));
    let spans = server.found(&query).await;
    let select = spans
        .iter()
        .find(|span| text(span, "/span/name") == "SELECT FROM people");
    let select = select.unwrap_or_else(|| panic!("no SELECT in {spans:#?}"));
    assert_eq!(
        text(select, "/span/db/statement"),
        "SELECT city FROM people WHERE id <= ?"
    );
    assert_eq!(text(select, "/span/subtype"), "sqlite");
    assert_eq!(
        text(select, "/transaction/id"),
        text(people, "/transaction/id")
    );

    let errors = server.found(&own("processor.event:error")).await;
    let thrown = errors
        .iter()
        .find(|error| error.pointer("/error/exception/0/type").is_some());
    let thrown = thrown.unwrap_or_else(|| panic!("no exception in {errors:#?}"));
    let frames = thrown
        .pointer("/error/exception/0/stacktrace")
        .and_then(Value::as_array);
    let is_own = |frame: &Value| text(frame, "/filename").contains("app.");
    assert!(
        frames.is_some_and(|frames| frames.iter().any(is_own)),
        "{thrown:#?}"
    );
    assert_eq!(
        text(thrown, "/trace/id"),
        text(named("/broken"), "/trace/id")
    );
    let is_logged = |error: &&Value| text(error, "/error/log/message") == "the shelf is empty";
    assert!(errors.iter().any(|error| is_logged(&error)), "{errors:#?}");

    let status = server.get("/api/v1/status").await.json();
    let rejected = status["intake"]["rejected"].as_object().expect("counters");
    assert!(rejected.values().all(|count| *count == 0), "{status:#}");
    assert_eq!(status["intake"]["failed_requests"], 0, "{status:#}");
    server.stop().await;
}

#[actix_web::test]
async fn the_python_agent_of_a_flask_service_is_understood() {
    let Some(python) = installed("python/bin/python") else {
        return;
    };
    let mut program = Command::new(python);
    program.arg(source("python/app.py"));
    check("flask-service", program).await;
}

#[actix_web::test]
async fn the_node_agent_of_an_http_service_is_understood() {
    let Some(modules) = installed("node/node_modules") else {
        return;
    };
    let mut program = Command::new("node");
    program.arg(source("node/app.js")).env("NODE_PATH", modules);
    check("node-service", program).await;
}
