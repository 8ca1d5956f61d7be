//! Statements, findings, a comparison and the console of one server, over what two have stored.

use serde_json::{Value, json};

use super::joined::RANGE;
use super::server::Server;
use super::together::{send, wait};
use crate::support::now;

/// A request that runs one statement 12 times.
fn repeats(n: u64) -> String {
    let at = now();
    let head = r#"{"metadata":{"service":{"name":"till","agent":{"name":"rust","version":"1"}}}}"#;
    let mut lines = vec![head.to_owned()];
    let (id, trace) = (format!("e{n:015x}"), format!("e{n:031x}"));
    lines.extend((0..12).map(|call| {
        json!({"span": {"id": format!("f{:015x}", n * 100 + call), "trace_id": trace, "parent_id": id,
            "transaction_id": id, "name": "SELECT FROM price", "type": "db", "subtype": "sqlite", "duration": 2,
            "timestamp": at + 1000 * call as i64, "outcome": "success",
            "context": {"db": {"type": "sql", "statement": format!("SELECT * FROM price WHERE item = {call}")}}}})
        .to_string()
    }));
    lines.push(
        json!({"transaction": {"id": id, "trace_id": trace, "name": "GET /till", "type": "request", "duration": 30,
            "timestamp": at, "outcome": "success", "span_count": {"started": 12}}})
        .to_string(),
    );
    lines.join("\n")
}

/// Both servers answer for the callee's statement, for a finding of the second server, and for all requests.
pub(super) fn ask(servers: &[Server; 2], traces: usize) {
    for n in 0..30 {
        assert!(send(&servers[1], &repeats(n)));
    }
    let all = traces as f64;
    for server in servers {
        let queries = server.get(&format!("/api/v1/queries?service=stock&{RANGE}"));
        let statements = queries["statements"].as_array().expect("statements");
        assert_eq!(statements.len(), 1, "{queries}");
        assert_eq!(statements[0]["calls"], all, "{queries}");
        let key = statements[0]["fingerprint"].as_str().expect("a key");
        let one = server.get(&format!("/api/v1/queries/{key}?service=stock&{RANGE}"));
        assert_eq!(one["statements"][0]["calls"], all, "{one}");

        let sql = "SELECT%20calls%20FROM%20v_statements%20WHERE%20service%20%3D%20%27stock%27";
        let console = server.get(&format!("/api/v1/sql?sql={sql}"));
        assert_eq!(console["rows"], json!([[all]]), "{console}");

        let compared = server.get("/api/v1/compare?from=now-1h");
        let requests = compared["transactions"].as_array().expect("requests");
        for name in ["GET /shop", "GET /stock"] {
            let found = requests.iter().find(|one| one["name"] == name);
            let count = found.map(|one| &one["after"]["count"]);
            assert_eq!(count, Some(&json!(all)), "{name}: {compared}");
        }
        let mut last = Value::Null;
        wait("the finding is on both", || {
            last = server.get("/api/v1/insights?service=till");
            let found = last["insights"].as_array().expect("insights");
            found.iter().any(|one| one["kind"] == "repeat")
        });
    }
}
