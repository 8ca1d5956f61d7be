//! The trace explorer: traces of which any event matches, by duration, over time, and two of them side by side.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::server::TestServer;

const MS: i64 = 1_000;

/// The lines of one trace: an entry of `web` that calls `shop`, which runs some statements.
fn trace(number: u64, duration: i64, statements: usize) -> String {
    let trace = format!("{number:032x}");
    let now = apm_time::now() - 60_000_000;
    let id = |part: u64| format!("{:016x}", number * 1_000 + part);
    let mut lines = String::new();
    let mut line = |value: Value| writeln!(lines, "{value}").expect("a string");
    line(json!({"metadata": {"service": {"name": "web", "agent": {"name": "a", "version": "1"}}}}));
    line(json!({"transaction": {
        "id": id(1), "trace_id": trace, "name": format!("GET /{number}"), "type": "request", "timestamp": now,
        "duration": duration as f64 / 1e3, "span_count": {"started": 0}, "outcome": "success",
        "context": {"tags": {"tenant": format!("t{}", number % 2)}},
    }}));
    line(json!({"transaction": {
        "id": id(2), "trace_id": trace, "parent_id": id(1), "name": "POST /pay", "type": "request",
        "timestamp": now + 100, "duration": duration as f64 / 2e3, "span_count": {"started": statements},
        "outcome": "failure", "context": {"service": {"name": "shop"}},
    }}));
    for statement in 0..statements as u64 {
        line(json!({"span": {
            "id": id(10 + statement), "trace_id": trace, "transaction_id": id(2), "parent_id": id(2),
            "name": "SELECT FROM cart", "type": "db", "subtype": "sqlite", "timestamp": now + 200,
            "duration": 2.0, "context": {"service": {"name": "shop"}},
        }}));
    }
    lines
}

async fn filled() -> TestServer {
    let server = TestServer::start();
    for (number, duration, statements) in [(1, 10 * MS, 1), (2, 900 * MS, 40), (3, 30 * MS, 0)] {
        let sent = server.intake(trace(number, duration, statements)).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
    }
    server
}

async fn asked(server: &TestServer, query: &str) -> Value {
    let answer = server
        .get(&format!("/api/v1/traces?from=now-1h&{query}"))
        .await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

/// The names of the entries that are listed.
fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["traces"].as_array().expect("rows").iter();
    rows.map(|row| row["name"].as_str().expect("a name"))
        .collect()
}

#[actix_web::test]
async fn a_search_finds_traces_by_any_of_their_events_and_lists_their_entries() {
    let server = filled().await;
    for (query, want, total) in [
        ("service=shop", &["GET /3", "GET /2", "GET /1"][..], 3),
        ("q=span.name:SELECT*", &["GET /2", "GET /1"], 2),
        (
            "q=event.outcome:failure",
            &["GET /3", "GET /2", "GET /1"],
            3,
        ),
        ("q=labels.tenant:t0", &["GET /2"], 1),
        ("q=span.name:SELECT*&match=entry", &[], 0),
        ("service=shop&match=entry", &[], 0),
        (
            "service=shop&sort=-duration",
            &["GET /2", "GET /3", "GET /1"],
            3,
        ),
        ("service=shop&min_us=20000&max_us=100000", &["GET /3"], 1),
        ("sort=duration", &["GET /1", "GET /3", "GET /2"], 3),
        ("sort=-duration&size=1", &["GET /2"], 3),
        ("max_us=20000", &["GET /1"], 1),
        ("q=nothing:here", &[], 0),
    ] {
        let found = asked(&server, query).await;
        let mut met = names(&found);
        let mut want = want.to_vec();
        if !query.contains("sort") {
            // All began at about the same time.
            met.sort_unstable();
            want.sort_unstable();
        }
        assert_eq!(met, want, "{query}");
        assert_eq!(
            (&found["total"], &found["complete"]),
            (&json!(total), &json!(true)),
            "{query}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn pages_of_traces_go_on_without_showing_one_twice() {
    let server = filled().await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..4 {
        let found = asked(&server, &format!("service=shop&size=1&after={after}")).await;
        seen.extend(names(&found).iter().map(ToString::to_string));
        match found["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, ["GET /1", "GET /2", "GET /3"]);
    server.stop().await;
}

#[actix_web::test]
async fn the_chart_the_list_and_the_file_count_the_same_traces() {
    let server = filled().await;
    for query in ["", "service=shop", "q=labels.tenant:t1", "min_us=20000"] {
        let found = asked(&server, query).await;
        let cells = found["density"]["cells"].as_array().expect("cells");
        let sum: u64 = cells
            .iter()
            .map(|cell| cell["count"].as_u64().expect("a number"))
            .sum();
        assert_eq!(found["density"]["count"], sum);
        let all = if query.starts_with('q') { 2 } else { 3 };
        assert_eq!(sum, all, "the chart shows all durations: {query}");
        let path = format!("/api/v1/traces?from=now-1h&format=csv&{query}");
        let file = server.get(&format!("{path}&table=density")).await.text;
        assert_eq!(file.lines().count(), cells.len() + 1, "{file}");
        let listed = server.get(&path).await.text;
        assert_eq!(listed.lines().count(), names(&found).len() + 1, "{listed}");
        let page = server
            .get(&format!("/traces?from=now-1h&{query}"))
            .await
            .text;
        for name in names(&found) {
            assert!(page.contains(name), "{query} {name}");
        }
        assert!(page.contains(&format!("{sum} entries")), "{query}: {page}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn durations_are_typed_with_their_unit_and_shown_with_it() {
    let server = filled().await;
    for (query, want) in [
        ("min_us=20ms", &["GET /3", "GET /2"][..]),
        ("min_us=0.02+s&max_us=0,5s", &["GET /3"]),
        ("max_us=20000", &["GET /1"]),
    ] {
        let found = asked(&server, query).await;
        let mut found = names(&found);
        found.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(found, want, "{query}");
    }
    let page = server.get("/traces?min_us=20000&max_us=1.2s").await.text;
    assert!(page.contains("value=\"20ms\"") && page.contains("value=\"1.2s\""));
    let refused = server.get("/api/v1/traces?min_us=20MB").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("5ms"), "{}", refused.text);
    server.stop().await;
}

#[actix_web::test]
async fn entries_are_grouped_by_any_field() {
    let server = filled().await;
    let found = asked(&server, "group=labels.tenant").await;
    assert_eq!(found["names"]["field"], "labels.tenant");
    let groups = found["names"]["groups"].as_array().expect("groups");
    let counts: Vec<_> = groups
        .iter()
        .map(|group| (&group["value"], &group["count"]))
        .collect();
    assert_eq!(
        counts,
        [(&json!("t1"), &json!(2)), (&json!("t0"), &json!(1))]
    );
    let of_any = asked(&server, "q=span.name:SELECT*&group=labels.tenant").await;
    let groups = &of_any["names"]["groups"];
    assert_eq!(groups.as_array().map(Vec::len), Some(2), "{groups}");
    assert_eq!(of_any["names"]["complete"], true);
    let page = server
        .get("/traces?from=now-1h&group=labels.tenant")
        .await
        .text;
    assert!(page.contains("q=labels.tenant:%20%22t0%22"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn two_traces_are_compared_on_the_page_in_json_and_in_the_file() {
    let server = filled().await;
    let path = format!("/traces/{:032x}/compare/{:032x}", 1, 2);
    let found = server.get(&format!("/api/v1{path}")).await.json();
    let rows = found["rows"].as_array().expect("rows");
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {}",
                row["name"].as_str().expect("a name"),
                row["became"].as_str().expect("a word")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "GET /1 gone",
            "POST /pay gone",
            "SELECT FROM cart gone",
            "GET /2 new",
            "POST /pay new",
            "SELECT FROM cart new"
        ]
    );
    let page = server.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("The second trace took 890"),
        "{}",
        page.text
    );
    let file = server.get(&format!("/api/v1{path}?format=csv")).await.text;
    assert_eq!(file.lines().count(), rows.len() + 1);
    assert!(file.contains("SELECT FROM cart"), "{file}");
    let same = format!("/api/v1/traces/{:032x}/compare/{:032x}", 2, 2);
    let same = server.get(&same).await.json();
    let rows = same["rows"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["became"] == "same"), "{same}");
    assert_eq!(rows[2]["first"]["count"], 40, "calls of a loop are one row");
    let unknown = format!("/traces/{:032x}/compare/{:032x}", 1, 9);
    assert_eq!(server.get(&unknown).await.status, 404);
    assert_eq!(server.get(&format!("/api/v1{unknown}")).await.status, 404);
    let choosing = server
        .get(&format!("/traces?from=now-1h&compare={:032x}", 1))
        .await
        .text;
    assert!(choosing.contains("Choose the trace that"), "{choosing}");
    server.stop().await;
}
