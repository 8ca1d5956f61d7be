//! Events whose time cannot be: they are found, counted and told, and do not spoil the trace that they belong to.

use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

/// Times that agents with a wrong clock or a wrong unit send for `at`, µs.
fn wrong(at: i64) -> [(&'static str, i64); 7] {
    [
        ("the start of time", 0),
        ("seconds", at / 1_000_000),
        ("milliseconds", at / 1_000),
        ("nanoseconds", at.saturating_mul(1_000)),
        ("a negative number", -at),
        ("the largest number", i64::MAX),
        ("a clock that is years ahead", at + 3 * 365 * 86_400_000_000),
    ]
}

fn span(number: u64, of: u64, at: i64) -> String {
    let span = json!({"span": {
        "id": format!("{number:016x}"), "trace_id": format!("{of:032x}"), "transaction_id": format!("{of:016x}"),
        "parent_id": format!("{of:016x}"), "name": "a span", "type": "app", "timestamp": at, "duration": 2}});
    span.to_string()
}

#[actix_web::test]
async fn what_has_a_time_that_cannot_be_is_found_as_of_its_arrival_and_keeps_what_was_sent() {
    let server = TestServer::start();
    let before = now();
    let all = wrong(before);
    let mut body = metadata("clocks") + "\n";
    for (number, (_, at)) in (1..).zip(&all) {
        body += &transaction(number, "GET /late", *at);
        body += "\n";
    }
    body +=
        &json!({"error": {"id": "e", "timestamp": 0, "log": {"message": "at zero"}}}).to_string();
    body += "\n";
    body += &json!({"log": {"@timestamp": 0, "message": "a line at zero"}}).to_string();
    body += "\n";
    body +=
        &json!({"metricset": {"timestamp": 0, "samples": {"a.gauge": {"value": 1}}}}).to_string();
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let count = all.len() as u64 + 3;
    // The usual range of a page, which no such time would be in.
    let path = "/api/v1/discover?from=now-15m&size=100";
    let found = server.get(path).await.json();
    assert_eq!(found["total"], count, "{found}");
    let hits = found["hits"].as_array().expect("hits");
    for (number, (what, at)) in (1u64..).zip(&all) {
        let id = format!("{number:016x}");
        let hit = hits
            .iter()
            .find(|hit| hit["transaction"]["id"] == id.as_str());
        let timestamp = &hit.expect(what)["timestamp"];
        let stored = timestamp["us"].as_i64().expect(what);
        assert!((before..=now()).contains(&stored), "{what}: {stored}");
        assert_eq!(timestamp["sent"].as_i64(), Some(*at), "{what}");
    }
    assert!(hits.iter().all(|hit| hit["timestamp"]["sent"].is_i64()));
    let metrics = server.get("/metrics").await.text;
    assert!(
        metrics.contains(&format!("pocket_apm_events_wrong_time_total {count}\n")),
        "{metrics}"
    );
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["store"]["wrong_times"], count);
    let settings = server.get("/settings").await.text;
    assert!(settings.contains("Wrong clocks") && settings.contains(&format!(">{count}<")));
    server.stop().await;
}

#[actix_web::test]
async fn a_span_that_says_only_how_long_after_its_transaction_it_began_is_found_too() {
    let server = TestServer::start();
    let before = now();
    let starts = [0.0, 5.0, 1e15, -1e15, 1e300, -1e300];
    let mut body = metadata("clocks");
    for (number, start) in (1..).zip(starts) {
        let span = json!({"span": {"id": format!("{number:016x}"), "trace_id": "1", "parent_id": "1", "name": "a span",
            "type": "app", "start": start, "duration": 2}});
        body += &format!("\n{span}");
    }
    assert_eq!(server.intake(body).await.status, 202);
    let path = "/api/v1/discover?from=now-15m&to=now%2B1m&q=processor.event:span";
    let found = server.get(path).await.json();
    assert_eq!(found["total"], 6, "{found}");
    for hit in found["hits"].as_array().expect("hits") {
        let stored = hit["timestamp"]["us"].as_i64().expect("a time");
        assert!((before..=now() + 5_000).contains(&stored), "{hit}");
    }
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("pocket_apm_events_wrong_time_total 4\n"));
    server.stop().await;
}

#[actix_web::test]
async fn times_that_can_be_stay_as_they_were_sent() {
    let server = TestServer::start();
    let at = now();
    // Recordings are of other years, and a clock may be an hour ahead.
    let times = [at, at - 3 * 365 * 86_400_000_000, at + 3_600_000_000];
    let mut body = metadata("clocks") + "\n";
    for (number, at) in (1..).zip(times) {
        body += &transaction(number, "GET /early", at);
        body += "\n";
    }
    assert_eq!(server.intake(body).await.status, 202);
    for (number, at) in (1..).zip(times) {
        let trace = server
            .get(&format!("/api/v1/traces/{number:032x}"))
            .await
            .json();
        assert_eq!(trace["start"].as_i64(), Some(at));
    }
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("pocket_apm_events_wrong_time_total 0\n"));
    server.stop().await;
}

#[actix_web::test]
async fn one_span_with_a_wrong_clock_is_listed_apart_and_its_trace_keeps_its_length() {
    let server = TestServer::start();
    let at = now();
    for (number, (what, wrong)) in (100..).zip(wrong(at)) {
        let body = [
            metadata("clocks"),
            transaction(number, "GET /one", at),
            span(number + 1_000, number, at + 1_000),
            span(number + 2_000, number, wrong),
        ];
        assert_eq!(server.intake(body.join("\n")).await.status, 202);
        let path = format!("/traces/{number:032x}");
        let trace = server.get(&format!("/api/v1{path}")).await.json();
        assert_eq!(trace["duration"], 12_345, "{what}: {trace}");
        assert_eq!(
            (&trace["start"], &trace["far"]),
            (&json!(at), &json!(1)),
            "{what}"
        );
        let waited: i64 = trace["critical_path"]
            .as_array()
            .expect("a path")
            .iter()
            .map(|of| of["to"].as_i64().unwrap() - of["from"].as_i64().unwrap())
            .sum();
        assert_eq!(waited, 12_345, "{what}");
        let page = server.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains("more than a day from the rest"),
            "{what}"
        );
        assert!(
            !page.text.contains("NaN") && page.text.contains("12.3\u{202f}ms"),
            "{what}"
        );
        let details = server
            .get(&format!("{path}?item={:016x}", number + 2_000))
            .await;
        assert!(details.text.contains("wrong: it was sent with"), "{what}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_trace_whose_only_clock_is_wrong_keeps_its_shape() {
    let server = TestServer::start();
    let body = [
        metadata("clocks"),
        transaction(5, "GET /1970", 40_000_000),
        span(6, 5, 40_001_000),
        span(7, 5, 40_006_000),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
    let trace = server
        .get(&format!("/api/v1/traces/{:032x}", 5))
        .await
        .json();
    let starts: Vec<&serde_json::Value> = trace["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["at"])
        .collect();
    assert_eq!(starts, [0, 1_000, 6_000]);
    assert_eq!(
        (&trace["duration"], &trace["far"]),
        (&json!(12_345), &json!(0))
    );
    // It comes back as it was sent.
    let export = server.get(&format!("/traces/{:032x}/export", 5)).await.text;
    assert!(export.contains("\"timestamp\":40001000"), "{export}");
    server.stop().await;
}
