//! Statements that run again and again are planned once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::{output, scratch, share};

/// The reads of retention, of the output and of sharing that come each second, or more often.
fn looks(conn: &mut SqliteConnection, retention: &Retention) {
    retention.old_blocks(conn, 1_000_000).expect("read");
    retention.old_buckets(conn, 1_000_000).expect("read");
    size::oldest_blocks(conn, 3).expect("read");
    delete::has_stale_keys(conn).expect("read");
    delete::trace_keys(conn).expect("deleted");
    delete::unused(conn, 1_000_000).expect("deleted");
    kept::whole_since(conn).expect("read");
    newest_arrival(conn).expect("read");
    output::open(conn, "0123456789ab").expect("read");
    output::next(conn, &mut crate::Texts::default(), -1).expect("read");
    output::newest(conn, -1).expect("read");
    output::aggregates(conn, 10).expect("read");
    share::pending(conn, 10).expect("read");
    share::waiting(conn, 10).expect("read");
    share::pack(conn).expect("read");
}

#[test]
fn statements_that_run_again_and_again_are_planned_once() {
    sqlite_meter::install().expect("once");
    let conn = &mut scratch(&[]).expect("in memory");
    let mut options = StoreOptions::new("unused");
    options.raw_max_age = Some(Duration::from_secs(60));
    options.rollup_max_age = Some(Duration::from_secs(60));
    options.keeps_unsent = true;
    let retention = Retention::new(options);
    // The first run prepares them, and may be the first that the schema is read for.
    looks(conn, &retention);
    let planned = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&planned);
    sqlite_meter::attach(conn, sqlite_meter::Options::default(), move |finished| {
        let again = finished.counters().reprepares;
        counted.fetch_add(again, Ordering::Relaxed);
        if again > 0 {
            eprintln!("planned anew: {}", finished.sql());
        }
    })
    .expect("attached");
    for _ in 0..3 {
        looks(conn, &retention);
    }
    assert_eq!(planned.load(Ordering::Relaxed), 0);
    // A bare parameter is looked at by the planner. Without this, the test would show nothing.
    for _ in 0..3 {
        let first: Option<i64> = block::table
            .order(block::id.asc())
            .select(block::id)
            .first(conn)
            .optional()
            .expect("read");
        assert_eq!(first, None);
    }
    assert!(planned.load(Ordering::Relaxed) > 0);
}
