//! From a request to what the APM server knows about it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{TestApp, get, request};

/// The article's loop, one round of it.
const LOOP: [(&str, &str); 14] = [
    ("my-za-server", "/sql-write"),
    ("my-za-server", "/sql-read"),
    ("my-za-server", "/sql-group"),
    ("my-eu-server", "/sql-write"),
    ("my-us-server", "/sql-write"),
    ("my-za-server", "/sql-write"),
    ("my-za-server", "/sql-write"),
    ("my-za-server", "/sql-read"),
    ("my-eu-server", "/sql-group"),
    ("my-us-server", "/sql-group"),
    ("my-za-server", "/sql-write"),
    ("my-za-server", "/sql-write"),
    ("my-eu-server", "/sql-group"),
    ("my-za-server", "/sql-group"),
];

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    keys.fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {document:#}"))
}

#[actix_web::test]
async fn the_article_s_loop_is_found_request_by_request_and_statement_by_statement() {
    let app = TestApp::start().await;

    for (host, path) in LOOP {
        let answer = request("GET", &format!("{}{path}", app.url), &[("Host", host)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }

    let transactions = app.discover("processor.event:transaction", 14).await;
    let names = count(transactions.iter().map(|tx| text(tx, "/transaction/name")));
    assert_eq!(
        names,
        BTreeMap::from([
            ("GET /sql-group", 5),
            ("GET /sql-read", 2),
            ("GET /sql-write", 7)
        ])
    );
    for tx in &transactions {
        assert_eq!(text(tx, "/transaction/type"), "request");
        assert_eq!(text(tx, "/transaction/result"), "HTTP 2xx");
        assert_eq!(text(tx, "/event/outcome"), "success");
        assert_eq!(text(tx, "/service/name"), "my-app-01");
        assert_eq!(tx.pointer("/http/response/status_code"), Some(&json!(200)));
    }
    let by_host = app
        .discover("http.request.headers.Host:my-eu-server", 3)
        .await;
    assert_eq!(
        count(by_host.iter().map(|tx| text(tx, "/url/path"))),
        BTreeMap::from([("/sql-group", 2), ("/sql-write", 1)])
    );

    // Seven writes of BEGIN, five INSERTs and COMMIT; one SELECT for each of the others.
    let spans = app.statements(7 * 7 + 7).await;
    let names = count(spans.iter().map(|span| text(span, "/span/name")));
    let expected = [
        ("BEGIN", 7),
        ("COMMIT", 7),
        ("INSERT INTO people", 35),
        ("SELECT FROM people", 7),
    ];
    assert_eq!(names, BTreeMap::from(expected));
    let statements = count(spans.iter().map(|span| text(span, "/span/db/statement")));
    assert_eq!(statements["BEGIN IMMEDIATE"], 7);
    assert_eq!(
        statements["SELECT COUNT(*), `people`.`city` FROM `people` GROUP BY `people`.`city`"],
        5
    );
    assert!(
        statements.keys().all(|sql| !sql.contains("binds")),
        "{statements:#?}"
    );
    for span in &spans {
        assert_eq!(
            (text(span, "/span/type"), text(span, "/span/subtype")),
            ("db", "sqlite")
        );
        assert_eq!(text(span, "/service/target/type"), "sqlite");
        assert!(transactions.iter().any(|tx| {
            text(tx, "/transaction/id") == text(span, "/transaction/id")
                && text(tx, "/trace/id") == text(span, "/trace/id")
        }));
    }

    let services = app
        .api_until("/api/v1/services", |found| found["services"] != json!([]))
        .await;
    assert_eq!(services["services"][0]["name"], "my-app-01");
}

#[actix_web::test]
async fn a_panic_is_found_with_the_handler_s_file_and_line() {
    let app = TestApp::start().await;
    assert_eq!(get(&format!("{}/5xx", app.url)).await.status, 500);

    let errors = app.discover("processor.event:error", 1).await;
    let transactions = app
        .discover(
            "transaction.name:\"GET /5xx\" and processor.event:transaction",
            1,
        )
        .await;

    let exception = &errors[0]["error"]["exception"][0];
    assert_eq!(exception["handled"], false);
    assert!(
        text(exception, "/message").contains("can only add 1 to a number"),
        "{exception:#}"
    );
    let source = include_str!("../../src/routes/fail.rs");
    let line = 1 + source
        .lines()
        .position(|line| line.contains(".expect("))
        .unwrap();
    let frames = exception["stacktrace"].as_array().unwrap();
    let failing = frames
        .iter()
        .find(|frame| frame["library_frame"] != true)
        .unwrap();
    assert!(
        text(failing, "/abs_path").ends_with("src/routes/fail.rs"),
        "{failing:#}"
    );
    assert_eq!(failing["line"]["number"], line, "{failing:#}");
    assert!(
        text(failing, "/line/context").contains(".expect("),
        "{failing:#}"
    );
    assert_eq!(
        text(&errors[0], "/transaction/id"),
        text(&transactions[0], "/transaction/id")
    );
    assert_eq!(
        text(&errors[0], "/trace/id"),
        text(&transactions[0], "/trace/id")
    );
    assert_eq!(text(&transactions[0], "/transaction/result"), "HTTP 5xx");
    assert_eq!(text(&transactions[0], "/event/outcome"), "failure");
}

#[actix_web::test]
async fn trouble_with_the_upstream_is_an_error_of_its_request() {
    let app = TestApp::with(&["--upstream-url", "http://127.0.0.1:1/people"]).await;
    assert_eq!(get(&format!("{}/upstream", app.url)).await.status, 502);

    let errors = app.discover("processor.event:error", 1).await;
    let transactions = app.discover("processor.event:transaction", 1).await;
    let spans = app.statements(1).await;

    let exception = &errors[0]["error"]["exception"][0];
    assert!(text(exception, "/message").contains("http://127.0.0.1:1/people could not be reached"));
    assert_eq!(exception["handled"], true);
    assert_eq!(
        text(&errors[0], "/transaction/id"),
        text(&transactions[0], "/transaction/id")
    );
    assert_eq!(text(&transactions[0], "/event/outcome"), "failure");
    assert_eq!(text(&spans[0], "/event/outcome"), "failure");
}

#[actix_web::test]
async fn the_upstream_span_is_the_parent_of_the_upstream_s_transaction() {
    let app = TestApp::start().await;
    get(&format!("{}/upstream", app.url)).await;

    let transactions = app.discover("processor.event:transaction", 2).await;
    let spans = app.statements(1).await;

    let named = |name: &str| {
        transactions
            .iter()
            .find(|tx| text(tx, "/transaction/name") == name)
            .unwrap()
    };
    let (upstream, people, span) = (named("GET /upstream"), named("GET /people"), &spans[0]);
    assert_eq!(
        (text(span, "/span/type"), text(span, "/span/subtype")),
        ("external", "http")
    );
    assert_eq!(text(span, "/parent/id"), text(upstream, "/transaction/id"));
    assert_eq!(text(people, "/parent/id"), text(span, "/span/id"));
    for event in [upstream, people] {
        assert_eq!(text(event, "/trace/id"), text(span, "/trace/id"));
    }
    assert_eq!(
        span.pointer("/http/response/status_code"),
        Some(&json!(200))
    );
}

#[actix_web::test]
async fn a_request_is_shown_with_a_bar_for_each_statement() {
    let app = TestApp::start().await;
    get(&format!("{}/sql-write", app.url)).await;
    let transactions = app.discover("processor.event:transaction", 1).await;
    app.statements(7).await;

    let html = [("Accept", "text/html")];
    let services = request("GET", &format!("{}/services", app.apm_url), &html).await;
    let trace = request(
        "GET",
        &format!(
            "{}/traces/{}",
            app.apm_url,
            text(&transactions[0], "/trace/id")
        ),
        &html,
    )
    .await;

    assert_eq!(services.status, 200);
    assert!(services.body.contains("my-app-01"));
    assert_eq!(trace.status, 200);
    let rows = text_of(&trace.body);
    assert!(rows.matches("INSERT INTO people").count() >= 5, "{rows}");
    // Each row links to its details, where the statement stands; without JavaScript too.
    let mut statements = String::new();
    for link in trace
        .body
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
    {
        if link.contains("item=") {
            let url = format!("{}{}", app.apm_url, link.replace("&amp;", "&"));
            statements += &text_of(&request("GET", &url, &html).await.body);
        }
    }
    for statement in ["BEGIN IMMEDIATE", "INSERT INTO `people`", "COMMIT"] {
        assert!(
            statements.contains(statement),
            "no {statement} in {statements}"
        );
    }
}

/// The text of a page that a reader sees, with single spaces.
fn text_of(html: &str) -> String {
    let text: String = html
        .split('<')
        .filter_map(|tag| tag.split_once('>'))
        .map(|(_, text)| text)
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
