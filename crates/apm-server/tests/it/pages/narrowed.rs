//! Pages that a filter, an environment, durations or a search narrow: what their headlines say, and where the filter
//! goes.

use serde_json::json;

use super::{metadata, said, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

/// A server with a request that runs a statement and fails, in the environment `test`.
async fn filled() -> TestServer {
    let server = TestServer::start();
    let at = now();
    let (trace, own) = (format!("{:032x}", 1), format!("{:016x}", 1));
    let error = json!({"error": {"id": "000000000000000000000000000000e1", "timestamp": at, "trace_id": trace,
        "transaction_id": own, "parent_id": own, "exception": {"type": "panic", "message": "no", "handled": false}}});
    let span = json!({"span": {"id": "00000000000000b1", "trace_id": trace, "transaction_id": own,
        "parent_id": own, "name": "SELECT FROM people", "type": "db", "subtype": "sqlite", "duration": 2.5,
        "timestamp": at, "context": {"db": {"type": "sql", "statement": "SELECT name FROM people"},
            "destination": {"service": {"resource": "people.db"}}}}});
    let body = [
        metadata("shop"),
        transaction(1, "GET /a", at),
        span.to_string(),
        error.to_string(),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
    server
}

/// The headlines of pages that are not those expected.
async fn wrong(server: &TestServer, expected: &[(&str, &str)]) -> String {
    let mut wrong = String::new();
    for (page, want) in expected {
        let html = server.get(page).await.text;
        let answer = said(&html, "<h1 class=\"answer\">", "</h1>");
        if answer != *want {
            wrong.push_str(&format!("{page}\n  {answer}\n  {want}\n"));
        }
    }
    wrong
}

#[actix_web::test]
async fn a_headline_says_that_nothing_matches_the_filter_and_not_that_nothing_was_recorded() {
    let server = filled().await;
    let no = "q=service.name:nobody";
    let expected = [
        (
            "/services/shop",
            "No request to shop matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/transactions",
            "No transaction of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/transactions/view?type=request&name=GET%20/a",
            "No request to GET /a matches the filter in the last 15 minutes.",
        ),
        (
            "/traces",
            "No trace matches the filter in the last 15 minutes.",
        ),
        (
            "/queries",
            "No statement matches the filter in the last 15 minutes.",
        ),
        (
            "/errors",
            "No error matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/errors",
            "No error in shop matches the filter in the last 15 minutes.",
        ),
        (
            "/dependencies",
            "No dependency matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/dependencies",
            "No dependency of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/dependencies/people.db",
            "No call to people.db matches the filter in the last 15 minutes.",
        ),
        ("/map", "No call matches the filter in the last 15 minutes."),
        (
            "/services/shop/map",
            "No call of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/metrics",
            "No metric of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/instances",
            "No instance of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop/versions",
            "No version of shop matches the filter in the last 15 minutes.",
        ),
        (
            "/logs",
            "No log line matches the filter in the last 15 minutes.",
        ),
        // The rest is not told of as if it were everything.
        (
            "/traces?q=service.name:shop",
            "1 trace matches the filter in the last 15 minutes.",
        ),
        (
            "/services/shop?q=service.name:shop",
            "Requests to shop that match the filter take 12.3 ms on average.",
        ),
        (
            "/queries?q=service.name:shop",
            "SELECT FROM people takes 100 % of the time of statements that match the filter.",
        ),
    ];
    let expected = expected.map(
        |(page, want)| match (page.contains("q="), page.contains('?')) {
            (true, _) => (page.to_owned(), want),
            (false, true) => (format!("{page}&{no}"), want),
            (false, false) => (format!("{page}?{no}"), want),
        },
    );
    let expected: Vec<(&str, &str)> = expected
        .iter()
        .map(|(page, want)| (&**page, *want))
        .collect();
    let wrong = wrong(&server, &expected).await;
    assert!(wrong.is_empty(), "{wrong}");
    server.stop().await;
}

#[actix_web::test]
async fn a_headline_names_the_environment_and_the_durations_that_leave_nothing() {
    let server = filled().await;
    let expected = [
        (
            "/services?env=prod",
            "No service has sent anything in the environment prod in the last 15 minutes.",
        ),
        (
            "/services/shop?env=prod",
            "shop answered no requests in the environment prod in the last 15 minutes.",
        ),
        (
            "/queries?env=prod",
            "No statement was run in the environment prod in the last 15 minutes.",
        ),
        (
            "/errors?env=prod",
            "No error in the environment prod in the last 15 minutes.",
        ),
        (
            "/dependencies?env=prod",
            "No service called anything in the environment prod in the last 15 minutes.",
        ),
        (
            "/map?env=prod",
            "No service called anything in the environment prod in the last 15 minutes.",
        ),
        (
            "/traces?env=prod",
            "No trace began in the environment prod in the last 15 minutes.",
        ),
        (
            "/traces?min_us=900000000",
            "No trace took at least 15.0 min in the last 15 minutes.",
        ),
        (
            "/traces?min_us=5ms&q=service.name:shop",
            "1 trace that matches the filter took at least 5.00 ms in the last 15 minutes.",
        ),
    ];
    let wrong = wrong(&server, &expected).await;
    assert!(wrong.is_empty(), "{wrong}");
    server.stop().await;
}

#[actix_web::test]
async fn a_search_that_finds_nothing_has_a_headline_about_that_and_no_empty_table() {
    let server = filled().await;
    let expected = [
        (
            "/queries?search=zzz",
            "No statement has “zzz” in its text in the last 15 minutes.",
        ),
        (
            "/dependencies?search=zzz",
            "No dependency has “zzz” in its name in the last 15 minutes.",
        ),
        (
            "/services/shop/dependencies?search=zzz",
            "No dependency of shop has “zzz” in its name in the last 15 minutes.",
        ),
    ];
    let wrong = wrong(&server, &expected).await;
    assert!(wrong.is_empty(), "{wrong}");
    for (page, _) in expected {
        let html = server.get(page).await.text;
        assert!(
            html.contains("Clear the search") && !html.contains("<thead"),
            "{page}"
        );
    }
    let found = server.get("/queries?search=people").await.text;
    let why = said(&found, "<p class=\"why\">", "</p>");
    assert_eq!(why, "1 statement has “people” in the text.");
    let all = server.get("/queries").await.text;
    let why = said(&all, "<p class=\"why\">", "</p>");
    assert_eq!(why, "1 statement. No insights about it.");
    server.stop().await;
}

#[actix_web::test]
async fn a_filter_goes_along_every_tab_and_a_page_that_cannot_apply_it_says_so() {
    let server = filled().await;
    const NOTE: &str = "cannot be applied to this page";
    let page = server.get("/services/shop?q=transaction.name:x").await.text;
    assert!(!page.contains(NOTE));
    for (tab, key) in [
        ("transactions", "q"),
        ("errors", "kept_q"),
        ("dependencies", "kept_q"),
        ("map", "kept_q"),
        ("metrics", "kept_q"),
        ("instances", "q"),
        ("versions", "q"),
    ] {
        let address = format!("/services/shop/{tab}?{key}=transaction.name:x");
        assert!(page.contains(&format!("href=\"{address}\"")), "{address}");
        let tab = server.get(&address).await;
        assert_eq!(tab.status, 200, "{address}");
        assert_eq!(tab.text.contains(NOTE), key == "kept_q", "{address}");
        let back = "href=\"/services/shop?q=transaction.name:x\"";
        assert!(tab.text.contains(back), "{address}");
    }
    // From the traces to the statements and back.
    let traces = server.get("/traces?q=labels.k:v").await.text;
    assert!(
        traces.contains("href=\"/queries?kept_q=labels.k:v\""),
        "{traces}"
    );
    let queries = server.get("/queries?kept_q=labels.k:v").await.text;
    assert!(
        queries.contains("href=\"/traces?q=labels.k:v\""),
        "{queries}"
    );
    assert!(queries.contains(NOTE) && queries.contains("SELECT FROM people takes"));
    server.stop().await;
}

#[actix_web::test]
async fn the_page_of_an_error_says_in_a_word_its_state_and_whether_it_was_handled() {
    let server = filled().await;
    let list = server.get("/api/v1/errors").await.json();
    let key = list["errors"][0]["key"].as_str().expect("a key");
    let page = server
        .get(&format!("/services/shop/errors/{key}"))
        .await
        .text;
    let handled = said(&page, "<dt>Handled</dt><dd>", "</dd>");
    assert!(handled.ends_with(">no</span>"), "{handled}");
    assert!(page.contains("<p>Open.</p>"), "{page}");
    server.stop().await;
}
