//! Tail sampling: complete traces that do not matter go early, but for a share that stands for them.

use std::env;
use std::path::Path;
use std::time::Duration;

use apm_store::event::{Batch, Event};
use apm_store::{Store, StoreOptions, TailSampling};
use diesel::prelude::*;

use super::keep::{DAY, HOUR, INCIDENT, check, failure, found, hour_of_health, request};
use super::{acknowledge, child, kill_after, number, open, options, submit, wait_until};
use crate::support::events::{NEW_YEAR, error, log, metricset, resource, span, transaction};

const SECOND: i64 = 1_000_000;

/// Ordinary traces have numbers from 0 on; these are others.
const SLOW: u64 = 1 << 41;
const CAUGHT: u64 = 1 << 42;
const RARE: u64 = 1 << 43;

fn sampling(dir: &Path, share: f64) -> StoreOptions {
    StoreOptions {
        tail: Some(TailSampling {
            share,
            slow: Some(Duration::from_secs(1)),
            wait: Duration::from_secs(60),
        }),
        // The events of these tests arrived on New Year's Day.
        trusted_jump: 1000 * DAY,
        ..options(dir)
    }
}

/// Waits until all that is stored was sampled. `last`: the newest block.
pub(super) fn wait_until_sampled(store: &Store, last: i64) {
    wait_until("all blocks were sampled", || {
        number(
            store,
            "SELECT coalesce(max(sampled), 0) AS n FROM kept_state",
        ) > last
    });
}

fn newest_block(store: &Store) -> i64 {
    number(store, "SELECT max(id) AS n FROM block")
}

fn rows(store: &Store, table: &str) -> i64 {
    number(store, &format!("SELECT count(*) AS n FROM {table}"))
}

#[test]
fn traces_that_matter_stay_and_a_share_stands_for_the_others() {
    const TRACES: u64 = 4000;
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for hundred in 0..TRACES / 100 {
        let at = NEW_YEAR + hundred.cast_signed() * 10 * SECOND;
        let mut batch = Batch::new(resource("shop"), at);
        for number in hundred * 100..(hundred + 1) * 100 {
            let duration = if number == 1234 { 90_000 } else { 1500 };
            request(&mut batch, number, "a", at, duration, "select 1");
        }
        let gauge = metricset(&mut batch, 1.0);
        batch.events.push(Event::Metricset(gauge));
        let line = log(&mut batch, hundred * 100);
        batch.events.push(Event::Log(line));
        if hundred < 10 {
            failure(&mut batch, INCIDENT + hundred, at);
            request(
                &mut batch,
                SLOW + hundred,
                "slow",
                at,
                2 * SECOND,
                "select 1",
            );
            // Its transaction went well.
            request(&mut batch, CAUGHT + hundred, "b", at, 1500, "select 1");
            let mut event = error(&mut batch, CAUGHT + hundred);
            event.timestamp = at;
            batch.events.push(Event::Error(event));
        }
        if hundred == 20 {
            request(&mut batch, RARE, "a", at, 1500, "select * from rare");
        }
        submit(&store, batch);
    }
    // Twenty of them are examples of who runs a statement.
    let examples = store.write(|conn| {
        for number in 2301..=2320 {
            let hour = NEW_YEAR / 1_000_000;
            let sql = format!(
                "INSERT INTO roll_caller (level, bucket, tx_group_id, statement_id, requests, calls, most, sum, \
                 tx_sum, follows, trace_id) VALUES (3600, {hour}, 1, {number}, 1, 1, 1, 1, 1, 0, X'{number:032x}')"
            );
            diesel::sql_query(sql).execute(conn)?;
        }
        Ok::<_, diesel::result::Error>(())
    });
    examples.expect("room").wait().expect("written");
    let (last, events) = (newest_block(&store), rows(&store, "event_row"));
    let counted = "SELECT sum(n) AS n FROM roll_tx WHERE level = 60";
    let (all, transactions) = (number(&store, counted), rows(&store, "tx"));
    assert_eq!(all, transactions);
    store.close();
    drop(store);

    // The sample of a statement is kept with what is kept beyond the newest events.
    let store = Store::open(StoreOptions {
        keep: 20,
        ..sampling(dir.path(), 0.1)
    });
    let store = store.expect("opens");
    wait_until_sampled(&store, last);
    for number in 0..10 {
        assert_eq!(found(&store, INCIDENT + number), 3, "failure {number}");
        assert_eq!(found(&store, SLOW + number), 2, "slow {number}");
        assert_eq!(found(&store, CAUGHT + number), 3, "error {number}");
    }
    assert_eq!(found(&store, 1234), 2, "the slowest of its name");
    assert_eq!(found(&store, RARE), 2, "the one sample of its statement");
    for number in 2301..=2320 {
        assert_eq!(found(&store, number), 2, "the example {number}");
    }
    let left = (0..TRACES).filter(|number| number % 100 != 0 && found(&store, *number) == 2);
    let left = left.count();
    assert!((300..500).contains(&left), "a tenth of them: {left}");
    let halves = "SELECT count(*) AS n FROM span s LEFT JOIN tx t ON t.trace_id = s.trace_id WHERE t.seq IS NULL";
    assert_eq!(number(&store, halves), 0, "a trace goes as a whole");
    assert_eq!(rows(&store, "metricset"), 40);
    assert_eq!(
        rows(&store, "log"),
        50,
        "log lines stay, whatever becomes of their traces"
    );

    assert_eq!(number(&store, counted), all, "rollups know of all");
    let weighted = number(
        &store,
        "SELECT CAST(sum(weight) AS INTEGER) AS n FROM v_transactions",
    );
    assert!((weighted - all).abs() < all / 6, "{weighted} of {all}");
    let of_spans = number(
        &store,
        "SELECT CAST(sum(weight) AS INTEGER) AS n FROM v_spans",
    );
    assert!((of_spans - all).abs() < all / 6, "{of_spans} of {all}");
    for table in ["tx", "span"] {
        let sql = format!(
            "SELECT count(*) AS n FROM {table} WHERE weight IS NULL AND trace_id IN \
            (SELECT e.trace_id FROM error e UNION SELECT t.trace_id FROM tx t WHERE t.duration >= 1000000)"
        );
        let alone = if table == "tx" { 30 } else { 20 };
        assert_eq!(
            number(&store, &sql),
            alone,
            "those that matter stand for themselves"
        );
    }
    let gone = i64::try_from(store.stats().sampled_out).expect("few");
    // `event_row` has a transaction without a parent twice.
    let transactions_gone = transactions - rows(&store, "tx");
    assert_eq!(events - rows(&store, "event_row"), gone + transactions_gone);
    check(&store, dir.path());
    let left = rows(&store, "tx");
    store.close();
    drop(store);

    let again = Store::open(sampling(dir.path(), 0.0)).expect("opens");
    let mut batch = Batch::new(resource("shop"), NEW_YEAR + HOUR);
    request(&mut batch, 1 << 50, "c", NEW_YEAR + HOUR, 1, "select 1");
    submit(&again, batch);
    let last = newest_block(&again);
    wait_until_sampled(&again, last);
    assert_eq!(
        rows(&again, "tx"),
        left + 1,
        "what was sampled is not sampled again"
    );
    check(&again, dir.path());
}

/// A batch of traces that do not matter, more than a block of them.
fn filler(first: u64, at: i64) -> Batch {
    let mut batch = Batch::new(resource("shop"), at);
    for number in first..first + 100 {
        request(&mut batch, number, "a", at, 1500, "select 1");
    }
    batch
}

#[test]
fn a_trace_is_judged_by_all_that_arrives_within_the_wait() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let (early, late, known) = (INCIDENT, INCIDENT + 1, INCIDENT + 2);
    let mut batch = filler(0, NEW_YEAR);
    // Something slower of the same name, so that none of the three is the slowest.
    request(&mut batch, 999, "a", NEW_YEAR, 5000, "select 1");
    for number in [early, late] {
        request(&mut batch, number, "a", NEW_YEAR, 1500, "select 1");
    }
    let event = error(&mut batch, known);
    batch.events.push(Event::Error(event));
    submit(&store, batch);
    let soon = NEW_YEAR + 30 * SECOND;
    let mut batch = filler(1000, soon);
    let event = error(&mut batch, early);
    batch.events.push(Event::Error(event));
    request(&mut batch, known, "a", soon, 1500, "select 1");
    submit(&store, batch);
    let last = newest_block(&store);
    store.close();
    drop(store);

    let store = Store::open(sampling(dir.path(), 0.0)).expect("opens");
    wait_until_sampled(&store, last);
    assert_eq!(found(&store, early), 3, "its error came within the wait");
    assert_eq!(found(&store, known), 3, "its error came first");
    assert_eq!(found(&store, late), 0, "nothing was known of it");
    assert_eq!(found(&store, 1050), 0);
    check(&store, dir.path());

    let much_later = NEW_YEAR + 600 * SECOND;
    let mut batch = filler(2000, much_later);
    let event = error(&mut batch, late);
    batch.events.push(Event::Error(event));
    submit(&store, batch);
    wait_until_sampled(&store, newest_block(&store));
    store.close();
    drop(store);

    // After a start, the newest blocks are read for traces that matter.
    let store = Store::open(sampling(dir.path(), 0.0)).expect("opens");
    let mut batch = filler(3000, much_later + 30 * SECOND);
    let event = span(&mut batch, late, "select 1");
    batch.events.push(Event::Span(event));
    submit(&store, batch);
    wait_until_sampled(&store, newest_block(&store));
    assert_eq!(
        found(&store, late),
        2,
        "of what came much later, all is there"
    );
    assert_eq!(found(&store, 3050), 0);
    check(&store, dir.path());
}

#[test]
fn a_trace_that_goes_does_not_take_the_key_of_one_that_stays() {
    // The hashes of their ids differ, and agree in the bits that are in a key.
    let (goes, stays) = (223_174, 1_331_803);
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut batch = Batch::new(resource("shop"), NEW_YEAR);
    request(&mut batch, 999, "a", NEW_YEAR, 5000, "select 1");
    request(&mut batch, goes, "a", NEW_YEAR, 1500, "select 1");
    failure(&mut batch, stays, NEW_YEAR);
    submit(&store, batch);
    submit(&store, filler(1000, NEW_YEAR + 30 * SECOND));
    let last = newest_block(&store);
    store.close();
    drop(store);

    let store = Store::open(sampling(dir.path(), 0.0)).expect("opens");
    wait_until_sampled(&store, last);
    assert_eq!(found(&store, goes), 0);
    assert_eq!(found(&store, stays), 3);
    check(&store, dir.path());
}

#[test]
fn without_tail_sampling_all_traces_stay() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(sampling(dir.path(), 1.0)).expect("opens");
    for number in 0..10 {
        submit(&store, filler(number * 1000, NEW_YEAR));
    }
    store.close();
    drop(store);
    let store = open(dir.path());
    assert_eq!(rows(&store, "tx"), 1000);
    assert_eq!(
        number(
            &store,
            "SELECT count(*) AS n FROM tx WHERE weight IS NOT NULL"
        ),
        0
    );
    assert_eq!(rows(&store, "kept_state"), 0);
}

const CHILD: &str = "POCKET_APM_TAIL_DIR";
const FROM: &str = "POCKET_APM_TAIL_FROM";

#[test]
#[ignore = "the child of the test below: stores until it is killed"]
fn a_child_that_samples_until_it_is_killed() {
    let Some(dir) = env::var_os(CHILD) else {
        return;
    };
    let from: i64 = env::var(FROM).expect("an hour").parse().expect("a number");
    let store = Store::open(sampling(dir.as_ref(), 0.05)).expect("opens");
    for hour in from.. {
        let mut batch = hour_of_health(hour);
        let at = NEW_YEAR + hour * HOUR;
        failure(&mut batch, INCIDENT + hour.unsigned_abs(), at);
        let event = transaction(&mut batch, INCIDENT + hour.unsigned_abs(), "other");
        batch.events.push(Event::Transaction(event));
        submit(&store, batch);
        acknowledge(&hour.to_string());
    }
}

#[test]
fn what_matters_survives_kill_9_while_blocks_are_sampled() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut hour, mut stored_hours) = (0, Vec::new());
    for round in 1..=4 {
        let mut child = child("store::tail::a_child_that_samples_until_it_is_killed");
        child.env(CHILD, dir.path()).env(FROM, hour.to_string());
        let until = hour + 60 + round * 17;
        kill_after(&mut child, |line| {
            if let Some((_, stored)) = line.split_once("ack ") {
                let stored: i64 = stored.parse().expect("a number");
                stored_hours.push(stored.unsigned_abs());
                hour = stored + 1;
            }
            hour >= until
        });
        let store = Store::open(sampling(dir.path(), 0.05)).expect("opens");
        for number in &stored_hours {
            assert_eq!(found(&store, INCIDENT + number), 4, "failure {number}");
        }
        check(&store, dir.path());
        // One hour may be stored that was not acknowledged.
        hour += 1;
    }
    let store = Store::open(sampling(dir.path(), 0.05)).expect("opens");
    let last = newest_block(&store);
    wait_until_sampled(&store, last);
    let left = rows(&store, "tx");
    assert!(left < hour * 20, "{left} of {} transactions", hour * 62);
}
