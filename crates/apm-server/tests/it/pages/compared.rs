//! Rows of requests and statements beside those of the window before: compared only where all of it is known.

use serde_json::json;

use super::transaction;
use crate::support::events::now;
use crate::support::server::TestServer;

const MINUTE: i64 = 60_000_000;

/// Requests of a service, each with a statement, at some minutes before now: the statement takes so many ms.
async fn run(server: &TestServer, service: &str, first: u64, times: [(i64, u64); 2]) {
    let metadata = json!({"metadata": {"service": {"name": service,
        "agent": {"name": "rust", "version": "1"}}}});
    let mut body = vec![metadata.to_string()];
    let all = times.into_iter().flat_map(|time| [time; 12]);
    for (number, (minutes, duration)) in (first..).zip(all) {
        let at = now() - minutes * MINUTE;
        let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
        let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
            "transaction_id": id, "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
            "duration": duration, "timestamp": at,
            "context": {"db": {"type": "sql", "statement": "SELECT 1 FROM t"}}}});
        let request = transaction(number, "GET /a", at);
        body.push(request.replace("12.345", &(duration + 1).to_string()));
        body.push(span.to_string());
    }
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
}

/// The row of a table that has a text.
fn row<'a>(page: &'a str, table: &str, text: &str) -> &'a str {
    let table = page.split(&format!("data-table=\"{table}\"")).nth(1);
    let table = table.and_then(|rest| rest.split("</table>").next());
    let rows = table.expect("a table").split("<tr").skip(2);
    let mut rows = rows.filter(|row| row.contains(text));
    rows.next().expect("a row")
}

#[actix_web::test]
async fn rows_are_compared_with_a_window_that_is_known_whole() {
    let server = TestServer::start();
    // The earlier window of 15 minutes begins 30 minutes ago.
    run(&server, "known", 1, [(29, 10), (1, 20)]).await;
    run(&server, "young", 101, [(20, 10), (1, 20)]).await;
    let found = server
        .get("/api/v1/queries?from=now-15m&service=known")
        .await
        .json();
    let fingerprint = found["statements"][0]["fingerprint"].as_str().expect("one");
    for (service, is_known) in [("known", true), ("young", false)] {
        let list = format!("/services/{service}/transactions?from=now-15m");
        let requests = server.get(&list).await.text;
        let statements = format!("/queries?from=now-15m&service={service}");
        let statements = server.get(&statements).await.text;
        for row in [
            row(&requests, "transactions", "GET /a"),
            row(&statements, "statements", "SELECT"),
        ] {
            assert_eq!(row.contains("delta--worse"), is_known, "{service}: {row}");
            assert_eq!(
                row.contains("no earlier data"),
                !is_known,
                "{service}: {row}"
            );
        }
        let page = format!("/queries/{fingerprint}?from=now-15m&service={service}");
        let page = server.get(&page).await.text;
        let facts = page.split("<dl class=\"facts\">").nth(1);
        let facts = facts.and_then(|rest| rest.split("</dl>").next());
        let facts = facts.expect("facts");
        assert_eq!(
            facts.contains("delta--worse"),
            is_known,
            "{service}: {facts}"
        );
    }
    let off = "/services/known/transactions?from=now-15m&cmp=off";
    let page = server.get(off).await.text;
    assert!(!page.contains("vs prev."), "{page}");
    server.stop().await;
}
