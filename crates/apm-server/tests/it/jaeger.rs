//! Jaeger's query API, by the requests that Grafana's data source for Jaeger sends.

use apm_server::SecretToken;
use serde_json::{Value, json};

use crate::support::server::TestServer;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER: &str = "1bf7651916cd43dd8448eb211c80319d";

/// A trace of two services with a query and an error, and a trace that is faster.
async fn seed(server: &TestServer) -> i64 {
    let now = apm_time::now();
    let metadata = |service: &str| {
        json!({"metadata": {
            "service": {"name": service, "environment": "live", "agent": {"name": "python", "version": "6"}},
        }})
    };
    let transaction = |id: &str,
                       trace: &str,
                       parent: Option<&str>,
                       name: &str,
                       ms: f64,
                       outcome: &str| {
        json!({"transaction": {
            "id": id, "trace_id": trace, "parent_id": parent, "type": "request", "name": name, "duration": ms,
            "timestamp": now - 60_000_000, "outcome": outcome, "span_count": {"started": 1},
            "context": {"response": {"status_code": 500}, "tags": {"user_id": "seven"}},
        }})
    };
    let shop = [
        metadata("shop"),
        transaction(
            "00000000000000a1",
            TRACE,
            None,
            "GET /cart",
            120.0,
            "failure",
        ),
        json!({"span": {
            "id": "00000000000000b1", "trace_id": TRACE, "transaction_id": "00000000000000a1",
            "parent_id": "00000000000000a1", "name": "SELECT FROM people", "type": "db", "subtype": "sqlite",
            "duration": 3.5, "timestamp": now - 59_990_000,
            "context": {"db": {"type": "sql", "statement": "SELECT * FROM people", "instance": "p.db"},
                "destination": {"service": {"resource": "sqlite/p.db", "name": "", "type": ""}}},
        }}),
        json!({"span": {
            "id": "00000000000000b2", "trace_id": TRACE, "transaction_id": "00000000000000a1",
            "parent_id": "00000000000000a1", "name": "GET stock", "type": "external", "subtype": "http",
            "duration": 50.0, "timestamp": now - 59_980_000,
            "context": {"destination": {"service": {"resource": "stock:80", "name": "", "type": ""}}},
        }}),
        json!({"error": {
            "id": "00000000000000c1", "trace_id": TRACE, "transaction_id": "00000000000000a1",
            "parent_id": "00000000000000a1", "timestamp": now - 59_970_000,
            "exception": {"type": "Overflow", "message": "too much", "handled": false},
        }}),
        transaction(
            "00000000000000a2",
            OTHER,
            None,
            "GET /quick",
            2.0,
            "success",
        ),
    ];
    let stock = [
        metadata("stock"),
        transaction(
            "00000000000000d1",
            TRACE,
            Some("00000000000000b2"),
            "GET /level",
            40.0,
            "success",
        ),
    ];
    for lines in [&shop[..], &stock[..]] {
        let body: Vec<String> = lines.iter().map(Value::to_string).collect();
        let answer = server.intake(body.join("\n") + "\n").await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
    now
}

/// The data of an answer.
async fn data(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let whole = answer.json();
    assert_eq!(whole["errors"], Value::Null);
    let data = whole["data"].clone();
    let length = data.as_array().map(Vec::len);
    assert_eq!(whole["total"].as_u64().map(|total| total as usize), length);
    data
}

fn ids(traces: &Value) -> Vec<&str> {
    let traces = traces.as_array().expect("a list");
    traces
        .iter()
        .filter_map(|trace| trace["traceID"].as_str())
        .collect()
}

#[actix_web::test]
async fn grafana_lists_services_and_what_they_do() {
    let server = TestServer::start();
    seed(&server).await;
    // The test of the data source, and the lists of its search form.
    assert_eq!(
        data(&server, "/api/services").await,
        json!(["shop", "stock"])
    );
    assert_eq!(
        data(&server, "/api/services/shop/operations").await,
        json!(["GET /cart", "GET /quick", "GET stock", "SELECT FROM people"])
    );
    assert_eq!(
        data(&server, "/api/services/nobody/operations").await,
        json!([])
    );
    assert_eq!(
        data(&server, "/api/operations?service=shop&spanKind=server").await,
        json!([{"name": "GET /cart", "spanKind": "server"}, {"name": "GET /quick", "spanKind": "server"}])
    );
    server.stop().await;
}

#[actix_web::test]
async fn grafana_shows_a_trace_with_its_services_queries_and_errors() {
    let server = TestServer::start();
    let now = seed(&server).await;
    let found = data(&server, &format!("/api/traces/{TRACE}?start=1&end={now}")).await;
    let trace = &found[0];
    assert_eq!(trace["traceID"], TRACE);
    let spans = trace["spans"].as_array().expect("a list");
    let span = |name: &str| {
        let named = spans.iter().find(|span| span["operationName"] == name);
        named.unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    let tag = |span: &Value, key: &str| {
        let tags = span["tags"].as_array().expect("a list");
        let tag = tags.iter().find(|tag| tag["key"] == key);
        tag.map_or(Value::Null, |tag| tag["value"].clone())
    };
    assert_eq!(spans.len(), 4);
    let root = span("GET /cart");
    assert_eq!(root["references"], json!([]));
    assert_eq!(
        (root["startTime"].as_i64(), root["duration"].as_i64()),
        (Some(now - 60_000_000), Some(120_000))
    );
    assert_eq!(tag(root, "error"), true);
    assert_eq!(tag(root, "http.status_code"), 500);
    assert_eq!(tag(root, "span.kind"), "server");
    assert_eq!(root["logs"][0]["timestamp"], now - 59_970_000);
    assert!(root["logs"][0]["fields"].to_string().contains("too much"));
    let query = span("SELECT FROM people");
    assert_eq!(query["references"][0]["spanID"], "00000000000000a1");
    assert_eq!(query["references"][0]["refType"], "CHILD_OF");
    assert_eq!(tag(query, "db.statement"), "SELECT * FROM people");
    assert_eq!(tag(query, "db.system"), "sqlite");
    assert_eq!(tag(query, "span.kind"), "client");
    let service = |span: &Value| {
        let process = span["processID"].as_str().expect("a process");
        trace["processes"][process]["serviceName"].clone()
    };
    assert_eq!(service(root), "shop");
    assert_eq!(service(span("GET /level")), "stock");
    let unknown = server
        .get("/api/traces/ffffffffffffffffffffffffffffffff")
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["errors"][0]["msg"], "trace not found");
    server.stop().await;
}

#[actix_web::test]
async fn grafana_searches_by_service_operation_tags_and_duration() {
    let server = TestServer::start();
    let now = seed(&server).await;
    let (start, end) = (now - 3_600_000_000, now + 1_000_000);
    let range = format!("&start={start}&end={end}&lookback=custom&limit=20");
    for (asked, expected) in [
        ("service=shop", &[TRACE, OTHER][..]),
        ("service=shop&operation=GET%20%2Fcart", &[TRACE]),
        ("service=shop&operation=SELECT%20FROM%20people", &[TRACE]),
        ("service=shop&minDuration=100ms", &[TRACE]),
        (
            "service=shop&maxDuration=10ms&operation=GET%20%2Fquick",
            &[OTHER],
        ),
        ("service=shop&tags=%7B%22error%22%3A%22true%22%7D", &[TRACE]),
        (
            "service=shop&tags=%7B%22user_id%22%3A%22seven%22%7D",
            &[TRACE, OTHER],
        ),
        (
            "service=shop&tags=%7B%22http.status_code%22%3A%22404%22%7D",
            &[],
        ),
        ("service=nobody", &[]),
    ] {
        let found = data(&server, &format!("/api/traces?{asked}{range}")).await;
        let mut found = ids(&found);
        found.sort_unstable();
        assert_eq!(found, expected, "{asked}");
    }
    // The newer data source leaves the range out.
    let found = data(&server, "/api/traces?limit=20&service=shop").await;
    assert_eq!(ids(&found).len(), 2);
    let found = data(
        &server,
        &format!("/api/traces?traceID={TRACE}&traceID={OTHER}"),
    )
    .await;
    assert_eq!(ids(&found), [TRACE, OTHER]);
    for asked in [
        "",
        "service=shop&tags=x",
        "service=shop&minDuration=fast",
        "service=shop&start=a",
    ] {
        let answer = server.get(&format!("/api/traces?{asked}")).await;
        assert_eq!(answer.status, 400, "{asked}: {}", answer.text);
        assert!(answer.json()["errors"][0]["msg"].is_string());
    }
    server.stop().await;
}

#[actix_web::test]
async fn grafana_draws_calls_between_services() {
    let server = TestServer::start();
    let now = seed(&server).await;
    let found = data(
        &server,
        &format!(
            "/api/dependencies?endTs={}&lookback=3600000",
            now / 1000 + 1000
        ),
    )
    .await;
    let calls = found.as_array().expect("a list");
    let to_stock = calls.iter().find(|call| call["child"] == "stock");
    assert_eq!(
        to_stock.unwrap_or_else(|| panic!("{calls:#?}")),
        &json!({"parent": "shop", "child": "stock", "callCount": 1})
    );
    server.stop().await;
}

#[actix_web::test]
async fn traces_are_read_with_the_token_only() {
    let server = TestServer::with(|config| {
        config.secret_token = SecretToken::new("long and secret".to_owned());
    });
    for path in [
        "/api/services",
        "/api/traces?service=a",
        &format!("/api/traces/{TRACE}"),
        "/api/dependencies",
    ] {
        assert_eq!(server.get(path).await.status, 401, "{path}");
        let headers = [("Authorization", "Bearer long and secret")];
        let answer = server.send("GET", path, &headers, "").await;
        assert_ne!(answer.status, 401, "{path}");
    }
    server.stop().await;
}
