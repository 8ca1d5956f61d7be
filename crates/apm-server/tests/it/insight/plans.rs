//! Findings by the plans and the counts that an agent sent: the server knows no file of the service.

use std::sync::Arc;

use apm_server::analytics::Scope;
use apm_server::insight::finding::Finding;
use apm_server::insight::severity::Severity;
use apm_server::insight::{Engine, marker};
use apm_store::event::{Batch, Cost, Event};
use apm_store::{Store, StoreError, StoreOptions};
use sql_lexer::Fingerprint;

use super::{finding, options, request, until};
use crate::support::events::{batch, metricset, now, resource};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a new database")
}

/// A request with one statement, and what SQLite counted for it.
fn call(batch: &mut Batch, number: u64, at: i64, (sql, duration): (&str, i64), cost: Cost) {
    request(batch, number, "shop", at, &[(sql, duration)]);
    for event in batch.events.iter_mut().rev().take(2) {
        if let Event::Span(span) = event {
            span.cost = Some(cost);
        }
    }
}

/// A plan as the agent sends it.
pub(super) fn plan(batch: &mut Batch, at: i64, sql: &str, plan: &str) {
    let mut set = metricset(batch, 3.0);
    set.timestamp = at;
    let name = batch.keep("sqlite.plan.schema_version");
    batch.samples.last_mut().expect("its sample").name = name;
    let fingerprint = Fingerprint::of_subtype(sql, "sqlite").hash;
    let labels = serde_json::json!({
        "sqlite_plan": plan,
        "sqlite_plan_version": "1",
        "sqlite_statement": format!("{fingerprint:016x}"),
        "sqlite_database": "people.db",
    });
    set.rest = batch.keep(&serde_json::json!({"samples": {}, "tags": labels}).to_string());
    batch.events.push(Event::Metricset(set));
}

/// The rows of a table, as a service counts them.
fn rows(batch: &mut Batch, at: i64, table: &str, rows: f64) {
    let mut gauge = metricset(batch, rows);
    gauge.timestamp = at;
    let name = batch.keep(&format!("{table}.rows"));
    batch.samples.last_mut().expect("its sample").name = name;
    batch.events.push(Event::Metricset(gauge));
}

/// The counts of a call that scans.
fn scan(steps: i64, scan_steps: i64, rows_returned: i64) -> Cost {
    Cost {
        steps,
        scan_steps,
        rows_returned,
        ..Cost::default()
    }
}

#[test]
fn a_slow_scan_is_told_by_the_plan_and_the_counts_of_the_agent() {
    const FEW: &str = "SELECT p.name FROM people p WHERE p.surname = ?";
    const ALL: &str = "SELECT id FROM offer";
    const SMALL: &str = "SELECT id FROM color WHERE name = ?";
    const UNPLANNED: &str = "SELECT id FROM basket WHERE user = ?";
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let mut events = batch("shop");
    for number in 0..30_u64 {
        let at = now() - MINUTE + SECOND * number.cast_signed();
        for (sql, place, cost) in [
            (FEW, 0, scan(40_000, 9_999, 3)),
            (ALL, 1, scan(40_000, 9_999, 10_000)),
            (SMALL, 2, scan(400, 99, 1)),
            (UNPLANNED, 3, scan(40_000, 9_999, 3)),
        ] {
            call(&mut events, 4 * number + place, at, (sql, 8_000), cost);
        }
    }
    for (sql, step) in [(FEW, "SCAN p"), (ALL, "SCAN offer"), (SMALL, "SCAN color")] {
        plan(&mut events, now() - MINUTE, sql, step);
    }
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(found.len(), 1, "{found:#?}");
    let scan = finding(&found, "scan").expect("a scan");
    assert_eq!(
        scan.says.title,
        "SELECT FROM people scans 9,999 rows of people each time."
    );
    assert_eq!(
        scan.says.cause,
        "It reads every row of p. It scans 9,999 rows to return 3. It takes 8.00 ms on average."
    );
    assert!(
        scan.says
            .remedy
            .starts_with("pocket-apm advise --service shop --database FILE tries indexes"),
        "{scan:#?}"
    );
    assert_eq!(scan.says.figures["rows_scanned"], 9_999.0);
    drop(engine);
}

#[test]
fn growth_names_the_table_that_drives_it_and_explain_only_where_there_is_no_plan() {
    const JOIN: &str = "SELECT v.at FROM people p JOIN visit v ON v.person = p.id WHERE p.city = ?";
    const UNPLANNED: &str = "SELECT max(at) FROM visit WHERE person > ?";
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let mut events = batch("shop");
    let start = now() - 11 * MINUTE;
    for number in 0..60_u64 {
        let at = start + 10 * SECOND * number.cast_signed();
        let visits = 1_000 + 100 * number.cast_signed();
        rows(&mut events, at, "people", 500.0);
        rows(&mut events, at, "visit", visits as f64);
        for (sql, place) in [(JOIN, 1), (UNPLANNED, 2)] {
            let cost = scan(4 * visits, visits - 1, 20);
            let number = 3 * number + place;
            call(&mut events, number, at + SECOND, (sql, 1_000), cost);
        }
    }
    let steps = "SCAN v\nSEARCH p USING INTEGER PRIMARY KEY (rowid=?)";
    plan(&mut events, now() - MINUTE, JOIN, steps);
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let is_planned = |finding: &Finding| finding.says.cause.contains("It reads every row of v");
    let found = until(&store, false, |found| {
        found.len() == 2 && found.iter().any(is_planned)
    });
    for growth in &found {
        assert_eq!(growth.kind, "growth", "{growth:#?}");
        assert!(
            growth
                .says
                .title
                .starts_with("GET /shop gets slower as visit grows: "),
            "{growth:#?}"
        );
        let advise = growth.says.remedy.contains("pocket-apm advise");
        let explain = growth.says.remedy.contains("--explain shop=FILE");
        let expected = match is_planned(growth) {
            true => (true, false),
            false => (false, true),
        };
        assert_eq!((advise, explain), expected, "{growth:#?}");
        // 60 calls of 1 ms in 15 minutes: half of the largest call is growth, and the statement took no more than 4 ms
        // in a minute.
        assert!(
            growth.saving > 0.0 && growth.saving <= 4_000.0,
            "{growth:#?}"
        );
    }
    drop(engine);
}

/// A batch of a version of the service.
fn version(version: &str) -> Batch {
    let mut resource = Arc::unwrap_or_clone(resource("shop"));
    resource.service_version = Some(version.to_owned());
    resource.document = serde_json::json!({
        "metadata": {"service": {"name": "shop", "version": version}},
    })
    .to_string();
    Batch::new(Arc::new(resource), now())
}

#[test]
fn a_version_that_loses_an_index_is_told_with_the_steps_before_and_since_for_a_day() {
    const LOST: &str = "SELECT name FROM people WHERE lower(city) = ?";
    const LONG_AGO: &str = "SELECT price FROM offer WHERE day = ?";
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let changed = (now() / MINUTE - 10) * MINUTE;
    let (mut old, mut new) = (version("1.4.1"), version("1.4.2"));
    for number in 0..40_u64 {
        let step = 14 * SECOND * number.cast_signed();
        for (place, sql) in [(0, LOST), (1, LONG_AGO)] {
            let number = 2 * number + place;
            let before = changed - 12 * MINUTE + step;
            call(&mut old, number, before, (sql, 900), scan(100, 0, 3));
            let since = changed + MINUTE + step;
            let cost = scan(1_230, 299, 3);
            call(&mut new, 1_000 + number, since, (sql, 900), cost);
        }
    }
    let search = "SEARCH people USING INDEX people_city (<expr>=?)";
    plan(&mut old, changed - 12 * MINUTE, LOST, search);
    plan(&mut new, changed + SECOND, LOST, "SCAN people");
    // A change that is older than a day is known.
    let ago = now() - 25 * 60 * MINUTE;
    let search = "SEARCH offer USING INDEX offer_day (day=?)";
    plan(&mut old, ago - MINUTE, LONG_AGO, search);
    plan(&mut new, ago, LONG_AGO, "SCAN offer");
    for events in [old, new] {
        store.submit(events).expect("room").wait().expect("stored");
    }
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(found.len(), 1, "{found:#?}");
    let change = finding(&found, "plan_change").expect("a change");
    assert_eq!(
        change.says.title,
        "Since 1.4.2, SELECT FROM people no longer uses people_city."
    );
    assert_eq!(
        change.says.cause,
        "Its plan was: SEARCH people USING INDEX people_city (<expr>=?). It is: SCAN people. A call takes 1,230 steps \
         of SQLite instead of 100: 12 × the steps."
    );
    assert!(
        change
            .says
            .remedy
            .starts_with("See whether people_city is still there"),
        "{change:#?}"
    );
    assert_eq!(change.severity, Severity::Cost, "{change:#?}");
    assert_eq!(change.says.figures["steps_before"], 100.0);
    let markers = store
        .read(|conn| Ok::<_, StoreError>(marker::list(conn, &Scope::default())?))
        .expect("markers");
    let plans: Vec<&str> = markers
        .iter()
        .filter(|marker| marker.kind == marker::Kind::Plan)
        .map(|marker| marker.name.as_str())
        .collect();
    assert_eq!(plans, ["SELECT FROM people and 1 more"]);
    drop(engine);
}
