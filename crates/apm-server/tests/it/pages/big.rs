//! Traces of thousands of spans: every row can be reached, and no answer is large.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::{Answer, TestServer};

/// A trace of `spans` spans on five levels: statements of several kinds, calls, failures; one in a hundred is an
/// orphan.
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
        let span = json!({"span": {"id": format!("{:016x}", (number << 32) + i), "trace_id": trace,
            "transaction_id": format!("{number:016x}"), "parent_id": parent,
            "name": name, "type": kind, "subtype": subtype, "timestamp": at + i as i64 * 10,
                "duration": 40.0 - (i % 5) as f64 * 5.0, "outcome": outcome,
            "context": {"db": {"statement": statement}}}});
        out.push_str(&span.to_string());
        out.push('\n');
    }
    out
}

/// Bytes that no page of a trace has more of.
const MOST: usize = 300_000;

/// The value of an attribute of the first element that has it.
fn attribute<'t>(text: &'t str, name: &str) -> &'t str {
    let rest = text
        .split_once(&format!(" {name}=\""))
        .map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next())
        .unwrap_or_else(|| panic!("no {name} in {text:.200}"))
}

fn number(text: &str, name: &str) -> usize {
    attribute(text, name).parse().expect("a number")
}

/// Ids of the rows of an answer.
fn rows(text: &str) -> Vec<&str> {
    let rows = text.split("<tr id=\"r-").skip(1);
    rows.filter_map(|rest| rest.split('"').next()).collect()
}

/// Rows alone, as a script asks for them.
async fn part(server: &TestServer, path: &str) -> Answer {
    server
        .send("GET", path, &[("X-Fragment", "rows")], "")
        .await
}

#[actix_web::test]
async fn every_row_of_a_large_trace_is_in_one_of_its_parts_and_every_part_is_small() {
    let server = TestServer::start();
    let (number_of, spans) = (10u64, 8_000u64);
    let body = recording(number_of, spans, now());
    assert_eq!(server.intake(body).await.status, 202);
    let path = format!("/traces/{number_of:032x}");
    let page = server.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(page.text.len() < MOST, "{} bytes", page.text.len());
    let total = number(&page.text, "data-total");
    assert!(total as u64 > spans, "{total} rows of {spans} spans");
    let mut seen = std::collections::HashSet::new();
    let mut next = 0;
    while next < total {
        let part = part(&server, &format!("{path}?rows={next}")).await;
        assert!(part.text.len() < MOST, "{} bytes", part.text.len());
        assert_eq!(number(&part.text, "data-first"), next);
        assert_eq!(number(&part.text, "data-total"), total);
        let found = rows(&part.text);
        assert!(!found.is_empty(), "no rows from {next} on");
        next += found.len();
        seen.extend(found.into_iter().map(str::to_owned));
    }
    assert_eq!(next, total);
    for i in 1..=spans {
        let id = format!("{:016x}", (number_of << 32) + i);
        assert!(seen.contains(&id), "span {i} of {spans}");
    }
    // Without a script there are links to the other parts.
    assert!(page.text.contains("rows=200#wf"), "a link to the next rows");
    for tab in ["statistics", "sql", "errors", "logs", "metadata", "json"] {
        let page = server.get(&format!("{path}?tab={tab}")).await;
        assert_eq!(page.status, 200, "{tab}");
        assert!(page.text.len() < MOST, "{tab}: {} bytes", page.text.len());
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_search_reaches_all_of_a_large_trace_and_goes_from_one_hit_to_the_next() {
    let server = TestServer::start();
    let body = recording(10, 6_000, now());
    assert_eq!(server.intake(body).await.status, 202);
    let path = format!("/traces/{:032x}", 10);
    let find = async |question: &str| {
        let answer = part(&server, &format!("{path}?{question}")).await;
        let hits = number(&answer.text, "data-hits");
        let hit = number(&answer.text, "data-hit");
        let here = answer.text.split("<tr id=\"r-").find(|row| {
            let class = row.split_once(" class=\"").map_or("", |(_, rest)| rest);
            class.split('"').next().unwrap_or("").contains("here")
        });
        let here = here
            .and_then(|row| row.split('"').next())
            .map(str::to_owned);
        (hits, hit, here, answer.text)
    };
    let id = |i: u64| Some(format!("{:016x}", (10u64 << 32) + i));
    let (hits, hit, here, _) = find("find=SELECT+from").await;
    assert_eq!((hits, hit), (2_000, 1));
    let (_, _, second, _) = find("find=select&hit=2").await;
    assert!(second.is_some() && here.is_some() && second != here);
    let (_, hit, last, _) = find("find=select&hit=2000").await;
    assert!(hit == 2_000 && last.is_some());
    // A span is found by its id, wherever it is.
    let (hits, _, here, _) = find(&format!("find={}", id(5_999).expect("an id"))).await;
    assert_eq!((hits, here), (1, id(5_999)));
    let (failed, _, first, _) = find("find=is:failed").await;
    assert_eq!(failed, 6_000 / 97);
    let (hits, hit, here, text) = find("find=no+such+name").await;
    assert_eq!((hits, hit, here), (0, 0, None));
    assert!(!rows(&text).is_empty(), "rows are shown all the same");
    let (hits, ..) = find("find=%3E+34+ms").await;
    assert_eq!(
        hits,
        1_200 * 2 + 1,
        "those of 35 and 40 ms, and the request"
    );
    // The next failure after a row: the first one again after the last.
    let near = |text: &str, id: &str| {
        let row = text.split(&format!("<tr id=\"r-{id}\"")).nth(1);
        attribute(row.expect("the row"), "data-line").to_owned()
    };
    let first = first.expect("a failure");
    let (.., text) = find("find=is:failed").await;
    let (_, hit, next, _) = find(&format!("find=is:failed&near={}", near(&text, &first))).await;
    assert!(hit == 2 && next.as_ref() != Some(&first));
    let (_, _, last, text) = find(&format!("find=is:failed&hit={failed}")).await;
    let line = near(&text, &last.expect("a failure"));
    let (_, hit, ..) = find(&format!("find=is:failed&near={line}")).await;
    assert_eq!(hit, 1);
    server.stop().await;
}

#[actix_web::test]
async fn what_is_folded_is_unfolded_by_its_name_and_a_selected_row_is_revealed() {
    let server = TestServer::start();
    let at = now();
    let mut body = format!(
        "{}\n{}\n",
        metadata("loop"),
        transaction(7, "GET /loop", at)
    );
    for i in 1..=3_000 {
        let span = json!({"span": {"id": format!("{:016x}", 0x7_0000 + i), "trace_id": format!("{:032x}", 7),
            "transaction_id": format!("{:016x}", 7),
            "parent_id": format!("{:016x}", 7), "name": "SELECT FROM people", "type": "db", "subtype": "sqlite",
                "timestamp": at + i, "duration": 0.001}});
        body.push_str(&format!("{span}\n"));
    }
    assert_eq!(server.intake(body).await.status, 202);
    let path = format!("/traces/{:032x}", 7);
    let page = server.get(&path).await;
    assert!(page.text.len() < 100_000, "{} bytes", page.text.len());
    assert!(page.text.contains("repeated 3000×"));
    let few = number(&page.text, "data-total");
    assert!(few < 10, "{few} rows");
    let fold = page
        .text
        .split("data-line=\"f")
        .nth(1)
        .expect("a folded row");
    let fold = format!("f{}", fold.split('"').next().expect("its name"));
    let open = server.get(&format!("{path}?turn={fold}")).await;
    assert_eq!(number(&open.text, "data-total"), few + 3_000);
    assert!(open.text.len() < MOST, "{} bytes", open.text.len());
    let id = format!("{:016x}", 0x7_0000 + 1_500);
    let selected = server.get(&format!("{path}?item={id}")).await;
    assert!(
        selected.text.contains(&format!("<tr id=\"r-{id}\"")),
        "it is there"
    );
    assert_eq!(number(&selected.text, "data-total"), few + 3_000);
    server.stop().await;
}

#[actix_web::test]
async fn the_api_gives_a_large_trace_in_parts_that_make_a_whole() {
    let server = TestServer::start();
    let body = recording(10, 3_000, now());
    assert_eq!(server.intake(body).await.status, 202);
    let path = format!("/api/v1/traces/{:032x}", 10);
    let whole = server.get(&path).await.json();
    assert_eq!(whole["total"], 3_001);
    assert!(whole["next"].is_null());
    let (mut items, mut waited) = (Vec::new(), 0);
    let mut next = Some(0);
    while let Some(first) = next {
        let part = server
            .get(&format!("{path}?first={first}&size=1000"))
            .await
            .json();
        items.extend(part["items"].as_array().expect("items").clone());
        let path = part["critical_path"].as_array().expect("a path");
        let length =
            |of: &serde_json::Value| of["to"].as_i64().unwrap() - of["from"].as_i64().unwrap();
        waited += path.iter().map(length).sum::<i64>();
        next = part["next"].as_u64();
    }
    assert_eq!(items.len(), 3_001);
    assert_eq!(whole["items"].as_array().expect("items"), &items);
    assert_eq!(waited, 60_000_000, "the path adds up to the request");
    let orphan = items
        .iter()
        .find(|item| item["is_orphan"] == true)
        .expect("an orphan");
    assert!(
        orphan["parent_id"]
            .as_str()
            .expect("the id that it names")
            .contains("dead")
    );
    server.stop().await;
}

/// Memory of this process and the most that it had, bytes.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        number.expect("a number") * 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// A measurement, not for every run:
/// `cargo test --release -p pocket-apm-server --test it -- --ignored --nocapture four_hundred`.
#[actix_web::test]
#[ignore = "takes minutes without optimisation; its bounds are for a release build"]
async fn four_hundred_thousand_spans_under_one_id_are_used_within_a_second_and_256_mib() {
    const SPANS: u64 = 400_000;
    let server = TestServer::start();
    let all = recording(10, SPANS, now());
    {
        let (metadata, events) = all.split_once('\n').expect("lines");
        let lines: Vec<&str> = events.lines().collect();
        for some in lines.chunks(2_000) {
            let body = format!("{metadata}\n{}\n", some.join("\n"));
            assert_eq!(server.intake(body).await.status, 202);
        }
    }
    drop(all);
    let path = format!("/traces/{:032x}", 10);
    let _ = server.get("/services").await;
    let (idle, before) = memory();
    let mut times: Vec<(String, Duration, usize)> = Vec::new();
    for (name, question) in [
        ("the page, first", ""),
        ("the page, again", ""),
        ("rows in the middle", "?rows=200000"),
        ("a search", "?find=upstream"),
        ("its last hit", "?find=is:failed&hit=4000"),
        ("statistics", "?tab=statistics"),
        ("SQL", "?tab=sql"),
    ] {
        let start = Instant::now();
        let page = server.get(&format!("{path}{question}")).await;
        assert_eq!(page.status, 200, "{name}");
        times.push((name.to_owned(), start.elapsed(), page.text.len()));
    }
    let (now, most) = memory();
    let mib = |bytes: u64| bytes >> 20;
    for (name, took, bytes) in &times {
        eprintln!("{:>5} ms {bytes:>7} bytes  {name}", took.as_millis());
    }
    eprintln!(
        "{} MiB before, {} MiB after; at most {} MiB, {} MiB while it was stored",
        mib(idle),
        mib(now),
        mib(most),
        mib(before)
    );
    for (name, took, bytes) in &times {
        assert!(*bytes < MOST, "{name}: {bytes} bytes");
        assert!(*took < Duration::from_secs(1), "{name}: {took:?}");
    }
    assert!(now < idle + (256 << 20), "{} MiB more", mib(now - idle));
    assert!(
        most <= before.max(idle + (256 << 20)),
        "{} MiB at most",
        mib(most)
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_flame_graph_of_a_large_trace_is_small_and_every_bar_leads_further() {
    let server = TestServer::start();
    let at = now() - 5_000_000;
    // Of a request that is not much longer than its spans, so that these can be told apart.
    let recorded = recording(11, 5_000, at).replace("\"duration\":60000,", "\"duration\":95,");
    let answer = server.intake(recorded).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = format!("/traces/{:032x}", 11);
    let flame = server.get(&format!("{path}?tab=flame")).await.text;
    assert!(flame.len() <= MOST, "{} bytes", flame.len());
    let bars = flame.matches("<a href=\"?tab=flame&amp;item=").count();
    assert!(bars > 100, "{bars} bars");
    assert_eq!(
        flame.matches("tabindex=\"0\"").count() - flame.matches("<pre").count(),
        1,
        "one stop"
    );
    // A bar fills the width with what is below it, and its callers lead back.
    let id = format!("{:016x}", (11u64 << 32) + 1);
    let below = server
        .get(&format!("{path}?tab=flame&item={id}"))
        .await
        .text;
    assert!(
        below.contains("Whole trace") && below.contains("aria-label=\"Callers\""),
        "{below}"
    );
    assert!(below.contains("Flame graph of 5 items"), "{below}");
    let timeline = server.get(&path).await.text;
    assert!(timeline.len() <= MOST, "{} bytes", timeline.len());
    assert!(timeline.contains("class=\"minimap\""));
    let slices = timeline.matches("class=\"slice\"").count();
    assert!(slices >= 1, "{slices}");
    server.stop().await;
}
