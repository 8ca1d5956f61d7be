//! The write-ahead log has a bound, also while readers hold it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apm_store::{Store, StoreError, StoreOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{number, options, wait_until};
use crate::support::events::pairs;

const LIMIT: u64 = 16 << 20;

fn limited(dir: &std::path::Path) -> Store {
    let options = StoreOptions {
        max_size: Some(LIMIT),
        ..options(dir)
    };
    Store::open(options).expect("opens")
}

/// Reads in one snapshot for a while.
fn read_for(store: &Store, time: Duration) -> Result<i64, StoreError> {
    store.read(|conn| {
        let start = Instant::now();
        loop {
            let found =
                diesel::sql_query("SELECT count(*) AS n FROM tx, (SELECT 1 FROM tx LIMIT 4)")
                    .get_result::<super::Number>(conn)?
                    .n;
            if start.elapsed() >= time {
                return Ok(found);
            }
        }
    })
}

fn size(store: &Store) -> u64 {
    let stats = store.stats();
    stats.database_bytes + stats.log_bytes
}

#[test]
fn readers_that_overlap_do_not_let_log_and_database_grow_beyond_the_limit_and_a_tenth() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = limited(dir.path());
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut largest = 0;
    std::thread::scope(|scope| {
        for reader in 0..3u64 {
            let (store, done, reads) = (store.clone(), &done, &reads);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    // They never end at the same time.
                    read_for(&store, Duration::from_millis(30 + 50 * reader)).expect("reads go on");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut first = 0;
        while (first < 60_000 || reads.load(Ordering::Relaxed) < 60) && Instant::now() < deadline {
            store
                .submit_when_room(pairs("shop", first, 200))
                .expect("open")
                .wait()
                .expect("stored");
            first += 200;
            largest = largest.max(size(&store));
        }
        done.store(true, Ordering::Relaxed);
    });
    let stats = store.stats();
    assert!(stats.events >= 120_000, "{stats:?}");
    assert!(largest <= LIMIT / 10 * 11, "{largest} bytes: {stats:?}");
    assert!(stats.log_bytes <= stats.log_limit, "{stats:?}");
    assert!(stats.reader_pauses > 0, "they were in the way: {stats:?}");
    assert!(
        stats.trouble.is_none() && stats.log_pinned.is_none(),
        "{stats:?}"
    );
    assert!(number(&store, "SELECT count(*) AS n FROM tx") > 5000);
}

#[test]
fn another_process_that_reads_is_told_and_events_are_refused_before_the_disk_is_full() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = limited(dir.path());
    let submit = |first| {
        store
            .submit(pairs("shop", first, 200))
            .expect("room")
            .wait()
    };
    submit(0).expect("stored");
    // A connection of which the store knows nothing.
    let path = dir.path().join("apm.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    other
        .batch_execute("BEGIN; SELECT count(*) FROM tx")
        .expect("reads");
    let mut next = 200;
    let error = loop {
        match submit(next) {
            Ok(_) => next += 200,
            Err(error) => break error,
        }
        assert!(size(&store) <= LIMIT / 10 * 11, "{:?}", store.stats());
        assert!(
            next < 1_000_000,
            "the log has no bound: {:?}",
            store.stats()
        );
    };
    assert!(matches!(error, StoreError::LogPinned(_)), "{error:?}");
    let message = error.to_string();
    for word in ["apm.db", "another process", "end it"] {
        assert!(message.contains(word), "{message}");
    }
    let stats = store.stats();
    // The number of events depends on whether the tables themselves were carried over before the reader came.
    assert!(
        next > 200 && stats.log_bytes > stats.log_limit / 2,
        "it is told before it is full: {next}, {stats:?}"
    );
    assert!(stats.log_pinned.is_some(), "{stats:?}");
    assert!(matches!(stats.trouble, Some(StoreError::LogPinned(_))));
    assert!(
        store.probe().expect("room").wait().is_err(),
        "nor is it well"
    );
    assert_eq!(
        number(&store, "SELECT count(*) AS n FROM tx"),
        i64::try_from(next).expect("few"),
        "reads go on"
    );
    // Refusals are quick, and the log does not grow by them.
    let (start, before) = (Instant::now(), store.stats().log_bytes);
    for _ in 0..5 {
        assert!(submit(next).is_err());
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(store.stats().log_bytes, before);

    other.batch_execute("COMMIT").expect("ends");
    wait_until("it takes events again", || submit(next).is_ok());
    let stats = store.stats();
    assert!(
        stats.trouble.is_none() && stats.log_pinned.is_none(),
        "{stats:?}"
    );
    assert!(stats.log_bytes < before);
    assert_eq!(
        number(&store, "SELECT count(*) AS n FROM tx"),
        i64::try_from(next).expect("few") + 200
    );
}

#[test]
fn a_query_that_takes_seconds_holds_events_up_and_loses_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = limited(dir.path());
    let reading = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            read_for(&store, Duration::from_secs(2)).expect("read to its end");
            reading.store(false, Ordering::Relaxed);
        });
        let mut first = 0;
        while reading.load(Ordering::Relaxed) {
            let stored = store
                .submit(pairs("shop", first, 200))
                .expect("room")
                .wait();
            stored.expect("held up, and stored");
            first += 200;
            assert!(size(&store) <= LIMIT / 10 * 11, "{:?}", store.stats());
        }
    });
}
