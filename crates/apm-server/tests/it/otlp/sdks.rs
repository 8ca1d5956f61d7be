//! SDKs of OpenTelemetry, unchanged, send to this server: what they send is stored, and they complain about nothing.
//!
//! `.ci/agents` installs them under `target/agents`; where they are not, the tests say so and pass.

use std::process::Command;

use serde_json::Value;

use super::{metric, start};
use crate::agents::source;
use crate::support::server::TestServer;

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    let found = document.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// Runs a program to its end, and looks for what it must have sent on a wire.
async fn check(server: TestServer, service: &str, wire: &str, mut program: Command) {
    let ended = actix_web::rt::task::spawn_blocking(move || program.output());
    let ended = ended.await.expect("no panic").expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr) + String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}");
    assert_eq!(said, "", "it complains about nothing");

    let own = |query: &str| format!("service.name:\"{service}\" and {query}");
    let transactions = server.found(&own("processor.event:transaction")).await;
    assert_eq!(transactions.len(), 2, "{transactions:#?}");
    let named = |name: &str| {
        let is_it = |document: &&Value| text(document, "/transaction/name") == name;
        let found = transactions.iter().find(is_it);
        found.unwrap_or_else(|| panic!("no {name} in {transactions:#?}"))
    };
    let people = named("GET /people/{id}");
    assert_eq!(text(people, "/transaction/type"), "request");
    assert_eq!(text(people, "/transaction/result"), "HTTP 2xx");
    assert_eq!(text(people, "/labels/kind"), "people");
    assert_eq!(text(people, "/service/environment"), "test");
    assert_eq!(text(named("GET /broken"), "/event/outcome"), "failure");

    let spans = server.found(&own("processor.event:span")).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!(
        text(&spans[0], "/span/db/statement"),
        "SELECT 1 WHERE 1 <= ?"
    );
    assert_eq!(text(&spans[0], "/span/subtype"), "sqlite");
    assert_eq!(text(&spans[0], "/trace/id"), text(people, "/trace/id"));

    let errors = server.found(&own("processor.event:error")).await;
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let broken = named("GET /broken");
    assert_eq!(text(&errors[0], "/trace/id"), text(broken, "/trace/id"));
    let logs = server.found(&own("message:shelf")).await;
    assert_eq!(logs.len(), 1, "{logs:#?}");
    assert_eq!(text(&logs[0], "/trace/id"), text(people, "/trace/id"));
    let metrics = server.found(&own("processor.event:metric")).await;
    assert!(!metrics.is_empty());

    for (name, count) in [("requests_failed", 0), ("events_rejected", 0)] {
        let name = format!("pocket_apm_wire_{name}_total{{wire=\"{wire}\"}}");
        assert_eq!(metric(&server, &name).await, count, "{name}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_python_sdk_sends_over_http_and_over_grpc() {
    let Some(python) = test_support::installed("otel-python/bin/python") else {
        return;
    };
    for (wire, counted) in [("http", "otlp_http"), ("grpc", "otlp_grpc")] {
        let server = start(|_| {});
        let receivers = server.running.receivers();
        let port = if wire == "http" {
            receivers.http
        } else {
            receivers.grpc
        };
        let endpoint = format!("http://{}", port.expect("it listens"));
        let mut program = Command::new(&python);
        program
            .arg(source("otel-python/app.py"))
            .args([wire, &endpoint]);
        check(server, &format!("otel-python-{wire}"), counted, program).await;
    }
}

#[actix_web::test]
async fn the_node_sdk_sends_protobuf_and_json() {
    let Some(modules) = test_support::installed("otel-node/node_modules") else {
        return;
    };
    for protocol in ["http/protobuf", "http/json"] {
        let server = start(|_| {});
        let mut program = Command::new("node");
        program
            .arg(source("otel-node/app.js"))
            .env("NODE_PATH", &modules);
        program.args([&server.running.url(), protocol]);
        check(server, "otel-node", "otlp_http", program).await;
    }
}
