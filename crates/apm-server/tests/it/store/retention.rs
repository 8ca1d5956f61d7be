//! Data that is too old or too much goes, and nothing else.

use std::time::{Duration, Instant};

use apm_store::event::{Batch, Cost, Event};
use apm_store::{Store, StoreError, StoreOptions, trace};

use super::rollups::check_event_counts;
use super::{number, options, submit, wait_until};
use crate::support::events::{batch, metricset, now, pairs, resource, span, transaction};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A batch that arrived some days ago.
fn aged(days: i64, first: u64, count: u64) -> Batch {
    let mut sent = Batch::new(resource("shop"), now() - days * 86_400_000_000);
    for number in first..first + count {
        let event = transaction(&mut sent, number, "a");
        sent.events.push(Event::Transaction(event));
        let event = metricset(&mut sent, 1.0);
        sent.events.push(Event::Metricset(event));
    }
    sent
}

#[test]
fn events_go_by_their_arrival_and_not_by_their_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = StoreOptions {
        raw_max_age: Some(7 * DAY),
        rollup_max_age: Some(90 * DAY),
        trusted_jump: 1000 * DAY,
        ..options(dir.path())
    };
    {
        // Events arrive in a store that keeps everything: all of them carry the same, old time.
        let keeps = Store::open(super::options(dir.path())).expect("opens");
        submit(&keeps, aged(8, 0, 128));
        submit(&keeps, aged(6, 1000, 128));
    }
    let deletes = Store::open(options).expect("opens");
    wait_until("the old ones are gone", || {
        number(&deletes, "SELECT count(*) AS n FROM tx") == 128
    });
    let old = deletes.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 5)));
    assert!(old.expect("reads").is_empty());
    let young = deletes.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 1005)));
    assert_eq!(young.expect("reads").len(), 1);
    assert_eq!(number(&deletes, "SELECT count(*) AS n FROM metricset"), 128);
    assert_eq!(
        number(&deletes, "SELECT count(*) AS n FROM metric_sample"),
        128
    );
    // Something arrived for this bucket six days ago.
    assert_eq!(
        number(&deletes, "SELECT sum(n) AS n FROM roll_tx WHERE level = 60"),
        256
    );
    wait_until("it is counted", || deletes.stats().deleted_blocks == 2);
    check_event_counts(&deletes);
}

#[test]
fn rollups_outlive_events_and_what_nothing_refers_to_is_swept() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        submit(&keeps, aged(30, 0, 128));
        let mut sent = Batch::new(resource("gone"), now() - 100 * 86_400_000_000);
        let mut event = span(&mut sent, 1, "select a from b");
        event.timestamp -= 86_400_000_000;
        event.cost = Some(Cost {
            steps: 9,
            ..Cost::default()
        });
        sent.events.push(Event::Span(event));
        submit(&keeps, sent);
    }
    let options = StoreOptions {
        raw_max_age: Some(7 * DAY),
        rollup_max_age: Some(90 * DAY),
        trusted_jump: 1000 * DAY,
        ..options(dir.path())
    };
    let deletes = Store::open(options).expect("opens");
    wait_until("what is unused is swept", || {
        number(&deletes, "SELECT count(*) AS n FROM service") == 1
    });
    for (table, rows) in [
        ("tx", 0),
        ("block", 0),
        ("trace_at", 0),
        ("resource", 0),
        ("stack", 0),
        ("span_group", 0),
        ("metric_name", 1),
        ("metric_series", 1),
        ("statement", 0),
        ("roll_statement", 0),
        ("roll_statement_hist", 0),
        ("roll_statement_cost", 0),
        ("roll_statement_steps", 0),
        ("tx_group", 1),
    ] {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        assert_eq!(number(&deletes, &sql), rows, "{table}");
    }
    let levels = "SELECT count(DISTINCT level) * 10000 + min(level) AS n FROM roll_tx";
    assert_eq!(
        number(&deletes, levels),
        20_600,
        "minutes go with the events"
    );
    // The names come back with the next event.
    submit(&deletes, aged(0, 5, 1));
    assert_eq!(
        number(&deletes, "SELECT count(*) AS n FROM v_transactions"),
        1
    );
    assert_eq!(number(&deletes, "SELECT count(*) AS n FROM v_metrics"), 1);
}

#[test]
fn old_rollups_go_without_a_pause_however_many_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        let mut sent = Batch::new(resource("shop"), now() - 100 * 86_400_000_000);
        for number in 0..300 {
            let mut event = transaction(&mut sent, number, "a");
            event.timestamp += i64::try_from(number).expect("few") * 3_600_000_000;
            sent.events.push(Event::Transaction(event));
        }
        submit(&keeps, sent);
    }
    let deletes = Store::open(StoreOptions {
        rollup_max_age: Some(90 * DAY),
        trusted_jump: 1000 * DAY,
        ..options(dir.path())
    })
    .expect("opens");
    wait_until("all of them are gone", || {
        number(&deletes, "SELECT count(*) AS n FROM roll_tx") == 0
    });
}

#[test]
fn a_clock_that_is_a_month_ahead_at_the_start_deletes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        // The clock is right, and these are what a clock ahead by 30 days finds.
        submit(&keeps, aged(31, 0, 128));
        submit(&keeps, aged(30, 1000, 128));
    }
    let believes_nobody = Store::open(StoreOptions {
        raw_max_age: Some(7 * DAY),
        rollup_max_age: Some(20 * DAY),
        ..options(dir.path())
    })
    .expect("opens");
    // Each arrival is followed by a look at what is too old; these are of the time that the data had.
    for number in 0..20 {
        submit(&believes_nobody, aged(0, 5000 + number, 1));
    }
    let held = |what: &str| {
        number(
            &believes_nobody,
            &format!("SELECT count(*) AS n FROM {what}"),
        )
    };
    wait_until("the arrivals are stored", || held("tx") >= 276);
    // A look follows a commit after 100 ms at most: an event that is too old by any clock shows that it was made.
    let gone = Instant::now() + Duration::from_millis(600);
    wait_until("looks were made", || Instant::now() > gone);
    assert_eq!(held("tx"), 276);
    assert_eq!(held("roll_tx WHERE level = 3600"), 1);
}

#[test]
fn what_is_deleted_makes_another_version_of_the_data() {
    let dir = tempfile::tempdir().expect("a directory");
    let deletes = Store::open(StoreOptions {
        raw_max_age: Some(7 * DAY),
        ..options(dir.path())
    })
    .expect("opens");
    let ticket = deletes.submit(aged(8, 0, 1000)).expect("room");
    let before = ticket.wait().expect("stored").data_version;
    wait_until("the old ones are gone", || {
        number(&deletes, "SELECT count(*) AS n FROM tx") == 0
    });
    wait_until("it is said", || deletes.data_version() > before);
}

#[test]
fn the_files_stay_below_their_limit_while_events_come() {
    const LIMIT: u64 = 6 << 20;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = Store::open(StoreOptions {
        max_size: Some(LIMIT),
        ..options(dir.path())
    })
    .expect("opens");
    let mut random = fastrand(1);
    let mut largest = 0;
    let rounds = 160;
    for round in 0..rounds {
        let mut sent = batch("shop");
        for number in 0..250 {
            let mut event = transaction(&mut sent, round * 1000 + number, "a");
            let noise: String = (0..20).map(|_| format!("{:016x}", random())).collect();
            event.rest = sent.keep(&format!(r#"{{"noise":"{noise}"}}"#));
            sent.events.push(Event::Transaction(event));
        }
        submit(&limited, sent);
        let stats = limited.stats();
        largest = largest.max(stats.database_bytes);
    }
    wait_until("the files are small enough", || {
        let stats = limited.stats();
        stats.database_bytes + stats.log_bytes <= LIMIT
    });
    assert!(largest < LIMIT + LIMIT / 4, "{largest} bytes at one time");
    let stats = limited.stats();
    assert!(stats.deleted_blocks > 100, "{stats:?}");
    let newest = format!("{:032x}", (rounds - 1) * 1000 + 249);
    let found = limited.read::<_, StoreError>(|conn| trace(conn, &newest));
    assert_eq!(found.expect("reads").len(), 1, "the newest event stays");
    check_event_counts(&limited);
    // Under load the hours follow within a second or so.
    let all = i64::try_from(rounds * 250).expect("fits");
    wait_until("the rollups know of all", || {
        let hours = "SELECT sum(n) AS n FROM roll_tx WHERE level = 3600";
        number(&limited, hours) == all
    });
}

#[test]
fn space_is_given_back_to_the_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        for round in 0..80 {
            let mut sent = aged(8, round * 1000, 500);
            for event in &mut sent.events {
                let Event::Transaction(event) = event else {
                    continue;
                };
                event.trace_id = event.id;
            }
            submit(&keeps, sent);
        }
        submit(&keeps, pairs("shop", 1_000_000, 10));
    }
    let before = std::fs::metadata(dir.path().join("apm.db"))
        .expect("a file")
        .len();
    let deletes = Store::open(StoreOptions {
        raw_max_age: Some(7 * DAY),
        ..options(dir.path())
    })
    .expect("opens");
    wait_until("the old ones are gone", || {
        // Events that share a block with a young one are as young.
        number(&deletes, "SELECT count(*) AS n FROM tx") < 10 + 128
    });
    wait_until("the file is smaller", || {
        deletes.stats().database_bytes < before / 2
    });
}

/// A generator of numbers that compress badly.
fn fastrand(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    }
}
