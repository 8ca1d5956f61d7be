//! Traces that matter are still there when the disk is full of what does not.

use std::env;
use std::path::Path;
use std::time::Duration;

use apm_store::event::{Batch, Event, Outcome};
use apm_store::kept::{self, Pin, Reason, Room};
use apm_store::{Store, StoreError, StoreOptions, backup, trace};

use super::rollups::check_event_counts;
use super::{acknowledge, child, kill_after, number, options, submit, wait_until};
use crate::support::events::{NEW_YEAR, error, log, now, resource, span, transaction};

const LIMIT: u64 = 6 << 20;
pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The numbers of special traces are above those of health checks.
pub(super) const INCIDENT: u64 = 1 << 40;
const REPORT: u64 = 2 << 40;
const LONE: u64 = 3 << 40;

fn limited(dir: &Path) -> StoreOptions {
    StoreOptions {
        max_size: Some(LIMIT),
        keep: 20,
        ..options(dir)
    }
}

/// Text that compresses badly, so that few events fill the file.
fn noise(number: u64) -> String {
    let mut state = number;
    let words = (0..20).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state ^ (state >> 29))
    });
    words.collect()
}

/// Adds a transaction with a span at a time; returns the transaction for the caller to change and push.
pub(super) fn request(
    batch: &mut Batch,
    number: u64,
    name: &str,
    at: i64,
    duration: i64,
    statement: &str,
) {
    let mut event = transaction(batch, number, name);
    event.timestamp = at;
    event.duration = duration;
    let rest = format!(r#"{{"noise":"{}"}}"#, noise(number));
    event.rest = batch.keep(&rest);
    batch.events.push(Event::Transaction(event));
    let mut event = span(batch, number, statement);
    event.timestamp = at;
    batch.events.push(Event::Span(event));
}

/// Sixty health checks at the beginning of an hour; the thirtieth is the slowest.
pub(super) fn hour_of_health(hour: i64) -> Batch {
    let start = NEW_YEAR + hour * HOUR;
    let mut batch = Batch::new(resource("shop"), start + HOUR);
    for minute in 0..60 {
        let number = (hour * 60 + minute).unsigned_abs();
        let duration = if minute == 30 { 90_000 } else { 1_500 };
        let at = start + minute * 1_000_000;
        request(&mut batch, number, "health", at, duration, "select 1");
    }
    batch
}

/// Adds a failed request with an error and a log line.
pub(super) fn failure(batch: &mut Batch, number: u64, at: i64) {
    let mut event = transaction(batch, number, "pay");
    event.timestamp = at;
    event.duration = 5_000_000;
    event.outcome = Outcome::Failure;
    batch.events.push(Event::Transaction(event));
    let mut event = error(batch, number);
    event.timestamp = at;
    batch.events.push(Event::Error(event));
    let mut event = log(batch, number);
    event.timestamp = at;
    batch.events.push(Event::Log(event));
}

pub(super) fn found(store: &Store, number: u64) -> usize {
    let id = format!("{number:032x}");
    let events = store.read::<_, StoreError>(|conn| trace(conn, &id));
    events.expect("reads").len()
}

fn rooms(store: &Store) -> Vec<Room> {
    store
        .read::<_, StoreError>(|conn| Ok(kept::rooms(conn)?))
        .expect("reads")
}

fn bytes(store: &Store, reason: Reason) -> i64 {
    let rooms = rooms(store);
    let room = rooms.iter().find(|room| room.reason == reason.code());
    room.map_or(0, |room| room.bytes)
}

/// Checks the rules that hold of kept traces at any time.
pub(super) fn check(store: &Store, dir: &Path) {
    check_event_counts(store);
    // Reads every block and compares its documents with their rows.
    let copy = dir.join("copy.db");
    backup(&dir.join("apm.db"), &copy).expect("sound");
    std::fs::remove_file(&copy).expect("a copy");
    for (what, sql) in [
        (
            "blocks know how many events they hold",
            "SELECT (SELECT coalesce(sum(events), 0) FROM block) - (SELECT count(*) FROM tx) \
             - (SELECT count(*) FROM span) - (SELECT count(*) FROM error) - (SELECT count(*) FROM log) \
             - (SELECT count(*) FROM metricset) AS n",
        ),
        (
            "what is left of thinned blocks belongs to kept traces",
            "SELECT count(*) AS n FROM (SELECT seq, trace_id FROM tx UNION ALL SELECT seq, trace_id FROM span \
             UNION ALL SELECT seq, coalesce(trace_id, id) FROM error UNION ALL SELECT seq, trace_id FROM log) \
             WHERE seq < (SELECT coalesce(max(thinned), 0) * 128 FROM kept_state) \
             AND trace_id NOT IN (SELECT k.trace_id FROM kept_trace k)",
        ),
        (
            "the room of each reason is the sum over its traces",
            "SELECT count(*) AS n FROM kept_room r WHERE \
             traces <> (SELECT count(DISTINCT trace_id) FROM kept_for k WHERE k.reason = r.reason) \
             OR bytes <> (SELECT coalesce(sum(bytes), 0) FROM kept_trace k \
             WHERE EXISTS (SELECT 1 FROM kept_for f WHERE f.trace_id = k.trace_id AND f.reason = r.reason))",
        ),
        (
            "each kept trace has a reason",
            "SELECT count(*) AS n FROM kept_trace k \
             WHERE NOT EXISTS (SELECT 1 FROM kept_for f WHERE f.trace_id = k.trace_id)",
        ),
        (
            "kept traces know how many events they have",
            "SELECT (SELECT coalesce(sum(events), 0) FROM kept_trace) - (SELECT coalesce(sum(events), 0) \
             FROM block WHERE id < (SELECT coalesce(max(thinned), 0) FROM kept_state)) AS n",
        ),
        (
            "names of kept events are there",
            "SELECT (SELECT count(*) FROM span s LEFT JOIN statement q ON q.id = s.statement_id \
             LEFT JOIN resource r ON r.id = s.resource_id LEFT JOIN span_group g ON g.id = s.group_id \
             WHERE q.id IS NULL OR r.id IS NULL OR g.id IS NULL) \
             + (SELECT count(*) FROM tx t LEFT JOIN tx_group g ON g.id = t.group_id WHERE g.id IS NULL) AS n",
        ),
        (
            "no key leads to a block that is gone",
            "SELECT count(*) AS n FROM trace_at WHERE key < 0 AND block NOT IN (SELECT id FROM block)",
        ),
    ] {
        assert_eq!(number(store, sql), 0, "{what}");
    }
}

#[test]
fn after_a_month_of_health_checks_the_incident_of_its_first_week_is_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(limited(dir.path())).expect("opens");
    let mut sent = 0;
    for hour in 0..30 * 24 {
        let mut batch = hour_of_health(hour);
        let at = NEW_YEAR + hour * HOUR + 1_000_000;
        if hour == 3 * 24 + 14 {
            for number in 0..100 {
                failure(&mut batch, INCIDENT + number, at);
            }
            // One without a trace.
            let mut event = error(&mut batch, LONE);
            (event.trace_id, event.transaction_id, event.parent_id) = (None, None, None);
            (event.timestamp, event.grouping_key) = (at, 77);
            batch.events.push(Event::Error(event));
        }
        if hour == 5 * 24 {
            request(
                &mut batch,
                REPORT,
                "report",
                at,
                2_000,
                "select * from reports",
            );
        }
        let transactions = batch.events.iter();
        sent += transactions
            .filter(|event| matches!(event, Event::Transaction(_)))
            .count();
        submit(&store, batch);
    }
    wait_until("the files are small enough", || {
        let stats = store.stats();
        stats.database_bytes + stats.log_bytes <= LIMIT
    });

    for number in 0..5 {
        assert_eq!(found(&store, INCIDENT + number), 3, "failure {number}");
    }
    assert_eq!(
        found(&store, INCIDENT + 50),
        0,
        "five of the hour are enough"
    );
    let lone = "SELECT count(*) AS n FROM error e JOIN error_group g ON g.id = e.group_id WHERE g.grouping_key = 77";
    assert_eq!(number(&store, lone), 1, "an error without a trace");
    assert_eq!(found(&store, REPORT), 2, "the one sample of its statement");
    let oldest_whole =
        "SELECT min(ts) AS n FROM tx WHERE seq >= (SELECT thinned * 128 FROM kept_state)";
    let oldest_hour = (number(&store, oldest_whole) - NEW_YEAR) / HOUR;
    assert!(
        oldest_hour > 20 * 24,
        "the file is full of what came last: {oldest_hour}"
    );
    let slowest = (oldest_hour - 12) * 60 + 30;
    assert_eq!(
        found(&store, slowest.unsigned_abs()),
        2,
        "the slowest of an hour"
    );
    assert_eq!(found(&store, (slowest + 1).unsigned_abs()), 0, "any other");

    let since = store.read::<_, StoreError>(|conn| Ok(kept::whole_since(conn)?));
    let since = since.expect("reads").expect("blocks were thinned out");
    let day = (since - NEW_YEAR / 1_000_000) / 86_400;
    assert!(day >= 20, "all of the last days is there: {day}");

    let room = i64::try_from(LIMIT / 5).expect("small");
    for (reason, percent) in [
        (Reason::Error, 30),
        (Reason::Slowest, 25),
        (Reason::Sample, 10),
    ] {
        wait_until("each reason keeps to its share", || {
            let bytes = bytes(&store, reason);
            bytes > 0 && bytes <= room / 100 * percent
        });
    }
    let all = i64::try_from(sent).expect("few");
    wait_until("rollups know of all", || {
        number(&store, "SELECT sum(n) AS n FROM roll_tx WHERE level = 3600") == all
    });
    check(&store, dir.path());
    store.close();
    drop(store);
    let again = Store::open(limited(dir.path())).expect("opens");
    assert_eq!(found(&again, INCIDENT), 3, "after a restart");

    again.clear().expect("room").wait().expect("cleared");
    for table in ["kept_trace", "kept_for", "kept_name", "kept_state"] {
        let rows = number(&again, &format!("SELECT count(*) AS n FROM {table}"));
        assert_eq!(rows, 0, "{table}");
    }
    assert!(rooms(&again).is_empty());
}

#[test]
fn a_pinned_trace_stays_beyond_all_ages_until_it_is_unpinned() {
    let dir = tempfile::tempdir().expect("a directory");
    let day = i64::try_from(DAY.as_micros()).expect("fits");
    let id = format!("{:032x}", 31);
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        let start = now() - 200 * day;
        let mut batch = Batch::new(resource("shop"), start);
        for number in 0..300u64 {
            let duration = 1500 + number.cast_signed();
            request(&mut batch, number, "a", start, duration, "select 1");
        }
        submit(&keeps, batch);
        let pin = id.clone();
        let ticket = keeps.write(move |conn| kept::pin(conn, &pin, 0, None, now() / 1_000_000));
        let pinned = ticket.expect("room").wait().expect("written");
        assert_eq!(pinned, Pin::Pinned);

        // Without room for others, it is still pinned.
        for (number, outcome) in [(31, Pin::Pinned), (32, Pin::Full)] {
            let pin = format!("{number:032x}");
            let ticket = keeps.write(move |conn| kept::pin(conn, &pin, 0, Some(0), 0));
            let pinned = ticket.expect("room").wait().expect("written");
            assert_eq!(pinned, outcome);
        }
    }
    let store = Store::open(StoreOptions {
        raw_max_age: Some(7 * DAY),
        rollup_max_age: Some(90 * DAY),
        trusted_jump: 1000 * DAY,
        keep: 20,
        ..options(dir.path())
    })
    .expect("opens");
    wait_until(
        "what is not pinned is gone, the slowest of its hour too",
        || number(&store, "SELECT count(*) AS n FROM tx") == 1,
    );
    assert_eq!(found(&store, 31), 2);
    wait_until("names were swept", || {
        number(&store, "SELECT count(*) AS n FROM roll_tx") == 0
    });
    check(&store, dir.path());

    let ticket = store.write(move |conn| kept::unpin(conn, &id));
    assert!(ticket.expect("room").wait().expect("written"));
    // The next look follows a commit.
    submit(&store, {
        let mut batch = Batch::new(resource("other"), now());
        let event = transaction(&mut batch, 1 << 50, "b");
        batch.events.push(Event::Transaction(event));
        batch
    });
    wait_until("it goes", || found(&store, 31) == 0);
    check(&store, dir.path());
}

#[test]
fn a_store_that_is_to_keep_nothing_drops_what_was_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let store = Store::open(limited(dir.path())).expect("opens");
        for hour in 0..400 {
            submit(&store, hour_of_health(hour));
        }
        wait_until("something is kept", || bytes(&store, Reason::Slowest) > 0);
    }
    let store = Store::open(StoreOptions {
        keep: 0,
        ..limited(dir.path())
    })
    .expect("opens");
    wait_until("nothing is kept", || {
        number(&store, "SELECT count(*) AS n FROM kept_trace") == 0
    });
    let thinned = "SELECT count(*) AS n FROM block WHERE id < (SELECT thinned FROM kept_state)";
    assert_eq!(number(&store, thinned), 0);
    check(&store, dir.path());
}

const CHILD: &str = "POCKET_APM_KEEP_DIR";
const FROM: &str = "POCKET_APM_KEEP_FROM";

#[test]
#[ignore = "the child of the test below: stores until it is killed"]
fn a_child_that_keeps_traces_until_it_is_killed() {
    let Some(dir) = env::var_os(CHILD) else {
        return;
    };
    let from: i64 = env::var(FROM).expect("an hour").parse().expect("a number");
    let store = Store::open(limited(dir.as_ref())).expect("opens");
    for hour in from.. {
        let mut batch = hour_of_health(hour);
        if hour % 10 == 0 {
            let at = NEW_YEAR + hour * HOUR;
            failure(&mut batch, INCIDENT + hour.unsigned_abs(), at);
        }
        submit(&store, batch);
        acknowledge(&hour.to_string());
    }
}

#[test]
fn what_is_kept_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = 0;
    for round in 1..=4 {
        let mut hour = first;
        let mut child = child("store::keep::a_child_that_keeps_traces_until_it_is_killed");
        child.env(CHILD, dir.path()).env(FROM, hour.to_string());
        // Killed after some hundred hours, in the middle of thinning blocks out.
        let until = hour + 150 + round * 17;
        kill_after(&mut child, |line| {
            if let Some((_, stored)) = line.split_once("ack ") {
                hour = stored.parse::<i64>().expect("a number") + 1;
            }
            hour >= until
        });
        // One hour may be stored that was not acknowledged.
        first = hour + 1;
        let store = Store::open(limited(dir.path())).expect("opens");
        check(&store, dir.path());
    }
    let store = Store::open(limited(dir.path())).expect("opens");
    assert!(bytes(&store, Reason::Error) > 0, "{:?}", rooms(&store));
    assert_eq!(found(&store, INCIDENT), 3, "the first failure of all");
}
