//! The files stay within their limit whatever fills them, and what goes is the oldest of what helps.

use std::path::Path;
use std::time::{Duration, Instant};

use apm_store::event::{Batch, Cost, Event};
use apm_store::{Store, StoreError, StoreOptions, trace};
use diesel::prelude::*;

use super::rollups::check_event_counts;
use super::{number, options, submit, wait_until};
use crate::support::events::{batch, error, log, metricset, now, span, transaction};

const MIB: u64 = 1 << 20;

fn limited(dir: &Path, max_size: u64) -> Store {
    let options = StoreOptions {
        max_size: Some(max_size),
        ..options(dir)
    };
    Store::open(options).expect("opens")
}

/// Waits until the files are within the limit and nothing more is deleted.
fn settle(store: &Store, limit: u64) {
    let mut version = store.data_version();
    let mut quiet = Instant::now();
    wait_until("the files are within the limit", || {
        let stats = store.stats();
        if store.data_version() != version {
            version = store.data_version();
            quiet = Instant::now();
        }
        stats.database_bytes + stats.log_bytes <= limit
            && quiet.elapsed() > Duration::from_millis(300)
    });
}

/// Whatever refers to a name finds it.
fn check_names(store: &Store) {
    for (from, column, to) in [
        ("tx", "group_id", "tx_group"),
        ("tx", "resource_id", "resource"),
        ("tx", "result_id", "result"),
        ("span", "group_id", "span_group"),
        ("span", "resource_id", "resource"),
        ("span", "destination_id", "destination"),
        ("span", "statement_id", "statement"),
        ("error", "group_id", "error_group"),
        ("error", "tx_group_id", "tx_group"),
        ("log", "service_id", "service"),
        ("metric_sample", "name_id", "metric_name"),
        ("metric_sample", "service_id", "service"),
        ("roll_tx", "group_id", "tx_group"),
        (
            "roll_tx",
            "result_id",
            "(SELECT id FROM result UNION ALL SELECT 0)",
        ),
        ("roll_tx_hist", "group_id", "tx_group"),
        ("roll_statement", "statement_id", "statement"),
        ("roll_statement_hist", "statement_id", "statement"),
        ("roll_statement_cost", "statement_id", "statement"),
        ("roll_statement_steps", "statement_id", "statement"),
        ("roll_vital", "group_id", "tx_group"),
        ("metric_series", "name_id", "metric_name"),
        ("roll_metric", "series_id", "metric_series"),
        ("roll_metric_hist", "series_id", "metric_series"),
        ("instance", "service_id", "service"),
        ("roll_instance", "instance_id", "instance"),
        ("roll_instance_hist", "instance_id", "instance"),
        ("roll_destination", "destination_id", "destination"),
        ("roll_call", "destination_id", "destination"),
        ("roll_error", "group_id", "error_group"),
        ("tx_group", "service_id", "service"),
    ] {
        let orphans = number(
            store,
            &format!(
                "SELECT count(*) AS n FROM {from} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {to})"
            ),
        );
        assert_eq!(orphans, 0, "{from}.{column}");
    }
    check_event_counts(store);
}

fn rows(store: &Store, table: &str) -> i64 {
    number(store, &format!("SELECT count(*) AS n FROM {table}"))
}

fn newest_is_whole(store: &Store, number: u64, events: usize) {
    let id = format!("{number:032x}");
    let found = store.read::<_, StoreError>(|conn| trace(conn, &id));
    assert_eq!(found.expect("reads").len(), events, "the newest stays");
}

#[test]
fn statements_that_differ_each_time_stay_within_the_limit() {
    const LIMIT: u64 = 8 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    for round in 0..40 {
        let mut sent = batch("shop");
        for number in round * 50..round * 50 + 50 {
            let columns: Vec<_> = (0..700).map(|n| format!("c{number}_{n}")).collect();
            let statement = format!("select {} from people", columns.join(", "));
            let mut event = transaction(&mut sent, number, "a");
            event.timestamp = now();
            sent.events.push(Event::Transaction(event));
            let mut event = span(&mut sent, number, &statement);
            event.timestamp = now();
            event.cost = Some(Cost {
                steps: 9,
                ..Cost::default()
            });
            sent.events.push(Event::Span(event));
        }
        submit(&limited, sent);
    }
    settle(&limited, LIMIT);
    check_names(&limited);
    assert!(rows(&limited, "span") > 100);
    assert!(rows(&limited, "statement") > 100);
    assert!(rows(&limited, "roll_statement") > 100);
    assert_eq!(
        number(&limited, "SELECT sum(n) AS n FROM roll_tx WHERE level = 60"),
        2000,
        "what does not help stays"
    );
    newest_is_whole(&limited, 1999, 2);
}

#[test]
fn names_with_an_id_in_them_stay_within_the_limit_and_leave_room_for_events() {
    const LIMIT: u64 = 8 * MIB;
    const NAMES: u64 = 40_000;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    for first in (0..NAMES).step_by(500) {
        let mut sent = batch("shop");
        for number in first..first + 500 {
            let mut event = transaction(&mut sent, number, &format!("people/{number}"));
            event.timestamp = now();
            sent.events.push(Event::Transaction(event));
        }
        submit(&limited, sent);
    }
    settle(&limited, LIMIT);
    check_names(&limited);
    assert!(rows(&limited, "tx") > 2000, "{}", rows(&limited, "tx"));
    assert!(rows(&limited, "tx_group") > 5000);
    let minutes = "SELECT count(*) AS n FROM roll_tx WHERE level = 60";
    assert!(number(&limited, minutes) > 5000);
    newest_is_whole(&limited, NAMES - 1, 1);
    // A name that went comes back with its next event.
    let mut sent = batch("shop");
    for number in 0..10 {
        let event = transaction(&mut sent, number, &format!("people/{number}"));
        sent.events.push(Event::Transaction(event));
    }
    submit(&limited, sent);
    let stored = rows(&limited, "tx");
    assert_eq!(rows(&limited, "v_transactions"), stored);
}

#[test]
fn everything_else_that_differs_each_time_stays_within_the_limit() {
    const LIMIT: u64 = 8 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    for first in (0..16_000u64).step_by(200) {
        let mut sent = batch(&format!("shop {}", first / 1000));
        for number in first..first + 200 {
            let mut event = transaction(&mut sent, number, "a");
            event.result = Some(sent.keep(&format!("HTTP {number}")));
            sent.events.push(Event::Transaction(event));
            let mut event = span(&mut sent, number, "");
            event.db_statement = None;
            event.name = sent.keep(&format!("GET /people/{number}"));
            event.resource = Some(sent.keep(&format!("host-{number}")));
            let frames: Vec<_> = (0..20).map(|n| number * 7919 * (n + 1)).collect();
            event.stack = Some(sent.keep(&format!("{frames:?}")));
            sent.events.push(Event::Span(event));
            let mut event = error(&mut sent, number);
            event.grouping_key = number;
            event.transaction_name = Some(sent.keep(&format!("GET /{number}")));
            sent.events.push(Event::Error(event));
            let event = log(&mut sent, number);
            sent.events.push(Event::Log(event));
            let event = metricset(&mut sent, 1.0);
            let name = sent.keep(&format!("number.{number}"));
            sent.samples.last_mut().expect("a sample").name = name;
            sent.events.push(Event::Metricset(event));
        }
        submit(&limited, sent);
    }
    settle(&limited, LIMIT);
    check_names(&limited);
    assert!(rows(&limited, "tx") > 500, "{}", rows(&limited, "tx"));
    newest_is_whole(&limited, 15_999, 4);
    assert_eq!(rows(&limited, "v_spans"), rows(&limited, "span"));
    // Every stack that is left is found.
    let all = limited.read::<_, StoreError>(|conn| {
        let seqs = apm_store::schema::span::table
            .select(apm_store::schema::span::seq)
            .load::<i64>(conn)?;
        apm_store::events(conn, &seqs)
    });
    let all = all.expect("every stack is there");
    assert!(all.iter().all(|event| event.stack.is_some()));
}

#[test]
fn the_trace_index_shrinks_with_the_events() {
    const LIMIT: u64 = 4 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    for first in (0..40_000u64).step_by(1000) {
        let mut sent = batch("shop");
        for number in first..first + 1000 {
            let event = transaction(&mut sent, number, "a");
            sent.events.push(Event::Transaction(event));
        }
        submit(&limited, sent);
    }
    settle(&limited, LIMIT);
    check_names(&limited);
    let (keys, events) = (rows(&limited, "trace_at"), rows(&limited, "tx"));
    assert!(events > 2000, "{events}");
    // Some blocks may have gone since it was last trimmed.
    assert!(keys <= events + 140 * 128, "{keys} keys of {events} events");
    newest_is_whole(&limited, 39_999, 1);
}

#[test]
fn callers_go_before_the_rollups_of_the_present() {
    const LIMIT: u64 = 8 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    let mut sent = batch("shop");
    for number in 0..1000 {
        let mut event = transaction(&mut sent, number, "a");
        event.timestamp = now();
        sent.events.push(Event::Transaction(event));
    }
    submit(&limited, sent);
    limited
        .write(|conn| {
            diesel::sql_query(
                "INSERT INTO roll_caller WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 200000) \
                 SELECT 60, 1767225600 + n / 20 * 60, 1, n, 1, 1, 1, 1, 1, 0, 7, 1 FROM s",
            )
            .execute(conn)?;
            diesel::sql_query(
                "INSERT INTO roll_caller_written SELECT DISTINCT level, bucket, 0 FROM roll_caller",
            )
            .execute(conn)
        })
        .expect("room")
        .wait()
        .expect("written");
    settle(&limited, LIMIT);
    let callers = rows(&limited, "roll_caller");
    assert!((20_000..180_000).contains(&callers), "{callers}");
    let newest = "SELECT max(bucket) AS n FROM roll_caller";
    assert_eq!(number(&limited, newest), 1_767_225_600 + 600_000);
    // The buckets that are left are told right.
    let left = number(
        &limited,
        "SELECT count(DISTINCT bucket) AS n FROM roll_caller",
    );
    assert_eq!(rows(&limited, "roll_caller_written"), left);
    let untold = "SELECT count(*) AS n FROM roll_caller r WHERE NOT EXISTS \
        (SELECT 1 FROM roll_caller_written w WHERE w.level = r.level AND w.bucket = r.bucket)";
    assert_eq!(number(&limited, untold), 0);
    assert_eq!(rows(&limited, "tx"), 1000);
    assert_eq!(
        number(&limited, "SELECT sum(n) AS n FROM roll_tx WHERE level = 60"),
        1000
    );
}

#[test]
fn old_rollups_go_before_the_last_events_and_those_of_the_present_stay() {
    const LIMIT: u64 = 3 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    // From the beginning of an hour on, so that there are as many buckets at any time of day.
    let begin = now() - 400 * 60_000_000;
    let begin = begin - begin % 3_600_000_000;
    {
        let keeps = Store::open(options(dir.path())).expect("opens");
        // Rollups of some hundred minutes, received one after the other: they alone take more than the limit leaves.
        for minute in 0..300i64 {
            let received = begin + minute * 60_000_000;
            let mut sent = Batch::new(crate::support::events::resource("shop"), received);
            for name in 0..100u64 {
                let number = minute.unsigned_abs() * 100 + name;
                let mut event = transaction(&mut sent, number, &format!("{name}"));
                event.timestamp = received;
                sent.events.push(Event::Transaction(event));
            }
            submit(&keeps, sent);
        }
        let mut sent = batch("shop");
        for number in 1_000_000..1_000_100 {
            let mut event = transaction(&mut sent, number, "new");
            event.timestamp = now();
            sent.events.push(Event::Transaction(event));
        }
        submit(&keeps, sent);
    }
    let limited = limited(dir.path(), LIMIT);
    settle(&limited, LIMIT);
    check_names(&limited);
    newest_is_whole(&limited, 1_000_099, 1);
    assert!(rows(&limited, "tx") > 2000, "{}", rows(&limited, "tx"));
    let buckets = rows(&limited, "roll_received");
    // The last step takes up to 32 buckets, more than it has to.
    assert!((100..300).contains(&buckets), "{buckets}");
    let present = "SELECT sum(n) AS n FROM roll_tx r JOIN tx_group g ON g.id = r.group_id \
        WHERE level = 3600 AND name = 'GET /new'";
    assert_eq!(number(&limited, present), 100);
}

#[test]
fn the_log_does_not_keep_room_from_events_while_nothing_comes() {
    const LIMIT: u64 = 8 * MIB;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT);
    for first in (0..10_000u64).step_by(1000) {
        submit(&limited, crate::support::events::pairs("shop", first, 1000));
    }
    wait_until("the log is small", || {
        limited.stats().log_bytes <= LIMIT / 16
    });
    assert_eq!(rows(&limited, "tx"), 10_000);
}
