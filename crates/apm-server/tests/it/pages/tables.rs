//! Lists of hundreds of rows: search, columns, height of rows, pages.

use serde_json::json;

use super::metadata;
use crate::support::events::now;
use crate::support::server::{TestServer, eventually};

async fn filled() -> TestServer {
    let server = TestServer::start();
    let mut sent = vec![metadata("shop")];
    for number in 1..=300_u64 {
        let area = if number % 10 == 0 { "Cart" } else { "item" };
        sent.push(super::transaction(
            number,
            &format!("GET /{area}/{number}"),
            now(),
        ));
    }
    assert_eq!(server.intake(sent.join("\n")).await.status, 202);
    server
}

#[actix_web::test]
async fn a_search_goes_over_all_rows_and_not_those_of_the_page() {
    let server = filled().await;
    let list = "/services/shop/transactions";
    let all = server.get(&format!("/api/v1{list}?size=20")).await.json();
    assert_eq!((&all["total"], &all["shown"]), (&json!(300), &json!(20)));
    for (search, total) in [
        ("cart", 30),
        ("CART/30", 2),
        ("request", 300),
        ("nothing", 0),
        ("%20", 300),
    ] {
        let found = server
            .get(&format!("/api/v1{list}?size=20&search={search}"))
            .await
            .json();
        assert_eq!(found["total"], total, "{search}: {found}");
        let page = server.get(&format!("{list}?search={search}")).await;
        assert_eq!(page.status, 200);
        let file = server
            .get(&format!("/api/v1{list}?format=csv&search={search}"))
            .await
            .text;
        assert_eq!(file.lines().count() as u64, total + 1, "{search}");
    }
    let last = server
        .get(&format!("/api/v1{list}?size=20&search=cart&page=2"))
        .await
        .json();
    assert_eq!((&last["shown"], &last["page"]), (&json!(10), &json!(2)));
    let none = server.get(&format!("{list}?search=nothing")).await.text;
    assert!(none.contains("Clear the search"), "{none}");
    // A search that finds nothing does not mean that nothing was sent.
    assert!(
        none.contains("No transaction of shop has “nothing” in its name"),
        "{none}"
    );
    let none = server.get("/services?search=x").await.text;
    assert!(
        none.contains("No service has “x” in its name") && !none.contains("Set up an agent"),
        "{none}"
    );
    // Searches of other lists.
    for (path, found) in [("/services?search=SHO", 1), ("/services?search=x", 0)] {
        let list = server.get(&format!("/api/v1{path}")).await.json();
        assert_eq!(list["total"], found, "{path}");
    }
    server.stop().await;
}

/// A server with one thing more than fit in a thousand rows, twice: `number` is in every name, and the last ones have
/// the least time and the fewest occurrences.
async fn crowded() -> TestServer {
    let server = TestServer::start();
    for part in 0..12_u64 {
        let mut sent = vec![metadata("shop")];
        for number in part * 100..(part + 1) * 100 {
            let (id, at) = (number + 1, now());
            let name = match number {
                1_150 => "the Ünlucky one".to_owned(),
                _ => format!("thing {number:04}"),
            };
            let ids = json!({"trace_id": format!("{id:032x}"), "transaction_id": format!("{id:016x}"),
                "parent_id": format!("{id:016x}")});
            let milliseconds = if number == 1_150 {
                0.001
            } else {
                5.0 + (1_200 - number) as f64 / 100.0
            };
            let mut span = json!({"id": format!("5{id:015x}"), "timestamp": at, "duration": milliseconds, "name": name,
                "type": "db", "subtype": "postgresql", "context": {
                    "db": {"type": "sql", "statement": format!("SELECT * FROM \"{name}\"")},
                    "destination": {"service": {"resource": name}}}});
            let mut error = json!({"id": format!("e{id:031x}"), "timestamp": at, "culprit": "place",
                "exception": {"type": format!("Broken{number}"), "message": name}});
            for (key, value) in ids.as_object().expect("an object") {
                span[key] = value.clone();
                error[key] = value.clone();
            }
            let transaction = json!({"transaction": {"id": ids["transaction_id"], "trace_id": ids["trace_id"],
                "timestamp": at, "duration": milliseconds, "name": name, "type": "request", "result": "HTTP 2xx",
                "outcome": "success", "sampled": true, "span_count": {"started": 1}}});
            sent.push(transaction.to_string());
            sent.push(json!({"span": span}).to_string());
            sent.push(json!({"error": error}).to_string());
        }
        assert_eq!(server.intake(sent.join("\n")).await.status, 202);
    }
    server
}

#[actix_web::test]
async fn a_search_and_an_order_are_of_all_rows_and_not_of_the_thousand_with_most_time() {
    let server = crowded().await;
    let lists = [
        (
            "/services/shop/transactions",
            "transactions",
            "/transactions/0/name",
        ),
        ("/queries", "statements", "/statements/0/normalized"),
        ("/dependencies", "dependencies", "/dependencies/0/name"),
        (
            "/services/shop/dependencies",
            "dependencies",
            "/dependencies/0/name",
        ),
        ("/errors", "errors", "/errors/0/message"),
    ];
    for (path, key, name) in lists {
        // Statements come in smaller pages.
        let (size, last) = if path == "/queries" {
            (200, 6)
        } else {
            (1_000, 2)
        };
        let all = server.get(&format!("/api/v1{path}")).await.json();
        assert_eq!(
            (&all["total"], &all["shown"]),
            (&json!(1_200), &json!(size)),
            "{path}"
        );
        // Upper and lower case are the same beyond ASCII, too.
        let text = "%C3%9CNLUCKY";
        let found = server
            .get(&format!("/api/v1{path}?search={text}"))
            .await
            .json();
        assert_eq!(found["total"], 1, "{path}: {found}");
        let shown = found
            .pointer(name)
            .and_then(|name| name.as_str())
            .unwrap_or_default();
        assert!(shown.contains("Ünlucky"), "{path}: {found}");
        // The figures of the page are those of all rows; rates by the minute are of windows that end at other seconds.
        for figure in [
            "/occurrences",
            "/unhandled",
            "/latest",
            "/new",
            "/most_time/0/name",
            "/most_time/name",
            "/most_time/fingerprint",
            "/most_frequent/key",
        ] {
            assert_eq!(
                found.pointer(figure),
                all.pointer(figure),
                "{path} {figure}"
            );
        }
        assert_eq!(found[key].as_array().map(Vec::len), Some(1), "{path}");
        let page = server.get(&format!("{path}?search={text}")).await.text;
        assert!(
            page.contains("nlucky") && !page.contains("Searched are"),
            "{path}"
        );
        let many = server
            .get(&format!("/api/v1{path}?search=THING&page={last}"))
            .await
            .json();
        assert_eq!(
            (&many["total"], &many["shown"]),
            (&json!(1_199), &json!(199)),
            "{path}"
        );
    }
    // The quickest of all is none of the thousand with most time.
    let orders = lists[..4]
        .iter()
        .flat_map(|(path, key, _)| [(*path, *key, "avg"), (*path, *key, "p95")]);
    // Its text comes before all others.
    for (path, key, order) in orders.chain([("/queries", "statements", "statement")]) {
        let sorted = format!("{path}?sort={order}");
        let found = server.get(&format!("/api/v1{sorted}")).await.json();
        let first = &found[key][0];
        assert!(first.to_string().contains("Ünlucky"), "{sorted}: {first}");
        let page = server.get(&sorted).await.text;
        assert!(
            page.contains("of 1,200 are shown") && !page.contains(" are sorted"),
            "{sorted}"
        );
    }
    // The callers of statements are counted beside the intake.
    let quickest = async || {
        let path = "/api/v1/services/shop/transactions?sort=sql";
        let found = server.get(path).await.json();
        let first = &found["transactions"][0]["name"];
        first.as_str().is_some_and(|name| name.contains("Ünlucky"))
    };
    eventually("the least time in SQL comes first", quickest).await;
    let page = server
        .get("/services/shop/transactions?sort=sql")
        .await
        .text;
    assert!(!page.contains(" are sorted"), "{page}");
    let named = server
        .get("/api/v1/errors?sort=-message&size=2")
        .await
        .json();
    assert_eq!(named["errors"][0]["message"], "thing 1199", "{named}");
    let last = server
        .get("/api/v1/errors?sort=message&page=2")
        .await
        .json();
    let errors = last["errors"].as_array().expect("rows");
    assert_eq!(
        errors.last().expect("a row")["message"],
        "thing 1199",
        "{last}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn columns_and_height_of_rows_stand_in_the_address_and_the_height_goes_along() {
    let server = filled().await;
    let page = server
        .get("/services/shop/transactions?hide=p95,failed&density=compact")
        .await
        .text;
    assert!(page.contains("<html lang=\"en\" data-density=\"compact\""));
    assert!(
        page.contains("hide-4") && page.contains("Columns (2 hidden)"),
        "{page}"
    );
    let nav = page
        .split("<nav class=\"nav\"")
        .nth(1)
        .and_then(|rest| rest.split("</nav>").next());
    let nav = nav.expect("the navigation");
    assert!(
        nav.contains("density=compact") && !nav.contains("hide="),
        "{nav}"
    );
    server.stop().await;
}
