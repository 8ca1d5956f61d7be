//! Statements that run again and again are planned once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection;

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
    delete::instances(conn, 1_000_000).expect("deleted");
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

#[test]
fn longer_stretches_of_an_instance_go_with_the_minutes_of_their_hour() {
    let conn = &mut scratch(&[]).expect("in memory");
    let hour = 3600;
    conn.batch_execute(&format!(
        "INSERT INTO instance VALUES (1, 1, 'n', '', '', '', '', {now}); \
         INSERT INTO roll_received SELECT 60, value, value FROM json_each('[{left}, {now}]'); \
         INSERT INTO roll_instance \
             SELECT l.value, 1, b.value, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL \
             FROM json_each('[600, 3600]') l, json_each('[{gone}, {begun}, {now}]') b; \
         INSERT INTO roll_instance_hist SELECT level, 1, bucket, 3, 1 FROM roll_instance",
        gone = 8 * hour,
        begun = 9 * hour,
        left = 9 * hour + 120,
        now = 10 * hour,
    ))
    .expect("inserted");
    delete::instances(conn, 0).expect("deleted");
    for table in ["roll_instance", "roll_instance_hist"] {
        for level in [600, 3600] {
            let first = format!("SELECT min(bucket) AS n FROM {table} WHERE level = {level}");
            assert_eq!(
                crate::number::number(conn, &first),
                Ok(9 * hour),
                "{table} {level}"
            );
        }
    }
}

#[test]
fn instances_that_are_gone_for_as_long_as_events_are_kept_go_with_their_counts() {
    let conn = &mut scratch(&[]).expect("in memory");
    let hour = 3600;
    for (id, last_seen) in [(1, 10 * hour), (2, 20 * hour)] {
        let sql = format!(
            "INSERT INTO instance VALUES ({id}, 1, 'n{id}', '', '', '', '', {last_seen}); \
             INSERT INTO roll_instance SELECT value, {id}, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL \
                 FROM json_each('[60, 600, 3600]'); \
             INSERT INTO roll_instance_hist SELECT value, {id}, 0, 3, 1 FROM json_each('[60, 600, 3600]')"
        );
        conn.batch_execute(&sql).expect("inserted");
    }
    delete::instances(conn, 15 * hour).expect("deleted");
    for (table, id, rows) in [
        ("instance", "id", 1),
        ("roll_instance", "instance_id", 3),
        ("roll_instance_hist", "instance_id", 3),
    ] {
        let left = format!("SELECT count(*) AS n FROM {table} WHERE {id} = 2");
        assert_eq!(crate::number::number(conn, &left), Ok(rows), "{table}");
        let all = format!("SELECT count(*) AS n FROM {table}");
        assert_eq!(crate::number::number(conn, &all), Ok(rows), "{table}");
    }
}
