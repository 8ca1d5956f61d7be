//! SQL of strangers that SQLite would make gigabytes of before it runs.

use std::time::Instant;

use serde_json::json;

use super::load::status;
use super::start;
use crate::support::{DEADLINE, get};

/// Common tables, each used twenty times by the next one: SQLite copies them for each use.
fn tables() -> String {
    let mut sql = "WITH c0(x) AS (SELECT 1 UNION ALL SELECT 2)".to_owned();
    for level in 1..6 {
        let uses = vec![format!("(SELECT x FROM c{})", level - 1); 20].join(" + ");
        sql.push_str(&format!(", c{level}(x) AS (SELECT {uses})"));
    }
    sql + " SELECT x FROM c5"
}

/// Tables that each join the one before fifty times.
fn joins() -> String {
    let mut sql = "WITH c0(x) AS (SELECT 1 UNION ALL SELECT 2)".to_owned();
    for level in 1..4 {
        let joined: Vec<_> = (0..50).map(|at| format!("c{} a{at}", level - 1)).collect();
        sql.push_str(&format!(
            ", c{level}(x) AS (SELECT 1 FROM {})",
            joined.join(", ")
        ));
    }
    sql + " SELECT count(*) FROM c3"
}

/// Subqueries whose one column is used four times by the next one: SQLite puts them into each other.
fn sums(column: &str, table: &str) -> String {
    let mut sql = format!("SELECT {column} AS x FROM {table} LIMIT 5");
    for _ in 0..14 {
        sql = format!("SELECT ((x + x) + (x + x)) AS x FROM ({sql})");
    }
    sql
}

async fn post(url: &str, kind: &'static str, body: String) -> (u16, String) {
    let sent = awc::Client::builder()
        .timeout(DEADLINE)
        .finish()
        .post(url)
        .content_type(kind)
        .send_body(body)
        .await;
    let mut answer = sent.unwrap();
    let body = answer.body().await.unwrap();
    (
        answer.status().as_u16(),
        String::from_utf8_lossy(&body).into_owned(),
    )
}

/// A request of the embedded service that ran some statements.
fn events(statements: &[String]) -> String {
    let (trace, transaction) = ("a".repeat(32), "a".repeat(16));
    let mut lines = vec![
        json!({"metadata": {"service": {"name": "my-app-01", "agent": {"name": "a", "version": "1"}}}}),
        json!({"transaction": {"id": transaction, "trace_id": trace, "name": "GET /", "type": "request", "duration": 9,
            "span_count": {"started": statements.len()}}}),
    ];
    for (at, statement) in statements.iter().enumerate() {
        lines.push(json!({"span": {"id": format!("{at:016x}"), "trace_id": trace, "transaction_id": transaction,
            "parent_id": transaction, "name": "SELECT", "type": "db", "subtype": "sqlite", "duration": 1, "start": 0,
            "context": {"db": {"type": "sql", "statement": statement, "instance": "database.db"}}}}));
    }
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[actix_web::test]
async fn a_short_statement_that_would_take_gigabytes_is_refused_where_it_is_asked_and_where_it_was_recorded()
 {
    let dir = tempfile::tempdir().unwrap();
    let (child, _, apm) = start(&dir);
    let idle = status(&child, "VmRSS:");
    let sql = format!("{apm}/api/v1/sql");
    for greedy in [tables(), joins(), sums("duration_ms", "v_spans")] {
        let (code, said) = post(&sql, "text/plain", greedy).await;
        assert_eq!(code, 400, "{said}");
        assert!(said.contains("after 32 MiB of memory"), "{said}");
    }
    // Any sender can name the service, whose file the server asks for plans.
    let recorded = [tables(), sums("city", "people")];
    let intake = format!("{apm}/intake/v2/events");
    let (code, said) = post(&intake, "application/x-ndjson", events(&recorded)).await;
    assert_eq!(code, 202, "{said}");
    let listed = get(&format!(
        "{apm}/api/v1/queries?service=my-app-01&from=now-1h"
    ))
    .await;
    let listed = listed.json()["statements"].clone();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    for statement in listed {
        let fingerprint = statement["fingerprint"].as_str().unwrap();
        let asked = Instant::now();
        let plan = get(&format!(
            "{apm}/api/v1/queries/{fingerprint}/plan?service=my-app-01&from=now-1h"
        ))
        .await;
        assert!(
            plan.body.contains("after 32 MiB of memory"),
            "{}",
            plan.body
        );
        assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
    }
    // Without the bound each of them takes gigabytes.
    let taken = status(&child, "VmHWM:").saturating_sub(idle);
    assert!(taken < 512 << 10, "{taken} kB above idle");
}
