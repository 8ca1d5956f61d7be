//! The environments of rows of lists, and pages of services that nobody knows.

use serde_json::json;

use super::transaction;
use crate::support::events::now;
use crate::support::server::TestServer;

/// A service in some environments, each with the same statement and the same error.
async fn fill(server: &TestServer, service: &str, environments: &[&str]) {
    for (number, environment) in (1_u64..).zip(environments) {
        let at = now();
        let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
        let metadata = json!({"metadata": {"service": {"name": service, "environment": environment,
            "agent": {"name": "rust", "version": "1"}}}});
        let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
            "transaction_id": id, "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
            "duration": 1, "timestamp": at, "context": {"db": {"type": "sql", "statement": "SELECT 1 FROM t"}}}});
        let error = json!({"error": {"id": format!("{number:032x}"), "timestamp": at,
            "exception": {"type": "Fault", "message": "it broke"}}});
        let body = [
            metadata.to_string(),
            transaction(number, "GET /a", at),
            transaction(number + 100, "GET /b", at),
            span.to_string(),
            error.to_string(),
        ];
        assert_eq!(server.intake(body.join("\n")).await.status, 202);
    }
}

#[actix_web::test]
async fn rows_of_statements_and_errors_name_their_environments_where_there_are_several() {
    let server = TestServer::start();
    fill(&server, "shop", &["live", "lab"]).await;
    for (path, row) in [("/queries", "/statements/0"), ("/errors", "/errors/0")] {
        let answer = server.get(&format!("/api/v1{path}")).await.json();
        let named = answer.pointer(&format!("{row}/environments"));
        assert_eq!(named, Some(&json!(["lab", "live"])), "{path}");
        let page = server.get(path).await.text;
        assert!(page.contains("lab, live"), "{path}: {page}");
        let one = server.get(&format!("/api/v1{path}?env=lab")).await.json();
        let named = one.pointer(&format!("{row}/environments"));
        assert_eq!(named, Some(&json!(["lab"])), "{path}");
        let page = server.get(&format!("{path}?env=lab")).await.text;
        assert!(!page.contains("lab, live"), "{path}: {page}");
        let file = server.get(&format!("/api/v1{path}?format=csv")).await.text;
        assert!(file.contains("\"lab, live\""), "{file}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_page_of_a_service_that_nobody_knows_is_not_found() {
    let server = TestServer::start();
    fill(&server, "shop", &["live"]).await;
    for tab in [
        "",
        "/transactions",
        "/errors",
        "/dependencies",
        "/map",
        "/logs",
        "/metrics",
        "/instances",
        "/versions",
    ] {
        let unknown = server.get(&format!("/services/shap{tab}")).await;
        assert_eq!(unknown.status, 404, "{tab}");
        assert!(
            unknown.text.contains("No service named"),
            "{tab}: {}",
            unknown.text
        );
        // One that is known had no event in this minute of 2020.
        let range = "from=2020-01-01T00:00:00Z&to=2020-01-01T00:01:00Z";
        let known = server.get(&format!("/services/shop{tab}?{range}")).await;
        assert_eq!(known.status, 200, "{tab}");
        assert!(!known.text.contains("No service named"), "{tab}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_file_of_a_comparison_says_which_of_all_rows_it_has() {
    let server = TestServer::start();
    fill(&server, "shop", &["live"]).await;
    for (query, name) in [
        ("size=1", "transactions-1-to-1-of-2.csv"),
        ("", "transactions.csv"),
        ("size=1&table=statements", "statements.csv"),
    ] {
        let path = format!("/api/v1/compare?from=now-15m&format=csv&{query}");
        let file = server.get(&path).await;
        let named = file.header("content-disposition");
        assert!(named.contains(&format!("\"{name}\"")), "{query}: {named}");
    }
    server.stop().await;
}
