//! Rows of requests, statements and dependencies beside those of the window before: compared by one rule, only where
//! all of that window is known and both sides have enough.

use serde_json::json;

use super::transaction;
use crate::support::events::now;
use crate::support::server::TestServer;

const MINUTE: i64 = 60_000_000;

/// Requests of a service: how many minutes before now, how many, and how many ms the statement of each takes.
type Requests = [(i64, u64, u64)];

/// Records requests of a service, each with a statement of a database that is called `table`.
async fn run(server: &TestServer, service: &str, first: u64, table: &str, requests: &Requests) {
    let metadata = json!({"metadata": {"service": {"name": service,
        "agent": {"name": "rust", "version": "1"}}}});
    let mut body = vec![metadata.to_string()];
    let all = requests.iter().flat_map(|(minutes, count, duration)| {
        std::iter::repeat_n((*minutes, *duration), *count as usize)
    });
    for (number, (minutes, duration)) in (first..).zip(all) {
        let at = now() - minutes * MINUTE;
        let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
        let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
            "transaction_id": id, "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
            "duration": duration, "timestamp": at, "context": {
                "db": {"type": "sql", "statement": format!("SELECT 1 FROM {table}")},
                "destination": {"service": {"resource": format!("sqlite/{table}")}}}}});
        let request = transaction(number, &format!("GET /{table}"), at);
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

/// The lists of a service, each with its table.
fn lists(service: &str) -> [(String, &'static str); 5] {
    [
        (
            format!("/services/{service}/transactions?from=now-15m"),
            "transactions",
        ),
        (
            format!("/queries?from=now-15m&service={service}"),
            "statements",
        ),
        (
            format!("/services/{service}/dependencies?from=now-15m"),
            "dependencies",
        ),
        (
            format!("/dependencies?from=now-15m&service={service}"),
            "dependencies",
        ),
        (
            format!("/services?from=now-15m&service={service}"),
            "services",
        ),
    ]
}

/// The row of one of these lists that is about `table`.
async fn listed(server: &TestServer, (path, list): &(String, &str), table: &str) -> String {
    let page = server.get(path).await.text;
    assert!(page.contains("vs prev."), "{path}");
    let text = match *list {
        "services" => "/services/",
        // Names of tables are highlighted.
        _ => table,
    };
    row(&page, list, text).to_owned()
}

#[actix_web::test]
async fn rows_are_compared_with_a_window_that_is_known_whole() {
    let server = TestServer::start();
    // The earlier window of 15 minutes begins 30 minutes ago.
    let (known, young) = ([(29, 12, 10), (1, 12, 20)], [(20, 12, 10), (1, 12, 20)]);
    run(&server, "known", 1, "people", &known).await;
    run(&server, "young", 101, "people", &young).await;
    let found = server
        .get("/api/v1/queries?from=now-15m&service=known")
        .await
        .json();
    let fingerprint = found["statements"][0]["fingerprint"].as_str().expect("one");
    for (service, is_known) in [("known", true), ("young", false)] {
        for list in lists(service) {
            let row = listed(&server, &list, "people").await;
            assert_eq!(row.contains("delta--worse"), is_known, "{service}: {row}");
            assert_eq!(
                row.contains("no earlier data"),
                !is_known,
                "{service}: {row}"
            );
        }
        for path in [
            format!("/queries/{fingerprint}?service={service}"),
            format!("/dependencies/sqlite%2Fpeople?service={service}"),
        ] {
            let page = server.get(&path).await.text;
            let facts = page.split("<dl class=\"facts\">").nth(1);
            let facts = facts.and_then(|rest| rest.split("</dl>").next());
            let facts = facts.expect("facts");
            assert_eq!(facts.contains("delta--worse"), is_known, "{path}: {facts}");
        }
    }
    for (path, _) in lists("known") {
        let page = server.get(&format!("{path}&cmp=off")).await.text;
        assert!(!page.contains("vs prev."), "{path}: {page}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn rows_are_sorted_by_their_change_and_those_without_one_come_last() {
    let server = TestServer::start();
    for (first, table, before, (count, after)) in [
        (1, "people", 10, (12, 40)),
        (101, "orders", 10, (12, 10)),
        (201, "carts", 40, (12, 10)),
        (301, "goods", 10, (3, 90)),
    ] {
        let requests = [(29, 12, before), (1, count, after)];
        run(&server, "shop", first, table, &requests).await;
    }
    for (path, table) in lists("shop") {
        if table == "services" {
            continue;
        }
        for (sort, direction, order) in [
            (
                "-change",
                "descending",
                ["people", "orders", "carts", "goods"],
            ),
            (
                "change",
                "ascending",
                ["carts", "orders", "people", "goods"],
            ),
        ] {
            let page = server.get(&format!("{path}&sort={sort}")).await.text;
            let head = format!("aria-sort=\"{direction}\"");
            let rows = page.split(&format!("data-table=\"{table}\"")).nth(1);
            let rows = rows.expect("a table");
            let (head_of, rows) = rows.split_once("<tbody>").expect("rows");
            assert!(head_of.contains(&head), "{path}: {head_of}");
            let places = order.map(|name| rows.find(name).expect(name));
            assert!(places.is_sorted(), "{path}, {sort}: {places:?}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn every_list_says_too_few_and_new_by_one_rule() {
    let server = TestServer::start();
    run(
        &server,
        "shop",
        1,
        "people",
        &[(29, 12, 10), (29, 3, 10), (1, 9, 90)],
    )
    .await;
    for list in lists("shop") {
        let row = listed(&server, &list, "people").await;
        assert!(row.contains(">too few</span>"), "{}: {row}", list.0);
        assert!(!row.contains('↑'), "{}: {row}", list.0);
    }
    run(&server, "shop", 101, "orders", &[(1, 12, 90)]).await;
    for list in lists("shop") {
        let is_new = list.1 != "services";
        let row = listed(&server, &list, "orders").await;
        // The requests of a service are of two kinds then, of which one is new.
        let said = if is_new { "new" } else { "other mix" };
        assert!(
            row.contains(&format!(">{said}</span>")),
            "{}: {row}",
            list.0
        );
    }
    server.stop().await;
}
