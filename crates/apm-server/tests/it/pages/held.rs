//! Discover under traffic: the list holds still, a document opens where it stands, metrics are left out.

use serde_json::{Value, json};

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

fn metric(at: i64) -> String {
    json!({"metricset": {"timestamp": at, "samples": {"system.memory.total": {"value": 1}}}})
        .to_string()
}

async fn send(server: &TestServer, numbers: std::ops::Range<u64>, at: i64) {
    let mut sent = vec![metadata("shop"), metric(at)];
    for number in numbers {
        sent.push(transaction(
            number,
            &format!("GET /{number}"),
            at + number as i64,
        ));
    }
    assert_eq!(server.intake(sent.join("\n")).await.status, 202);
}

/// The names of the documents of a page, in their order.
fn names(page: &str) -> Vec<u64> {
    let rows = page.split("title=\"GET /").skip(1);
    let number = |row: &str| row.split('"').next().and_then(|name| name.parse().ok());
    rows.filter_map(number).collect()
}

#[actix_web::test]
async fn a_list_that_is_held_stays_as_it_is_while_documents_arrive() {
    let server = TestServer::start();
    let at = now() - 60_000_000;
    send(&server, 1..11, at).await;
    let page = server.get("/discover").await.text;
    assert_eq!(names(&page), (1..11).rev().collect::<Vec<_>>());
    // The link that opens the fifth document holds the list.
    let link = page
        .split("<tr id=\"d")
        .nth(5)
        .and_then(|row| row.split("href=\"").nth(1));
    let link = link
        .and_then(|rest| rest.split('"').next())
        .expect("a link")
        .replace("&amp;", "&");
    assert!(link.contains("hold=") && link.contains("open="), "{link}");
    let link = link.split('#').next().expect("an address").to_owned();
    send(&server, 11..48, at + 1_000_000).await;
    let held = server.get(&link).await.text;
    assert_eq!(
        names(&held).iter().filter(|name| **name > 10).count(),
        0,
        "{held}"
    );
    assert!(held.contains("37 new documents"), "{held}");
    assert!(held.contains("<tr class=\"detail\">"));
    // A script asks for the document alone, and for the number of new ones.
    let part = |name: &'static str| [("X-Fragment", name)];
    let one = server.send("GET", &link, &part("flyout"), "").await;
    assert_eq!(one.status, 200);
    assert!(
        one.text.starts_with("<table><tbody><tr class=\"detail\">"),
        "{}",
        one.text
    );
    let count = server.send("GET", &link, &part("rows"), "").await.text;
    assert!(
        count.contains("37 new documents") && count.len() < 400,
        "{count}"
    );
    let data = server.get(&format!("/api/v1{link}")).await.json();
    assert_eq!(data["newer"], 38, "with the metricset: {}", data["newer"]);
    assert!(server.get("/api/v1/discover").await.json()["newer"].is_null());
    let bad = server.get("/api/v1/discover?hold=x").await;
    assert_eq!(bad.status, 400, "{}", bad.text);
    server.stop().await;
}

#[actix_web::test]
async fn metrics_are_left_out_of_pages_unless_they_are_asked_for() {
    let server = TestServer::start();
    let at = now() - 1_000_000;
    send(&server, 1..4, at).await;
    let kinds = |answer: &Value| -> Vec<String> {
        let hits = answer["hits"].as_array().expect("hits").iter();
        hits.map(|hit| {
            hit["processor"]["event"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
    };
    for (query, metrics) in [
        ("", true),
        ("?metrics=on", true),
        ("?metrics=off", false),
        ("?metrics=off&q=processor.event:metric", true),
        // There is nothing else.
        ("?metrics=off&q=system.memory.total:*", true),
        ("?metrics=off&q=service.name:shop", false),
    ] {
        let answer = server.get(&format!("/api/v1/discover{query}")).await.json();
        let found = kinds(&answer).iter().any(|kind| kind == "metric");
        assert_eq!(found, metrics, "{query}: {answer}");
    }
    let page = server.get("/discover").await.text;
    assert!(
        page.contains("Metrics are left out.") && page.contains("3 documents"),
        "{page}"
    );
    let page = server.get("/discover?metrics=on").await.text;
    assert!(
        page.contains("4 documents") && page.contains("Leave metrics out"),
        "{page}"
    );
    let live = server.get("/live").await.text;
    assert!(
        live.contains("3 events in the last 5 minutes.") && live.contains("Show metrics, too"),
        "{live}"
    );
    let live = server.get("/live?metrics=on").await.text;
    assert!(live.contains("4 events in the last 5 minutes."), "{live}");
    server.stop().await;
}

#[actix_web::test]
async fn durations_in_queries_have_units() {
    let server = TestServer::start();
    send(&server, 1..4, now() - 1_000_000).await;
    // Each takes 12.345 ms.
    for (query, total) in [
        ("transaction.duration.us%20%3E%2012ms", 3),
        ("transaction.duration.us%20%3E%2013ms", 0),
        ("transaction.duration.us%20%3C%200.5s", 3),
        ("transaction.duration.us:12.345ms", 3),
    ] {
        let found = server
            .get(&format!("/api/v1/discover?q={query}"))
            .await
            .json();
        assert_eq!(found["total"], total, "{query}: {found}");
    }
    for query in [
        "labels.k%20%3E%205ms",
        "transaction.duration.us%20%3E%205MB",
    ] {
        let refused = server.get(&format!("/api/v1/discover?q={query}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
    }
    server.stop().await;
}
