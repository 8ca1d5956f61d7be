//! Each other rule, on a service that breaks it and nothing else.

use apm_server::insight::Engine;
use apm_server::insight::finding::Finding;
use apm_server::insight::marker;
use apm_store::event::Event;
use apm_store::{Store, StoreOptions};

use super::{options, people, request, until};
use crate::support::events::{batch, error, metricset, now};

const SECOND: i64 = 1_000_000;

fn store(dir: &tempfile::TempDir) -> Store {
    Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a new database")
}

/// The kinds of what was found, in the order of the alphabet.
fn kinds(found: &[Finding]) -> Vec<&str> {
    let mut kinds: Vec<&str> = found.iter().map(|finding| finding.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn what_is_slower_and_what_is_new_since_a_marker_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let (now, old, new) = (
        now(),
        ("SELECT id FROM basket WHERE user = ?", 1_000),
        ("SELECT price FROM offer WHERE day = ?", 6_000),
    );
    let mut events = batch("shop");
    for number in 0..40_u64 {
        let step = 10 * SECOND * number.cast_signed();
        let before = now - 1_200 * SECOND + step;
        request(&mut events, number, "basket", before, &[old]);
        let after = now - 500 * SECOND + step;
        request(&mut events, 100 + number, "basket", after, &[old, new]);
    }
    store.submit(events).expect("room").wait().expect("stored");
    let deployed = store.write(move |conn| {
        let at = now - 600 * SECOND;
        marker::set(conn, at, ("shop", None), marker::Kind::Manual, "deploy 7")
    });
    deployed.expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let found = until(&store, false, |found| found.len() >= 2);
    assert_eq!(kinds(&found), ["new_statement", "regression"], "{found:#?}");
    for finding in &found {
        assert!(finding.says.title.contains("deploy 7"), "{finding:#?}");
    }
    let slower = super::finding(&found, "regression").expect("told");
    assert!(
        slower.says.title.starts_with("GET /basket is slower"),
        "{slower:#?}"
    );
    let statement = super::finding(&found, "new_statement").expect("told");
    assert!(
        statement.says.title.starts_with("SELECT FROM offer"),
        "{statement:#?}"
    );
    drop(engine);
}

#[test]
fn more_errors_than_usual_are_told_and_as_many_as_ever_are_not() {
    more_errors(Some("main"), "It is raised in main.");
    // There is no place to be named where no frame is a service's own.
    more_errors(None, "times in 5 minutes.");
}

fn more_errors(culprit: Option<&str>, end: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let mut events = batch("shop");
    for number in 0..12_u64 {
        let mut spike = error(&mut events, number);
        spike.timestamp = now() - 60 * SECOND;
        spike.message = Some(events.keep("no stock left"));
        spike.culprit = culprit.map(|culprit| events.keep(culprit));
        events.events.push(Event::Error(spike));
    }
    // A service is at work where there are requests.
    for number in 0..5_u64 {
        request(
            &mut events,
            5_000 + number,
            "stock",
            now() - 30 * SECOND,
            &[],
        );
    }
    // Another group, as often in each minute of the hour.
    for number in 0..240_u64 {
        let mut usual = error(&mut events, 1_000 + number);
        usual.grouping_key = 7;
        usual.timestamp = now() - 15 * SECOND * number.cast_signed();
        events.events.push(Event::Error(usual));
    }
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(kinds(&found), ["error_spike"], "{found:#?}");
    assert!(found[0].says.title.contains("no stock left"), "{found:#?}");
    assert!(found[0].says.cause.ends_with(end), "{found:#?}");
    drop(engine);
}

#[test]
fn every_column_of_every_row_is_told_where_there_are_many() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(&dir);
    let mut events = batch("shop");
    for (table, rows) in [("product", 5_000.0), ("unit", 12.0)] {
        let mut gauge = metricset(&mut events, rows);
        gauge.timestamp = now() - 60 * SECOND;
        let name = events.keep(&format!("{table}.rows"));
        events.samples.last_mut().expect("its sample").name = name;
        events.events.push(Event::Metricset(gauge));
    }
    for number in 0..30_u64 {
        let at = now() - 60 * SECOND + SECOND * number.cast_signed();
        let all = [("SELECT * FROM product", 900), ("SELECT * FROM unit", 40)];
        request(&mut events, number, "products", at, &all);
    }
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(kinds(&found), ["select_star"], "{found:#?}");
    assert!(found[0].says.title.contains("product"), "{found:#?}");
    assert!(found[0].says.cause.contains("5,000 rows"), "{found:#?}");
    drop(engine);
}

#[test]
fn a_slow_scan_is_told_with_the_index_that_ends_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = people(dir.path());
    let store = store(&dir);
    let mut events = batch("my-app-01");
    for number in 0..30_u64 {
        let at = now() - 60 * SECOND + SECOND * number.cast_signed();
        let slow = [("SELECT name FROM people WHERE surname = ?", 8_000)];
        request(&mut events, number, "people", at, &slow);
    }
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(Some(&file))).expect("a thread");
    let found = until(&store, false, |found| !found.is_empty());
    assert_eq!(kinds(&found), ["scan"], "{found:#?}");
    assert!(
        found[0]
            .says
            .remedy
            .starts_with("CREATE INDEX people_surname ON people (surname"),
        "{found:#?}"
    );
    drop(engine);
}
