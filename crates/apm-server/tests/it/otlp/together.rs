//! Data of OpenTelemetry beside that of Elastic's agents: in one trace, on the page of queries, and in the words of
//! pages.

use serde_json::{Value, json};

use super::http::{JSON, send};
use super::start;
use crate::support::events::now;
use crate::support::server::TestServer;

const TRACE: &str = "0000000000000000000000000000ab01";

/// A body of spans of a service whose SDK is that of Python.
fn spans(service: &str, spans: &Value) -> String {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service), text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", "python")]},
        "scopeSpans": [{"scope": {"name": "shop.http", "version": "0.60b1"}, "spans": spans}],
    }]})
    .to_string()
}

/// A span that began before now, by so many µs, and took so many.
fn span(id: u64, parent: u64, (name, kind): (&str, u8), (ago, duration): (i64, i64)) -> Value {
    let start = 1_000 * (now() - ago);
    let mut span = json!({"traceId": TRACE, "spanId": format!("{id:016x}"), "name": name, "kind": kind,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1_000 * duration).to_string(),
        "attributes": []});
    if parent != 0 {
        span["parentSpanId"] = format!("{parent:016x}").into();
    }
    span
}

async fn export(server: &TestServer, body: String) {
    let answer = send(server, "POST", "/v1/traces", &[JSON], body).await;
    assert_eq!(answer.status, 200);
}

fn metadata(service: &str, agent: &str) -> Value {
    json!({"metadata": {"service": {"name": service, "agent": {"name": agent, "version": "4.1.0"}}}})
}

#[actix_web::test]
async fn a_trace_over_both_kinds_of_agents_is_one_waterfall_and_its_call_leads_to_the_other_service()
 {
    let server = start(|_| {});
    let mut call = span(2, 1, ("GET", 3), (900_000, 500_000));
    call["attributes"] = json!([
        {"key": "http.request.method", "value": {"stringValue": "GET"}},
        {"key": "url.full", "value": {"stringValue": "http://stock.internal:8080/left"}},
    ]);
    let entry = span(1, 0, ("GET /buy", 2), (1_000_000, 700_000));
    export(&server, spans("shop", &json!([call, entry]))).await;
    let at = now() - 800_000;
    let transaction = json!({"transaction": {"id": "0000000000000003", "trace_id": TRACE,
        "parent_id": "0000000000000002", "name": "GET /left", "type": "request", "duration": 300.0, "timestamp": at,
        "span_count": {"started": 1}}});
    let query = json!({"span": {"id": "0000000000000004", "trace_id": TRACE, "parent_id": "0000000000000003",
        "transaction_id": "0000000000000003", "name": "SELECT FROM item", "type": "db", "subtype": "sqlite",
        "duration": 100.0, "timestamp": at + 50_000}});
    let body = format!("{}\n{transaction}\n{query}", metadata("stock", "ruby"));
    assert_eq!(server.intake(body).await.status, 202);

    let trace = server.get(&format!("/api/v1/traces/{TRACE}")).await.json();
    let items: Vec<(&str, &str, u64)> = trace["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            let text = |name: &str| item[name].as_str().expect("a text");
            (
                text("service"),
                text("name"),
                item["depth"].as_u64().expect("a depth"),
            )
        })
        .collect();
    let together = [
        ("shop", "GET /buy", 0),
        ("shop", "GET", 1),
        ("stock", "GET /left", 2),
        ("stock", "SELECT FROM item", 3),
    ];
    assert_eq!(items, together, "{trace}");
    assert_eq!((&trace["orphans"], &trace["far"]), (&json!(0), &json!(0)));
    let list = server
        .get("/api/v1/services/shop/dependencies")
        .await
        .json();
    let row = &list["dependencies"][0];
    assert_eq!(row["name"], "stock.internal:8080", "{list}");
    assert_eq!(row["services"][0]["service"], "stock", "{list}");
    server.stop().await;
}

#[actix_web::test]
async fn the_statement_of_a_bridge_to_opentelemetry_is_on_the_page_of_queries() {
    let server = start(|_| {});
    let at = now() - 1_000_000;
    let transaction = json!({"transaction": {"id": "0000000000000001", "trace_id": TRACE, "name": "GET /",
        "type": "request", "duration": 20.0, "timestamp": at, "span_count": {"started": 1}}});
    let query = json!({"span": {"id": "0000000000000002", "trace_id": TRACE, "parent_id": "0000000000000001",
        "transaction_id": "0000000000000001", "name": "pg.query", "type": "custom", "duration": 10.0, "timestamp": at,
        "otel": {"span_kind": "CLIENT", "attributes": {"db.system": "postgresql",
            "db.statement": "SELECT id FROM voucher WHERE code = $1"}}}});
    let body = format!("{}\n{transaction}\n{query}", metadata("till", "nodejs"));
    assert_eq!(server.intake(body).await.status, 202);
    let list = server.get("/api/v1/queries").await.json().to_string();
    assert!(list.contains("voucher"), "{list}");
    let page = server.get("/queries").await.text;
    assert!(page.contains("voucher"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn details_show_what_opentelemetry_says_of_a_span_and_its_links_lead_to_their_traces() {
    let server = start(|_| {});
    let mut work = span(2, 1, ("charge", 4), (900_000, 500_000));
    work["status"] = json!({"code": 2, "message": "card <b>refused</b>"});
    work["links"] =
        json!([{"traceId": "0000000000000000000000000000cd02", "spanId": "00000000000000ef"}]);
    let entry = span(1, 0, ("GET /buy", 2), (1_000_000, 700_000));
    export(&server, spans("shop", &json!([work, entry]))).await;
    let path = |item: &str| format!("/traces/{TRACE}?item={item}");
    let page = server.get(&path("0000000000000002")).await.text;
    for said in [
        "href=\"/traces/0000000000000000000000000000cd02?item=00000000000000ef\"",
        "card &lt;b&gt;refused&lt;/b&gt;",
        "PRODUCER",
        "shop.http",
        "0.60b1",
        "SDKs of OpenTelemetry record none",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("ELASTIC_APM_"), "{page}");
    let other = server.get(&path("0000000000000001")).await.text;
    assert!(!other.contains(">Links<"), "it has none: {other}");

    // The advice on metrics is in the words of its SDK.
    let metrics = server.get("/services/shop/metrics").await.text;
    assert!(metrics.contains("OTEL_METRIC_EXPORT_INTERVAL"), "{metrics}");
    assert!(!metrics.contains("ELASTIC_APM_"), "{metrics}");
    server.stop().await;
}
