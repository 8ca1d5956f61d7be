//! Findings from telemetry made by hand: the article's service, one without faults, and what ends a finding.

mod bursts;
mod callers;
mod false_findings;
mod gate;
mod loose;
mod plans;
mod rules;
mod told;

use std::path::Path;
use std::time::{Duration, Instant};

use apm_server::analytics::Scope;
use apm_server::insight::finding::{self, Finding, Which};
use apm_server::insight::{Engine, Options};
use apm_store::event::{Batch, Event, Outcome, Span};
use apm_store::{Store, StoreError, StoreOptions};

use crate::support::events::{batch, now, span, transaction};

const DEADLINE: Duration = Duration::from_secs(20);
const GROUP: &str = "SELECT COUNT(*), `people`.`city` FROM `people` GROUP BY `people`.`city`";
const INSERT: &str = "INSERT INTO `people` (`name`, `age`, `surname`, `city`) VALUES (?, ?, ?, ?)";

/// A request with statements, each with its duration, one after the other.
fn request(batch: &mut Batch, number: u64, name: &str, at: i64, statements: &[(&str, i64)]) {
    let mut tx = transaction(batch, number, name);
    tx.timestamp = at;
    tx.duration = statements
        .iter()
        .map(|(_, duration)| duration + 20)
        .sum::<i64>()
        + 100;
    let mut start = at + 50;
    for (i, (statement, duration)) in statements.iter().enumerate() {
        let mut span: Span = span(batch, number, statement);
        span.id = batch.keep_id(&format!("{:016x}", (number << 16) | i as u64 | 1 << 62));
        span.timestamp = start;
        span.duration = *duration;
        span.outcome = Outcome::Success;
        span.rest = batch
            .keep(&serde_json::json!({"context": {"db": {"statement": statement}}}).to_string());
        start += duration + 20;
        batch.events.push(Event::Span(span));
    }
    batch.events.push(Event::Transaction(tx));
}

fn options(file: Option<&Path>) -> Options {
    let mut options = Options::default();
    options.look = Duration::from_millis(20);
    options.judge = Duration::from_millis(50);
    options.files = file
        .map(|file| ("my-app-01".to_owned(), file.to_owned()))
        .into_iter()
        .collect();
    options
}

fn findings(store: &Store, ended: bool) -> Vec<Finding> {
    let which = Which {
        ended,
        ..Which::default()
    };
    store
        .read(|conn| Ok::<_, StoreError>(finding::list(conn, &Scope::default(), which)?))
        .expect("a list")
}

fn until(store: &Store, ended: bool, done: impl Fn(&[Finding]) -> bool) -> Vec<Finding> {
    let start = Instant::now();
    loop {
        let found = findings(store, ended);
        if done(&found) {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "still {found:#?}");
        // A reader that never pauses takes the connections that the engine needs.
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn finding<'a>(found: &'a [Finding], kind: &str) -> Option<&'a Finding> {
    found.iter().find(|finding| finding.kind == kind)
}

/// `rounds` of the article's loop that end `ago` µs before now: writes of five rows, and counts that take as long as
/// the table.
fn article(rounds: u64, ago: i64) -> Batch {
    let mut batch = batch("my-app-01");
    let step = 100_000;
    let start = now() - ago - step * rounds.cast_signed();
    for round in 0..rounds {
        let at = start + step * round.cast_signed();
        let rows = 5 * round.cast_signed();
        let jitter = 20 * (round.cast_signed() % 3);
        let mut write = vec![("BEGIN IMMEDIATE", 6)];
        write.extend([(INSERT, 40); 5]);
        write.push(("COMMIT", 900));
        request(&mut batch, 2 * round + 1, "sql-write", at, &write);
        // 50 µs per row.
        let group = 300 + jitter + 50 * rows;
        request(
            &mut batch,
            2 * round + 2,
            "sql-group",
            at + 50_000,
            &[(GROUP, group)],
        );
    }
    batch
}

fn people(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("people.db");
    let conn = rusqlite::Connection::open(&path).expect("a database");
    conn.execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, surname TEXT, city TEXT)")
        .expect("a table");
    path
}

#[test]
fn the_articles_service_is_told_what_is_wrong_unasked_and_when_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let file = people(dir.path());
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
    store
        .submit(article(300, 130_000_000))
        .unwrap()
        .wait()
        .unwrap();
    let engine = Engine::start(store.clone(), options(Some(&file))).unwrap();
    let found = until(&store, false, |found| {
        ["growth", "repeat", "commit"]
            .iter()
            .all(|kind| finding(found, kind).is_some())
    });

    let growth = finding(&found, "growth").unwrap();
    assert!(
        growth
            .says
            .title
            .starts_with("GET /sql-group gets slower as people grows: "),
        "{growth:#?}"
    );
    assert!(growth.says.figures["r_squared"].as_f64().unwrap() >= 0.9);
    let slope = growth.says.figures["micros_per_thousand_rows"]
        .as_f64()
        .unwrap();
    assert!((slope / 50_000.0 - 1.0).abs() < 0.05, "{slope}");
    for words in ["every row of people", "temporary B-tree"] {
        assert!(growth.says.cause.contains(words), "{growth:#?}");
    }
    for words in [
        "CREATE INDEX people_city ON people (city)",
        "covering scan",
        "kept by triggers",
        "flat",
    ] {
        assert!(growth.says.remedy.contains(words), "{growth:#?}");
    }
    let repeat = finding(&found, "repeat").unwrap();
    assert!(
        repeat
            .says
            .title
            .starts_with("GET /sql-write runs INSERT INTO people 5× per request"),
        "{repeat:#?}"
    );
    assert!(repeat.says.evidence.trace.is_some());
    let commit = finding(&found, "commit").unwrap();
    assert!(commit.says.title.contains("GET /sql-write"), "{commit:#?}");
    assert_eq!(found.len(), 3, "{found:#?}");

    // Later the same route reads kept counts.
    let mut mended = batch("my-app-01");
    for number in 0..60 {
        let at = now() - 30_000_000 + 100_000 * number;
        let number = 10_000 + number.unsigned_abs();
        request(
            &mut mended,
            number,
            "sql-group",
            at,
            &[("SELECT `num`, `city` FROM `city_counts`", 60)],
        );
    }
    store.submit(mended).unwrap().wait().unwrap();
    let found = until(&store, true, |found| {
        finding(found, "growth").is_some_and(|growth| growth.ended.is_some())
    });
    assert!(finding(&found, "repeat").unwrap().ended.is_none());
    drop(engine);
}

#[test]
fn a_healthy_service_has_no_finding() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
    let mut batch = batch("healthy");
    let start = now() - 200_000_000;
    for number in 0..400_u64 {
        let at = start + 400_000 * number.cast_signed();
        let wobble = (number * 7_919 % 13).cast_signed() * 9;
        request(
            &mut batch,
            number,
            ["people", "visits", "orders"][(number % 3) as usize],
            at,
            &[
                ("SELECT name, city FROM people WHERE id = ?", 60 + wobble),
                (
                    "SELECT at FROM visit WHERE person_id = ? ORDER BY at LIMIT 20",
                    90 + wobble,
                ),
                ("BEGIN", 5),
                (
                    "INSERT INTO visit (person_id, at) VALUES (?, ?)",
                    70 + wobble,
                ),
                ("UPDATE person SET seen = ? WHERE id = ?", 65 + wobble),
                ("COMMIT", 80 + wobble),
            ],
        );
    }
    store.submit(batch).unwrap().wait().unwrap();
    let engine = Engine::start(store.clone(), options(None)).unwrap();
    // Judged for certain once a statement that deserves a finding has one.
    let mut fault = crate::support::events::batch("healthy");
    request(
        &mut fault,
        9_000,
        "fault",
        now(),
        &[("DELETE FROM visit", 50)],
    );
    store.submit(fault).unwrap().wait().unwrap();
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].kind, "no_where");
    drop(engine);
}

#[test]
fn values_in_the_text_and_queries_in_loops_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
    let mut batch = batch("shop");
    for number in 0..20_u64 {
        let at = now() - 60_000_000 + 1_000_000 * number.cast_signed();
        let texts: Vec<String> = (0..6)
            .map(|i| format!("SELECT name FROM product WHERE id = {}", number * 10 + i))
            .collect();
        let mut statements = vec![("SELECT id FROM basket WHERE user = ?", 50)];
        statements.extend(texts.iter().map(|text| (text.as_str(), 40)));
        statements.extend([("SELECT value FROM setting WHERE name = 'tax'", 30); 6]);
        request(&mut batch, number, "basket", at, &statements);
    }
    store.submit(batch).unwrap().wait().unwrap();
    let engine = Engine::start(store.clone(), options(None)).unwrap();
    let found = until(&store, false, |found| found.len() >= 3);
    let title = |kind: &str, table: &str| {
        let hit = found
            .iter()
            .find(|f| f.kind == kind && f.says.title.contains(table));
        hit.unwrap_or_else(|| panic!("no {kind} of {table} in {found:#?}"))
            .says
            .title
            .clone()
    };
    assert!(title("repeat", "product").contains("N+1"));
    assert!(title("repeat", "setting").contains("same values"));
    assert!(title("string_built", "product").contains("values in the text"));
    assert_eq!(found.len(), 3, "{found:#?}");
    drop(engine);
}
