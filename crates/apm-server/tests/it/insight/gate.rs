//! `pocket-apm check` on telemetry made by hand: what breaks a bound does so however much beside it does not, and what
//! could not be judged has not passed.

mod growing;

use apm_server::insight::Engine;
use apm_server::insight::check::baseline::{Allowed, Baseline};
use apm_server::insight::check::{self, Gate, Outcome, Report, Verdict};
use apm_store::event::{Batch, Cost, Event};
use apm_store::{Store, StoreError, StoreOptions};

use super::plans::plan;
use super::{options, request};
use crate::support::events::{batch, now};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const ITEM: &str = "SELECT name FROM item WHERE shop_id = ?";
const SEARCH: &str = "SEARCH item USING INDEX item_shop (shop_id=?)";

/// A statement, and what SQLite counted of it.
type Call<'a> = (&'a str, Option<Cost>);

fn took(steps: i64, scan_steps: i64) -> Option<Cost> {
    Some(Cost {
        steps,
        scan_steps,
        rows_returned: 1,
        ..Cost::default()
    })
}

/// Adds a request to a batch. Its spans come before it, as the agent sends them.
fn calls(batch: &mut Batch, number: u64, name: &str, at: i64, calls: &[Call<'_>]) {
    let texts: Vec<(&str, i64)> = calls.iter().map(|(sql, _)| (*sql, 100)).collect();
    request(batch, number, name, at, &texts);
    let mut costs = calls.iter().rev().map(|(_, cost)| *cost);
    for event in batch.events.iter_mut().rev().take(calls.len() + 1) {
        match event {
            Event::Span(span) => span.cost = costs.next().flatten(),
            Event::Transaction(tx) => tx.spans_started = calls.len() as i64,
            _ => {}
        }
    }
}

/// The request that was added last.
fn last(batch: &mut Batch) -> &mut apm_store::event::Transaction {
    match batch.events.last_mut() {
        Some(Event::Transaction(tx)) => tx,
        other => panic!("{other:?}"),
    }
}

/// A store with events, and its directory.
fn stored(batches: Vec<Batch>) -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a store");
    for batch in batches {
        store.submit(batch).expect("room").wait().expect("stored");
    }
    (store, dir)
}

fn run(store: &Store, gate: &Gate) -> Report {
    store
        .read(|conn| Ok::<_, StoreError>(check::run(conn, gate, now()).expect("a verdict")))
        .expect("an answer")
}

/// A baseline of what a store has.
fn written(store: &Store) -> Baseline {
    let seen = store.read(|conn| {
        let seen = check::seen(conn, &Gate::default(), now()).expect("what was seen");
        Ok::<_, StoreError>(seen)
    });
    seen.expect("an answer").into_baseline()
}

fn more_steps(baseline: Baseline) -> Gate {
    let allowed = Allowed {
        more_steps: Some(0.1),
        new_statements: true,
        other_plans: true,
    };
    Gate {
        baseline: Some((baseline, allowed)),
        ..Gate::default()
    }
}

/// The only outcome of a gate.
fn only(store: &Store, gate: &Gate) -> Outcome {
    let mut report = run(store, gate);
    assert_eq!(report.outcomes.len(), 1, "{report:#?}");
    report.outcomes.remove(0)
}

/// A statement that `cheap` requests run for 100 steps, and `dear` others for some more.
fn two_callers(cheap: u64, (dear, cost): (u64, Option<Cost>)) -> (Store, tempfile::TempDir) {
    let mut events = batch("shop");
    let start = now() - MINUTE;
    for number in 0..cheap + dear {
        let (name, cost) = match number < cheap {
            true => ("cheap", took(100, 0)),
            false => ("dear", cost),
        };
        let at = start + 1_000 * number.cast_signed();
        calls(&mut events, number, name, at, &[(ITEM, cost)]);
    }
    stored(vec![events])
}

#[test]
fn each_caller_of_a_statement_has_its_own_steps_whatever_the_others_do() {
    let (good, _dir) = two_callers(60, (40, took(120, 0)));
    let (worse, _dir) = two_callers(60, (40, took(1_000_000, 300_000)));
    let (mixed, _dir) = two_callers(45, (55, took(1_000_000, 300_000)));
    let file = written(&worse);
    let steps: Vec<(&str, Option<f64>, Option<f64>)> = file
        .statements
        .iter()
        .map(|entry| {
            let steps = entry.steps_per_call;
            (&*entry.caller, steps, entry.rows_scanned_per_call)
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("GET /cheap", Some(100.0), Some(0.0)),
            ("GET /dear", Some(1_000_000.0), Some(300_000.0))
        ]
    );
    let found = only(&worse, &more_steps(written(&good)));
    assert_eq!(found.failures.len(), 1, "{found:#?}");
    let words = "GET /dear: SELECT name FROM item WHERE shop_id = ? took 1,000,000 steps per request, not 120";
    assert!(found.failures[0].starts_with(words), "{found:#?}");
    // The same callers in another mixture are no worse, in either direction.
    for (before, after) in [(&worse, &mixed), (&mixed, &worse)] {
        let found = only(after, &more_steps(written(before)));
        assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
    }
}

#[test]
fn a_statement_on_two_databases_has_the_steps_of_the_dearer_one_in_any_mixture() {
    let store = |large: u64| {
        let mut events = batch("shop");
        for number in 0..10_u64 {
            let at = now() - MINUTE + 1_000 * number.cast_signed();
            let is_large = number < large;
            let cost = took(if is_large { 9_000 } else { 100 }, 0);
            calls(&mut events, number, "items", at, &[(ITEM, cost)]);
            let name = events.keep(if is_large { "large.db" } else { "small.db" });
            let spans = events.events.iter_mut().rev().take(2);
            for event in spans {
                if let Event::Span(span) = event {
                    span.db_instance = Some(name);
                }
            }
        }
        stored(vec![events])
    };
    for large in [3, 7] {
        let (store, _dir) = store(large);
        let file = written(&store);
        assert_eq!(file.statements.len(), 1, "{file:?}");
        assert_eq!(file.statements[0].steps_per_call, Some(9_000.0));
    }
}

#[test]
fn a_bound_holds_for_each_call_and_not_for_the_middle_one() {
    let (store, _dir) = two_callers(60, (1, took(1_000_000, 300_000)));
    let bounds = |steps, rows| Gate {
        max_steps: Some(steps),
        max_rows_scanned: Some(rows),
        ..Gate::default()
    };
    let broken = run(&store, &bounds(1_000.0, 0.0));
    let failures: Vec<&str> = broken
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.failures.iter().map(String::as_str))
        .collect();
    assert_eq!(
        failures,
        [
            format!(
                "GET /dear: {ITEM} took 1,000,000 steps in one call, more than 1,000 (trace {:032x})",
                60
            ),
            format!(
                "GET /dear: {ITEM} scanned 300,000 rows in one call, more than 0 (trace {:032x})",
                60
            ),
        ]
    );
    let kept = run(&store, &bounds(1_000_000.0, 300_000.0));
    assert_eq!(kept.verdict, Verdict::Passed, "{kept:#?}");
    // A call that nobody counted may have taken more.
    let (store, _dir) = two_callers(60, (1, None));
    let unknown = run(&store, &bounds(1_000.0, 0.0));
    assert_eq!(unknown.verdict, Verdict::NotJudged, "{unknown:#?}");
}

#[test]
fn requests_of_which_spans_are_missing_are_not_judged() {
    let store = |dropped: Option<i64>, sent: i64| {
        let mut events = batch("shop");
        for number in 0..3_u64 {
            let at = now() - MINUTE + 1_000 * number.cast_signed();
            calls(&mut events, number, "items", at, &[(ITEM, took(100, 0)); 4]);
            let tx = last(&mut events);
            tx.spans_dropped = dropped;
            tx.spans_started = sent;
        }
        stored(vec![events])
    };
    let most = |most| Gate {
        max_statements_per_request: Some(most),
        ..Gate::default()
    };
    let (whole, _dir) = store(None, 4);
    assert_eq!(only(&whole, &most(4.0)).verdict, Verdict::Passed);
    let baseline = written(&whole);
    let plenty = Gate {
        no_repeats: true,
        max_steps: Some(1_000.0),
        max_rows_scanned: Some(1_000.0),
        ..more_steps(baseline)
    };
    assert_eq!(run(&whole, &plenty).verdict, Verdict::Passed);

    for (dropped, sent, words) in [
        (
            Some(4_000),
            4,
            "GET /items: not all statements of 3 requests are known, as the agent dropped 12,000 spans \
             (transaction_max_spans) (trace ",
        ),
        (
            None,
            4_004,
            "GET /items: not all statements of 3 requests are known, as 12,000 spans that it sent are not here (trace ",
        ),
    ] {
        let (store, _dir) = store(dropped, sent);
        let found = only(&store, &most(20.0));
        assert_eq!(found.verdict, Verdict::NotJudged, "{found:#?}");
        assert!(found.not_judged[0].starts_with(words), "{found:#?}");
        assert!(
            found.not_judged[0].ends_with(": one may have run up to 4,004"),
            "{found:#?}"
        );
        // The known statements are too many already, or all cannot be too many.
        let found = only(&store, &most(3.0));
        assert_eq!(found.verdict, Verdict::Failed, "{found:#?}");
        assert!(
            found.failures[0].starts_with("GET /items ran at least 4 statements in one request"),
            "{found:#?}"
        );
        assert_eq!(only(&store, &most(4_004.0)).verdict, Verdict::Passed);
        let report = run(&store, &plenty);
        assert_eq!(report.outcomes.len(), 4, "{report:#?}");
        for outcome in report.outcomes {
            assert_eq!(outcome.verdict, Verdict::NotJudged, "{outcome:#?}");
        }
    }
}

#[test]
fn the_first_request_of_a_window_is_counted_from_its_first_statement() {
    let texts: Vec<String> = (0..400)
        .map(|table| format!("SELECT a FROM t{table} WHERE b = ?"))
        .collect();
    let texts: Vec<Call<'_>> = texts
        .iter()
        .map(|text| (text.as_str(), took(10, 0)))
        .collect();
    let mut events = batch("shop");
    // Requests of before --since do not count.
    for number in 0..500_u64 {
        let at = now() - 20 * MINUTE + 1_000 * number.cast_signed();
        calls(&mut events, number, "before", at, &[(ITEM, took(10, 0))]);
    }
    let start = now() - 4 * MINUTE;
    calls(&mut events, 1_000, "many", start, &texts);
    let (store, _dir) = stored(vec![events]);
    let gate = Gate {
        max_statements_per_request: Some(300.0),
        since: Some(apm_time::rfc3339(start)),
        ..Gate::default()
    };
    let found = only(&store, &gate);
    assert_eq!(found.failures.len(), 1, "{found:#?}");
    assert!(
        found.failures[0].starts_with("GET /many ran 400 statements in one request, more than 300"),
        "{found:#?}"
    );
}

/// The baseline of a store once plans were read; fails where that takes too long.
fn planned(store: &Store) -> Baseline {
    let _engine = Engine::start(store.clone(), options(None)).expect("an engine");
    let started = std::time::Instant::now();
    loop {
        let gate = Gate {
            since: Some("now-1h".to_owned()),
            ..Gate::default()
        };
        let seen = store.read(|conn| {
            let seen = check::seen(conn, &gate, now()).expect("what was seen");
            Ok::<_, StoreError>(seen)
        });
        let file = seen.expect("an answer").into_baseline();
        if file.statements.iter().all(|entry| entry.plan.is_some()) {
            return file;
        }
        assert!(started.elapsed() < super::DEADLINE, "no plan: {file:?}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_plan_counts_that_was_sent_in_the_time_of_the_check_and_the_first_event_of_all_is_read() {
    let mut events = batch("shop");
    // The first event of the database.
    plan(&mut events, now() - 20 * MINUTE, ITEM, SEARCH);
    for number in 0..20_u64 {
        let at = now() - MINUTE + 1_000 * number.cast_signed();
        calls(&mut events, number, "items", at, &[(ITEM, took(100, 0))]);
    }
    let (store, _dir) = stored(vec![events]);
    let baseline = planned(&store);
    assert_eq!(
        baseline.statements[0].plan.as_deref(),
        Some(&[SEARCH.to_owned()][..])
    );
    let allowed = Allowed {
        more_steps: None,
        new_statements: true,
        other_plans: false,
    };
    let since = |since: &str| Gate {
        since: Some(since.to_owned()),
        baseline: Some((baseline.clone(), allowed)),
        ..Gate::default()
    };
    let found = only(&store, &since("now-1h"));
    assert_eq!(found.verdict, Verdict::Passed, "{found:#?}");
    let found = only(&store, &since("now-5m"));
    assert_eq!(found.verdict, Verdict::NotJudged, "{found:#?}");
    assert!(
        found.not_judged[0].contains("there is no plan of it, in this time"),
        "{found:#?}"
    );
}
