//! A rollup equals what a recount of the raw rows gives, whatever was sent in whatever order.

mod calls;
mod cost;
mod recount;

use apm_store::StoreError;
use apm_store::event::{Batch, Composite, Event, Outcome};
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use proptest::prelude::*;

use recount::check;
pub(super) use recount::check_event_counts;

use super::{number, open, wait_until};
use crate::support::events::{NEW_YEAR, batch, error, pairs, span, transaction};

/// The parts of an event that are varied.
#[derive(Clone, Debug)]
struct Sent {
    kind: u8,
    name: u8,
    /// Minutes before or after the new year: many are late.
    minute: i64,
    duration: i64,
    outcome: u8,
    /// 1 / 2^n, 0, or none.
    rate: Option<u8>,
    composite: Option<(i64, i64)>,
    /// Steps, of which the other counts are made.
    steps: Option<i64>,
    /// Whether a commit ends here.
    commit: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    (
        0..4u8,
        0..3u8,
        -1500..1500i64,
        prop_oneof![0..100i64, 1_000..2_000_000i64, Just(i64::MAX / 4)],
        0..3u8,
        prop::option::of(0..5u8),
        prop::option::weighted(0.2, (2..50i64, 0..1_000_000i64)),
        prop::option::of(prop_oneof![0..9i64, 10..5_000_000i64]),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(kind, name, minute, duration, outcome, rate, composite, steps, commit)| Sent {
                kind,
                name,
                minute,
                duration,
                outcome,
                rate,
                composite,
                steps,
                commit,
            },
        )
}

/// One of many that differ in kind, name and outcome, sent whole.
fn varied(number: u64, minute: i64, duration: i64) -> Sent {
    Sent {
        kind: (number % 4) as u8,
        name: (number % 3) as u8,
        minute,
        duration,
        outcome: (number % 3) as u8,
        rate: None,
        composite: None,
        steps: number.is_multiple_of(2).then_some(duration),
        commit: false,
    }
}

fn outcome(code: u8) -> Outcome {
    [Outcome::Failure, Outcome::Success, Outcome::Unknown][usize::from(code)]
}

fn add(batch: &mut Batch, number: u64, sent: &Sent) {
    let ts = NEW_YEAR + sent.minute * 60_000_000 + 59_999_999;
    let rate = sent.rate.map(|power| match power {
        4 => 0.0,
        power => 1.0 / f64::from(1 << power),
    });
    let event = match sent.kind {
        0 | 1 => {
            let mut event = transaction(batch, number, ["a", "b", "c"][usize::from(sent.name)]);
            event.timestamp = ts;
            event.duration = sent.duration;
            event.outcome = outcome(sent.outcome);
            event.sample_rate = rate;
            if sent.name == 2 {
                event.result = None;
            }
            Event::Transaction(event)
        }
        2 => {
            let sql = [
                "select 1",
                "select a from b where c = 5",
                "insert into b values (1)",
            ];
            let mut event = span(batch, number, sql[usize::from(sent.name)]);
            event.timestamp = ts;
            event.duration = sent.duration;
            event.outcome = outcome(sent.outcome);
            event.sample_rate = rate;
            event.composite = sent.composite.map(|(count, sum)| Composite { count, sum });
            event.cost = sent.steps.map(cost::of_steps);
            Event::Span(event)
        }
        _ => {
            let mut event = error(batch, number);
            event.timestamp = ts;
            event.grouping_key = u64::from(sent.name);
            Event::Error(event)
        }
    };
    batch.events.push(event);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_rollup_equals_a_recount(events in prop::collection::vec(sent(), 1..250)) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path());
        let mut pending = batch("shop");
        let mut tickets = Vec::new();
        for (number, sent) in (0..).zip(&events) {
            add(&mut pending, number, sent);
            if sent.commit {
                let full = std::mem::replace(&mut pending, batch("shop"));
                tickets.push(store.submit(full).expect("room"));
            }
        }
        tickets.push(store.submit(pending).expect("room"));
        for ticket in tickets {
            ticket.wait().expect("stored");
        }
        check(&store);
    }
}

#[test]
fn a_rollup_equals_a_recount_after_a_failed_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    store
        .submit(pairs("shop", 0, 200))
        .expect("room")
        .wait()
        .expect("stored");
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON roll_tx_hist BEGIN SELECT RAISE(ABORT, 'refused'); END";
    let run = |sql: &'static str| {
        let write = move |conn: &mut SqliteConnection| diesel::sql_query(sql).execute(conn);
        store.write(write).expect("room").wait().expect(sql)
    };
    run(fails);
    let refused = store
        .submit(pairs("other", 1000, 300))
        .expect("room")
        .wait();
    assert!(matches!(refused, Err(StoreError::Query(_))), "{refused:?}");
    run("DROP TRIGGER fails");
    store
        .submit(pairs("other", 2000, 300))
        .expect("room")
        .wait()
        .expect("stored");
    check(&store);
}

#[test]
fn under_load_the_coarser_levels_follow_within_a_moment() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let behind = || number(&store, "SELECT count(*) AS n FROM roll_behind");
    let mut was_behind = false;
    for part in 0..30_u64 {
        let ticket = store.submit(pairs("shop", part * 1000, 500)).expect("room");
        ticket.wait().expect("stored");
        was_behind |= behind() > 0;
    }
    assert!(was_behind, "30 000 events at once are a load");
    wait_until("it is not behind", || behind() == 0);
    check(&store);
}

#[test]
fn what_a_crash_left_behind_is_made_again_from_the_minutes() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..300_u64 {
        let sent = varied(number, number as i64 % 90 - 45, 100 * number as i64);
        add(&mut events, number, &sent);
    }
    store.submit(events).expect("room").wait().expect("stored");
    // As after a crash in which the coarser levels lacked some of what the minutes hold.
    for table in [
        "roll_tx",
        "roll_tx_hist",
        "roll_statement_hist",
        "roll_statement_cost",
        "roll_statement_steps",
        "roll_vital",
        "roll_error",
    ] {
        let lose = format!("DELETE FROM {table} WHERE level > 60 AND bucket % 1200 = 0");
        let write = move |conn: &mut SqliteConnection| diesel::sql_query(lose).execute(conn);
        store.write(write).expect("room").wait().expect("written");
    }
    let note = "INSERT INTO roll_behind SELECT bucket FROM roll_received WHERE level = 60";
    let write = move |conn: &mut SqliteConnection| diesel::sql_query(note).execute(conn);
    store.write(write).expect("room").wait().expect("written");
    store.close();
    drop(store);
    let store = open(dir.path());
    assert_eq!(number(&store, "SELECT count(*) AS n FROM roll_behind"), 0);
    check(&store);
}

#[test]
fn events_that_an_older_version_stored_are_counted_when_it_is_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..200_u64 {
        // Some of it before 1970.
        let sent = varied(number, (number as i64 - 100) * 300_000, 5);
        add(&mut events, number, &sent);
    }
    store.submit(events).expect("room").wait().expect("stored");
    check_event_counts(&store);
    store.close();
    drop(store);
    let path = dir.path().join("apm.db");
    let mut conn = SqliteConnection::establish(path.to_str().expect("text")).expect("opens");
    // To the version before the counts, whatever migrations come after theirs.
    let counts = "SELECT 1 FROM event_count LIMIT 1";
    while diesel::sql_query(counts).execute(&mut conn).is_ok() {
        conn.revert_last_migration(apm_store::MIGRATIONS)
            .expect("the version before");
    }
    drop(conn);
    check_event_counts(&open(dir.path()));
}
