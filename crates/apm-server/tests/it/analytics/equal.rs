//! Percentiles of equal durations are that duration, also where they come from histograms, whose bins are 2 % wide.

use serde_json::{Value, json};

use crate::support::events::now;
use crate::support::server::TestServer;

const MICROS: i64 = 40_123;

fn body(count: u64) -> String {
    let at = now() - 1_000_000;
    let mut out = json!({"metadata": {"service": {"name": "equal",
        "agent": {"name": "rust", "version": "1"}}}})
    .to_string();
    for i in 0..count {
        let (trace, id) = (format!("{:032x}", i + 1), format!("{:016x}", i + 1));
        let ms = MICROS as f64 / 1e3;
        let transaction = json!({"transaction": {"id": id, "trace_id": trace, "name": "GET /equal", "type": "request",
            "duration": ms, "timestamp": at, "span_count": {"started": 1}}});
        let span = json!({"span": {"id": format!("{:016x}", 1 << 40 | i), "trace_id": trace, "transaction_id": id,
            "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
            "duration": ms, "timestamp": at, "context": {"db": {"type": "sql", "statement": "SELECT 1 FROM equal"},
                "destination": {"service": {"resource": "sqlite"}}}}});
        out += &format!("\n{transaction}\n{span}");
    }
    out
}

/// Every percentile that an answer has.
fn percentiles(answer: &Value, found: &mut Vec<f64>) {
    match answer {
        Value::Object(members) => {
            let own = ["p50", "p95", "p99"].map(|name| members.get(name));
            found.extend(own.iter().filter_map(|value| value.and_then(Value::as_f64)));
            members.values().for_each(|value| percentiles(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| percentiles(value, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn percentiles_of_equal_durations_are_that_duration_everywhere() {
    let server = TestServer::start();
    // More than are ranked one by one.
    assert_eq!(server.intake(body(10_500)).await.status, 202);
    let queries = server.get("/api/v1/queries").await.json();
    let fingerprint = queries["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement")
        .to_owned();
    for path in [
        "/api/v1/services".to_owned(),
        "/api/v1/services/equal".to_owned(),
        "/api/v1/services/equal/transactions".to_owned(),
        "/api/v1/services/equal/transactions/view?type=request&name=GET%20/equal".to_owned(),
        "/api/v1/dependencies".to_owned(),
        "/api/v1/queries".to_owned(),
        format!("/api/v1/queries/{fingerprint}"),
    ] {
        let answer = server.get(&path).await.json();
        let mut found = Vec::new();
        percentiles(&answer, &mut found);
        assert!(!found.is_empty(), "{path}: {answer:.300}");
        let wrong: Vec<&f64> = found
            .iter()
            .filter(|value| **value != MICROS as f64)
            .collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
    }
    server.stop().await;
}
