//! Spans whose fields follow OpenTelemetry's semantic conventions.

use ::tracing::field::Empty;
use ::tracing::{Level, debug_span, event, info_span, trace_span};
use serde_json::{Value, json};

use super::{named, recorded, recorded_with, with_layer};
use crate::support::Checked;

/// The type, subtype and target of a span.
fn kind(span: &Value) -> Value {
    let target = &span["context"]["service"]["target"];
    json!([
        span["type"],
        span["subtype"],
        target["type"],
        target["name"]
    ])
}

#[test]
fn queries_have_their_statement_under_old_and_new_names_also_at_level_debug() {
    let recorded = recorded(|| {
        drop(debug_span!(
            "old",
            db.system = "postgresql",
            db.name = "shop",
            db.statement = "SELECT * FROM items WHERE id = $1",
            net.peer.name = "pg.local",
            net.peer.port = 5432,
        ));
        let new = debug_span!(
            "new",
            db.system.name = "microsoft.sql_server",
            db.query.text = Empty,
            db.namespace = "shop",
            db.operation.name = "DELETE",
            otel.status_code = Empty,
        );
        new.record("db.query.text", "DELETE FROM items");
        new.record("otel.status_code", "ERROR");
    });
    let old = named(&recorded, "SELECT FROM items");
    assert_eq!(kind(old), json!(["db", "postgresql", "postgresql", "shop"]));
    assert_eq!(old["action"], "query");
    assert_eq!(
        old["context"]["db"],
        json!({"type": "sql", "statement": "SELECT * FROM items WHERE id = $1", "instance": "shop"})
    );
    assert_eq!(old["context"]["destination"]["address"], "pg.local");
    assert_eq!(old["context"]["destination"]["port"], 5432);
    assert_eq!(old["outcome"], "success");
    assert!(old["context"]["tags"].is_null());
    let new = named(&recorded, "DELETE FROM items");
    assert_eq!(kind(new), json!(["db", "mssql", "mssql", "shop"]));
    assert_eq!(new["action"], "exec");
    assert_eq!(new["outcome"], "failure");
    assert_eq!(
        new["context"]["tags"],
        json!({"db_operation_name": "DELETE"})
    );
}

#[test]
fn secrets_in_statements_and_addresses_are_left_out() {
    let recorder = Checked::with_options([("sanitize_sql", "true")]);
    let recorded = recorded_with(&recorder, || {
        drop(info_span!(
            "q",
            db.system = "mysql",
            db.statement = "SELECT 's3cret' FROM t"
        ));
        let url = "https://ada:s3cret@api.example/x?token=s3cret";
        drop(info_span!(
            "c",
            otel.kind = "client",
            http.method = "GET",
            http.url = url
        ));
        drop(info_span!("plain", http.url = url, http.method = "GET"));
        drop(info_span!(
            "r",
            db.system = "redis",
            db.statement = "AUTH s3cret"
        ));
        drop(info_span!(
            "m",
            db.system = "mongodb",
            db.statement = r#"{"find":"t","filter":{"name":"s3cret"}}"#
        ));
    });
    let shown = serde_json::to_string(&recorded.spans).unwrap();
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(
        named(&recorded, "GET api.example")["context"]["http"]["method"],
        "GET"
    );
    // A span that does not say that it is a call is not one, and keeps its fields.
    let plain = named(&recorded, "plain");
    assert_eq!(plain["type"], "app");
    assert_eq!(plain["context"]["tags"]["http_method"], "GET");
}

#[test]
fn stores_that_do_not_speak_sql_keep_the_name_of_their_span() {
    let recorded = recorded(|| {
        drop(debug_span!(
            "GET",
            db.system = "redis",
            db.statement = "GET cart:?",
            db.name = "0"
        ));
    });
    let span = named(&recorded, "GET");
    assert_eq!(kind(span), json!(["db", "redis", "redis", "0"]));
    assert_eq!(
        span["context"]["db"],
        json!({"type": "redis", "statement": "GET cart:?", "instance": "0"})
    );
}

#[test]
fn calls_and_messages_are_exit_spans_with_their_target() {
    let recorded = recorded(|| {
        let request = info_span!(
            "request",
            otel.kind = "Client",
            http.request.method = "POST",
            url.full = "http://api.example:8080/orders",
            http.response.status_code = Empty,
        );
        request.record("http.response.status_code", 404);
        drop(request);
        drop(debug_span!(
            "invoke",
            rpc.system = "aws-api",
            rpc.service = "S3",
            rpc.method = "GetObject"
        ));
        drop(info_span!(
            "grpc",
            rpc.system = "grpc",
            rpc.service = "shop.Stock",
            rpc.method = "Find",
            rpc.grpc.status_code = 5,
            server.address = "stock",
            server.port = 50051,
        ));
        drop(info_span!(
            "orders publish",
            otel.kind = "producer",
            messaging.system = "kafka",
            messaging.destination.name = "orders",
        ));
        drop(info_span!(
            "ping",
            otel.kind = "client",
            otel.name = "ping the ledger",
            peer.service = "ledger"
        ));
    });
    let table = [
        (
            "POST api.example",
            json!(["external", "http", "http", "api.example:8080"]),
            "failure",
        ),
        (
            "S3/GetObject",
            json!(["external", "http", "http", "S3"]),
            "success",
        ),
        (
            "shop.Stock/Find",
            json!(["external", "grpc", "grpc", "stock:50051"]),
            "failure",
        ),
        (
            "orders publish",
            json!(["messaging", "kafka", "kafka", "orders"]),
            "success",
        ),
        (
            "ping the ledger",
            json!(["custom", null, "external", "ledger"]),
            "success",
        ),
    ];
    for (name, expected, outcome) in table {
        let span = named(&recorded, name);
        assert_eq!(kind(span), expected, "{name}");
        assert_eq!(span["outcome"], outcome, "{name}");
    }
    let message = named(&recorded, "orders publish");
    assert_eq!(message["context"]["message"]["queue"]["name"], "orders");
}

#[test]
fn spans_without_meaning_stay_out_below_the_level_and_all_do_at_level_trace() {
    let recorded = recorded(|| {
        drop(debug_span!("detail", db.operation = "SELECT"));
        drop(trace_span!(
            "query",
            db.system = "sqlite",
            db.statement = "SELECT 1"
        ));
    });
    assert!(recorded.spans.is_empty(), "{:?}", recorded.spans);
}

#[test]
fn the_request_that_a_server_span_answers_is_a_transaction() {
    let recorder = Checked::default();
    with_layer(&recorder, || {
        let span = info_span!(
            "request",
            otel.kind = "server",
            http.method = "GET",
            http.route = "/people/{id}",
            http.target = "/people/7?token=s3cret",
            http.host = "shop.example",
            http.status_code = Empty,
            tenant = "acme",
        );
        span.in_scope(|| {
            drop(info_span!("within", otel.kind = "server"));
            drop(apm_agent::span("by hand", "app"));
        });
        span.record("http.status_code", 503);
    });
    let recorded = recorder.take();
    let [transaction] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(transaction["name"], "GET /people/{id}");
    assert_eq!(transaction["type"], "request");
    assert_eq!(transaction["result"], "HTTP 5xx");
    assert_eq!(transaction["outcome"], "failure");
    let context = &transaction["context"];
    assert_eq!(
        context["request"]["url"]["full"],
        "http://shop.example/people/7?token=[REDACTED]"
    );
    assert_eq!(context["response"]["status_code"], 503);
    assert_eq!(context["tags"], json!({"tenant": "acme"}));
    assert_eq!(recorded.spans.len(), 2);
    for name in ["within", "by hand"] {
        assert_eq!(named(&recorded, name)["parent_id"], transaction["id"]);
    }
}

#[test]
fn other_work_from_outside_is_a_transaction_too() {
    let recorder = Checked::default();
    with_layer(&recorder, || {
        drop(info_span!(
            "poll",
            otel.kind = "consumer",
            messaging.system = "kafka"
        ));
        drop(info_span!(
            "find",
            otel.kind = "SERVER",
            rpc.service = "shop.Stock",
            rpc.method = "Find"
        ));
        drop(info_span!(
            "serve",
            otel.kind = "server",
            otel.status_code = "ERROR",
            otel.name = "serve it"
        ));
        drop(info_span!(
            "serve",
            otel.kind = "server",
            http.method = "GET",
            http.target = "/7"
        ));
        drop(info_span!("none", otel.kind = "internal"));
        drop(info_span!(
            "query",
            db.system = "sqlite",
            db.statement = "SELECT 1"
        ));
    });
    let recorded = recorder.take();
    let facts = |it: &Value| json!([it["name"], it["type"], it["result"], it["outcome"]]);
    let facts: Vec<_> = recorded.transactions.iter().map(facts).collect();
    assert_eq!(
        facts,
        [
            json!(["poll", "messaging", null, "success"]),
            json!(["shop.Stock/Find", "request", null, "success"]),
            json!(["serve it", "request", "Error", "failure"]),
            json!(["GET unknown route", "request", null, "success"]),
        ]
    );
    assert!(recorded.spans.is_empty());
}

/// The span and the event that `TraceLayer` makes.
fn trace_layer(within: impl FnOnce()) {
    let span = debug_span!(
        target: "tower_http::trace::make_span",
        "request",
        method = %"GET",
        uri = %"/people/7?token=s3cret",
        version = ?"HTTP/1.1",
        headers = ?[("authorization", "s3cret")],
    );
    span.in_scope(|| {
        within();
        event!(
            target: "tower_http::trace::on_response",
            Level::DEBUG,
            latency = %"3 ms",
            status = 204_i32,
            "finished processing request"
        );
    });
}

#[test]
fn a_request_that_tower_http_tells_of_is_a_transaction_unless_it_is_one_already() {
    let recorder = Checked::default();
    with_layer(&recorder, || trace_layer(|| drop(info_span!("within"))));
    let alone = recorder.take();
    assert!(!format!("{alone:?}").contains("s3cret"), "{alone:#?}");
    assert_eq!(alone.transactions[0]["name"], "GET unknown route");
    assert_eq!(alone.transactions[0]["result"], "HTTP 2xx");
    assert_eq!(
        alone.transactions[0]["context"]["response"]["status_code"],
        204
    );
    assert_eq!(alone.spans.len(), 1);

    let within = recorded_with(&recorder, || trace_layer(|| drop(info_span!("within"))));
    assert_eq!(within.transactions.len(), 1);
    assert_eq!(within.transactions[0]["name"], "GET /");
    assert_eq!(
        named(&within, "within")["parent_id"],
        within.transactions[0]["id"]
    );
    assert_eq!(within.spans.len(), 1);
}
