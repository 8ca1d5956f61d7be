//! The page of a statement that several services and databases run.

use serde_json::json;

use super::{said, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

/// A request of a service for each call, which runs one statement in a database for some milliseconds.
async fn run(server: &TestServer, first: u64, (service, database): (&str, &str), calls: &[u64]) {
    let at = now();
    let metadata = json!({"metadata": {"service": {"name": service,
        "agent": {"name": "rust", "version": "1"}}}});
    let mut body = vec![metadata.to_string()];
    for (number, duration) in (first..).zip(calls) {
        let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
        let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
            "transaction_id": id, "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
            "duration": duration, "timestamp": at,
            "context": {"db": {"type": "sql", "instance": database, "statement": "SELECT 1 FROM t"}}}});
        body.push(transaction(number, "GET /a", at));
        body.push(span.to_string());
    }
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
}

/// The words of some markup.
fn plain(markup: &str) -> String {
    let texts = markup
        .split('<')
        .map(|tag| tag.split_once('>').map_or(tag, |(_, text)| text));
    texts.collect()
}

#[actix_web::test]
async fn a_statement_has_the_numbers_of_all_places_where_it_runs() {
    let server = TestServer::start();
    run(&server, 1, ("shop", "main.db"), &[10, 20, 30]).await;
    run(&server, 11, ("shop", "old.db"), &[40]).await;
    run(&server, 21, ("bank", "main.db"), &[50, 90]).await;
    let list = server.get("/api/v1/queries").await.json();
    let fingerprint = list["statements"][0]["fingerprint"].as_str().expect("one");
    for (query, want, places) in [
        (
            "",
            "Calls6Total240 msShare of database time100 %Average40.0 ms",
            3,
        ),
        ("service=shop", "Calls4Total100 ms", 2),
        ("service=bank", "Calls2Total140 ms", 0),
    ] {
        let page = server.get(&format!("/queries/{fingerprint}?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let facts = plain(&said(&page.text, "<dl class=\"facts\">", "</dl>"));
        assert!(facts.starts_with(want), "{query}: {facts}");
        let table = page.text.split("data-table=\"statements\"").nth(1);
        let table = table.and_then(|rest| rest.split("</table>").next());
        let rows = table.map_or(0, |table| plain(table).matches(".db").count());
        assert_eq!(rows, places, "{query}: {table:?}");
    }
    // Rows of one service are told apart by their databases.
    let rows = server.get("/queries").await.text;
    let rows = rows.split("data-table=\"statements\"").nth(1);
    let rows = plain(rows.expect("a table"));
    for database in [" · main.db", " · old.db"] {
        assert_eq!(rows.matches(database).count(), 1, "{rows}");
    }
    let page = server.get(&format!("/queries/{fingerprint}")).await.text;
    assert!(page.contains("Run by 2 services"), "{page}");
    let page = server
        .get(&format!("/queries/{fingerprint}?service=shop"))
        .await
        .text;
    assert!(page.contains("Run by 2 databases of shop"), "{page}");
    let own = server.get("/services/shop").await.text;
    assert!(
        own.contains("<a href=\"/queries?service=shop\">All 2 statements</a>"),
        "{own}"
    );
    let table = own.split("data-table=\"statements\"").nth(1);
    let table = table.and_then(|rest| rest.split("</table>").next());
    let table = plain(table.expect("a table of statements"));
    assert!(
        table.contains("main.db") && table.contains("old.db"),
        "{table}"
    );
    server.stop().await;
}
