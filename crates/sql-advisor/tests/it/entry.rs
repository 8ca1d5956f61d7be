//! The time of writing an entry of an index, in steps of reading. `.ci/torture` runs it.

use std::time::Instant;

use rusqlite::Connection;
use sql_advisor::ENTRY_STEPS;

/// Prints the time of an index entry over the time of a step of a scan, for several sizes of a table.
#[test]
#[ignore = "takes seconds, and its bounds are for a machine that does nothing else"]
fn an_entry_of_an_index_takes_fewer_steps_than_the_constant_in_small_tables_and_more_in_large_ones()
{
    let mut entries = Vec::new();
    for rows in [10_000, 100_000, 1_000_000] {
        let directory = tempfile::tempdir().unwrap();
        let conn = Connection::open(directory.path().join("a.db")).unwrap();
        conn.execute_batch(
            "PRAGMA synchronous = OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT)",
        )
        .unwrap();
        let insert = |from: i64, to: i64| {
            let start = Instant::now();
            conn.execute_batch("BEGIN").unwrap();
            let mut insert = conn
                .prepare("INSERT INTO t VALUES (?1, ?1 * 2654435761 % 1000003, 'text' || ?1)")
                .unwrap();
            for id in from..to {
                insert.execute([id]).unwrap();
            }
            conn.execute_batch("COMMIT").unwrap();
            start.elapsed().as_secs_f64() / (to - from) as f64
        };
        insert(0, rows);
        let without = insert(rows, rows + 10_000);
        let mut scan = conn
            .prepare("SELECT count(*) FROM t WHERE b = 'none'")
            .unwrap();
        let start = Instant::now();
        let _: i64 = scan.query_row([], |row| row.get(0)).unwrap();
        let steps = scan.get_status(rusqlite::StatementStatus::VmStep);
        let step = start.elapsed().as_secs_f64() / f64::from(steps);
        conn.execute_batch("CREATE INDEX t_a ON t (a)").unwrap();
        let with = insert(rows + 10_000, rows + 20_000);
        entries.push((with - without) / step);
        eprintln!(
            "{rows} rows: a step {:.1} ns, an INSERT {:.2} us, with an index {:.2} us: an entry is {:.0} steps",
            step * 1e9,
            without * 1e6,
            with * 1e6,
            (with - without) / step
        );
    }
    assert!(
        entries[0] < ENTRY_STEPS && ENTRY_STEPS < entries[2],
        "{entries:?}"
    );
}
