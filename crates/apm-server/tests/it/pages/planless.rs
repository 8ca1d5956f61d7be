//! The page of a statement that has no plan, such as a COMMIT.

use serde_json::json;

use super::transaction;
use crate::support::events::now;
use crate::support::server::TestServer;

const FORM: &str = "What if there were this index?";

/// A request of the service `shop` that runs a statement.
async fn run(server: &TestServer, number: u64, statement: &str) {
    let at = now();
    let metadata = json!({"metadata": {"service": {"name": "shop",
        "agent": {"name": "rust", "version": "1"}}}});
    let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
    let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
        "transaction_id": id, "parent_id": id, "name": "SQL", "type": "db", "subtype": "sqlite",
        "duration": 1, "timestamp": at,
        "context": {"db": {"type": "sql", "statement": statement}}}});
    let body = [
        metadata.to_string(),
        transaction(number, "GET /a", at),
        span.to_string(),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
}

#[actix_web::test]
async fn a_statement_without_a_plan_says_so_and_offers_no_index_to_try() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("shop.db");
    let conn = rusqlite::Connection::open(&file).expect("a database");
    conn.execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)")
        .expect("a table");
    let servers = [
        (
            true,
            TestServer::with(|config| config.explain = vec![("shop".to_owned(), file)]),
        ),
        (false, TestServer::start()),
    ];
    let planless = [
        ("COMMIT", "COMMIT"),
        ("BEGIN IMMEDIATE", "BEGIN"),
        ("SAVEPOINT diesel_savepoint_1", "SAVEPOINT"),
        ("PRAGMA user_version", "PRAGMA"),
        ("CREATE TABLE x (a)", "CREATE"),
    ];
    for (is_known, server) in servers {
        for (number, (statement, _)) in (1..).zip(planless) {
            run(&server, number, statement).await;
        }
        run(&server, 9, "SELECT id FROM people WHERE city = ?").await;
        let list = server.get("/api/v1/queries").await.json();
        let statements = list["statements"].as_array().expect("statements");
        assert_eq!(statements.len(), planless.len() + 1);
        for row in statements {
            let verb = row["verb"].as_str().expect("a verb");
            let fingerprint = row["fingerprint"].as_str().expect("a fingerprint");
            let page = server.get(&format!("/queries/{fingerprint}")).await.text;
            let says = format!("{verb} has no plan. A database plans only statements");
            let is_planless = planless.iter().any(|(_, of)| *of == verb);
            assert_eq!(page.contains(&says), is_planless, "{verb}: {page}");
            assert_eq!(
                page.contains(FORM),
                is_known && !is_planless,
                "{verb}: {page}"
            );
            assert!(!page.contains("refused"), "{verb}: {page}");
            if is_known && is_planless {
                let detail = server.get(&format!("/api/v1/queries/{fingerprint}")).await;
                let problem = detail.json()["plan"]["problem"].clone();
                assert_eq!(problem, format!("{verb} has no plan"));
            }
        }
        server.stop().await;
    }
}
