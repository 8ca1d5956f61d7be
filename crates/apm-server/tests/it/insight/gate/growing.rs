//! The bound `no-growth`.

use apm_server::insight::check::{Gate, NoGrowth, Verdict};
use apm_store::Store;
use apm_store::event::{Batch, Event};

use super::{Call, ITEM, MINUTE, SECOND, batch, calls, now, only, stored, took};
use crate::support::events::metricset;

const BY_ID: &str = "SELECT name FROM people WHERE id = ?";
const COPY: &str = "INSERT INTO archive SELECT * FROM people";
const COMMON: &str = "WITH old AS (SELECT * FROM people WHERE age > ?) SELECT count(*) FROM old";

fn gate(which: NoGrowth) -> Gate {
    Gate {
        no_growth: Some(which),
        since: Some("now-30m".to_owned()),
        ..Gate::default()
    }
}

/// Twelve minutes in which the table people doubles every other one, and what ten requests of each minute run.
fn minutes(
    statements: impl Fn(i64) -> Vec<(&'static str, i64, i64)>,
) -> (Store, tempfile::TempDir) {
    let mut events = batch("shop");
    let start = now() - 20 * MINUTE;
    for minute in 0..12 {
        let at = start + minute * MINUTE;
        let rows = 100 << (minute / 2);
        rows_are(&mut events, at, rows);
        for call in 0..10 {
            let number = (10 * minute + call).unsigned_abs();
            let at = at + SECOND + call * 5 * SECOND;
            let statements = statements(rows);
            let statements: Vec<Call<'_>> = statements
                .iter()
                .map(|(sql, steps, scanned)| (*sql, took(*steps, *scanned)))
                .collect();
            calls(&mut events, number, "people", at, &statements);
        }
    }
    stored(vec![events])
}

fn rows_are(events: &mut Batch, at: i64, rows: i64) {
    let mut gauge = metricset(events, rows as f64);
    gauge.timestamp = at;
    let name = events.keep("people.rows");
    events.samples.last_mut().expect("its sample").name = name;
    events.events.push(Event::Metricset(gauge));
}

#[test]
fn statements_that_were_not_judged_have_not_passed_unless_that_is_asked_for() {
    // Nothing tells the rows of item.
    let (store, _dir) = minutes(|rows| vec![(BY_ID, 11, 0), (ITEM, 4 * rows, rows)]);
    let found = only(&store, &gate(NoGrowth::All));
    assert_eq!(found.verdict, Verdict::NotJudged, "{found:#?}");
    assert_eq!(found.not_judged.len(), 1, "{found:#?}");
    assert!(
        found.not_judged[0].starts_with(&format!("{ITEM}: the rows of item are not known")),
        "{found:#?}"
    );
    let found = only(&store, &gate(NoGrowth::Judged));
    assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
    assert_eq!(found.not_judged.len(), 1, "{found:#?}");
}

#[test]
fn statements_that_read_tables_behind_other_words_are_judged() {
    for growing in [COPY, COMMON] {
        let (store, _dir) = minutes(|rows| vec![(BY_ID, 11, 0), (growing, 4 * rows, rows)]);
        let found = only(&store, &gate(NoGrowth::All));
        assert_eq!(found.verdict, Verdict::Failed, "{found:#?}");
        assert!(
            found.failures[0].starts_with(&format!("{growing} takes "))
                && found.failures[0].contains("per 1,000 rows of people"),
            "{found:#?}"
        );
        let (store, _dir) = minutes(|_| vec![(BY_ID, 11, 0), (growing, 4_000, 0)]);
        let found = only(&store, &gate(NoGrowth::All));
        assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
    }
}

#[test]
fn a_few_calls_pass_where_none_scans_a_table_and_are_not_judged_where_one_does() {
    let few = |statements: &[Call<'_>]| {
        let mut events = batch("shop");
        calls(&mut events, 1, "people", now() - MINUTE, statements);
        stored(vec![events])
    };
    let insert = "INSERT INTO people (name) VALUES (?)";
    let small = [(BY_ID, took(11, 0)), (insert, took(17, 0))];
    let (store, _dir) = few(&small);
    let found = only(&store, &gate(NoGrowth::All));
    assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
    for (one, words) in [
        ((ITEM, took(400, 99)), "the rows of item are not known"),
        ((ITEM, took(1_000, 0)), "the rows of item are not known"),
        ((ITEM, None), "the rows of item are not known"),
        // A trigger reads its table.
        ((insert, took(400, 99)), "people"),
    ] {
        let (store, _dir) = few(&[small[0], one]);
        let found = only(&store, &gate(NoGrowth::All));
        assert_eq!(found.verdict, Verdict::NotJudged, "{one:?}: {found:#?}");
        assert!(found.not_judged[0].contains(words), "{one:?}: {found:#?}");
    }
    // It writes, and reads nothing.
    let (store, _dir) = few(&[small[0], (insert, None)]);
    let found = only(&store, &gate(NoGrowth::All));
    assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
}

#[test]
fn statements_beyond_those_that_are_looked_at_are_told() {
    let texts: Vec<String> = (0..103)
        .map(|table| format!("SELECT a FROM t{table} WHERE b = ?"))
        .collect();
    let statements: Vec<Call<'_>> = texts
        .iter()
        .map(|text| (text.as_str(), took(4_000, 999)))
        .collect();
    let mut events = batch("shop");
    calls(&mut events, 1, "many", now() - MINUTE, &statements);
    let (store, _dir) = stored(vec![events]);
    let found = only(&store, &gate(NoGrowth::All));
    assert_eq!(found.verdict, Verdict::NotJudged, "{found:#?}");
    let last = found.not_judged.last().map(String::as_str);
    let words = "3 statements are beyond the 100 that took most time: give --only-service";
    assert_eq!(last, Some(words));
}
