//! Traces of thousands of spans: whole, and fast enough to be read.

use std::time::Instant;

use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

/// A trace of `spans` spans on five levels: statements of several kinds, calls, failures; one in a hundred is an orphan.
fn recording(number: u64, spans: u64, at: i64) -> String {
    let trace = format!("{number:032x}");
    let mut out = format!(
        "{}\n{}\n",
        metadata("big"),
        transaction(number, "GET /big", at).replace("12.345", "60000")
    );
    for i in 1..=spans {
        let parent = match i % 5 {
            _ if i % 100 == 0 => format!("{:016x}", 0xdead_0000 + i),
            1 => format!("{number:016x}"),
            _ => format!("{:016x}", (number << 32) + i - 1),
        };
        let (name, kind, subtype, statement) = match i % 3 {
            0 => (
                "SELECT FROM people",
                "db",
                "sqlite",
                Some(format!("SELECT name FROM people WHERE id = {i}")),
            ),
            1 => ("render the page", "app", "", None),
            _ => ("GET upstream:8080", "external", "http", None),
        };
        let outcome = if i % 97 == 0 { "failure" } else { "success" };
        let span = json!({"span": {"id": format!("{:016x}", (number << 32) + i), "trace_id": trace, "transaction_id": format!("{number:016x}"), "parent_id": parent,
            "name": name, "type": kind, "subtype": subtype, "timestamp": at + i as i64 * 10, "duration": 40.0 - (i % 5) as f64 * 5.0, "outcome": outcome,
            "context": {"db": {"statement": statement}}}});
        out.push_str(&span.to_string());
        out.push('\n');
    }
    out
}

#[actix_web::test]
async fn a_trace_of_ten_thousand_spans_is_shown_whole() {
    let server = TestServer::start();
    for (number, spans) in [(5, 5_000), (10, 10_000)] {
        assert_eq!(
            server.intake(recording(number, spans, now())).await.status,
            202
        );
        let path = format!("/traces/{number:032x}");
        let start = Instant::now();
        let page = server.get(&path).await;
        let took = start.elapsed();
        assert_eq!(page.status, 200);
        let shown = page.text.matches("<tr id=\"r-").count() as u64;
        let packed = server.packed(&path).await;
        eprintln!(
            "{spans} spans: {shown} rows, {} ms, {} bytes, {packed} compressed",
            took.as_millis(),
            page.text.len()
        );
        for i in [1, 2, spans / 2, spans] {
            let id = (number << 32) + i;
            assert!(
                page.text.contains(&format!("id=\"r-{id:016x}\"")),
                "span {i} of {spans}"
            );
        }
        assert!(
            shown > spans,
            "{shown} rows of {spans} spans and their request"
        );
        assert!(
            page.text.contains("orphans"),
            "what lost its parent is there"
        );
        for tab in ["statistics", "sql", "errors"] {
            assert_eq!(
                server.get(&format!("{path}?tab={tab}")).await.status,
                200,
                "{tab}"
            );
        }
    }
    server.stop().await;
}
