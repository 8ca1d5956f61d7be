//! The cost of a statement in SQLite, on its page.

use serde_json::{Value, json};

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

/// The page of the one statement of a span with these labels.
async fn page(labels: Value) -> String {
    let server = TestServer::start();
    let span = json!({"span": {
        "id": "0000000000000001", "trace_id": "0".repeat(31) + "1", "transaction_id": "0000000000000002",
        "parent_id": "0000000000000002", "name": "SELECT FROM people", "type": "db", "subtype": "sqlite",
        "timestamp": now() - 1_000_000, "duration": 2.0, "outcome": "success",
        "context": {"db": {"type": "sql", "statement": "SELECT name FROM people", "rows_affected": 4},
            "tags": labels},
    }});
    let body = format!("{}\n{span}", metadata("shop"));
    assert_eq!(server.intake(body).await.status, 202);
    let list = server.get("/api/v1/queries?from=now-1h").await.json();
    let key = list["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement");
    let page = server
        .get(&format!("/queries/{key}?service=shop&from=now-1h"))
        .await
        .text;
    server.stop().await;
    page
}

#[actix_web::test]
async fn each_count_of_sqlite_is_said_and_none_that_it_did_not_need() {
    let all = json!({"sqlite_steps": 12_046, "sqlite_scan_steps": 999, "sqlite_sorts": 1, "sqlite_reprepares": 3,
        "sqlite_autoindex_steps": 2, "sqlite_rows_returned": 9, "sqlite_pages_read": 5, "sqlite_pages_written": 6});
    let rare = [
        "Prepared again",
        "Rows into automatic indexes",
        "Pages of the file",
    ];
    let full = page(all).await;
    for words in ["Steps per call", "Rows scanned", "Sorts", "Rows returned"]
        .iter()
        .chain(&rare)
    {
        assert!(full.contains(words), "{words}: {full}");
    }
    let plain = page(json!({"sqlite_steps": 40})).await;
    assert!(plain.contains("Steps per call"), "{plain}");
    for words in rare {
        assert!(!plain.contains(words), "{words}: {plain}");
    }
}
