//! The database itself: read, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use sql_advisor::{AdviseError, Options, advise};

use crate::support::{Database, changes, numbers, recorded};

const WORKLOAD: [(&str, f64); 2] = [
    ("SELECT a FROM t WHERE b = ?", 10.0),
    ("DELETE FROM t WHERE a = ?", 1.0),
];

/// The files of a directory with their contents. What SQLite shares between processes (`-shm`) is no data.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap());
    files
        .map(|file| {
            (
                file.file_name().into_string().unwrap(),
                std::fs::read(file.path()).unwrap(),
            )
        })
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect()
}

fn rows() -> String {
    format!(
        "CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t {} SELECT n, n % 500 FROM s;",
        numbers(1_000)
    )
}

#[test]
fn no_byte_of_a_database_changes_and_no_file_appears_beside_it() {
    for mode in ["DELETE", "WAL"] {
        let database = Database::new(&format!("PRAGMA journal_mode = {mode}; {}", rows()));
        let before = files(database.directory.path());
        assert_eq!(before.len(), 1, "{mode}");
        let advice = database.advise(&WORKLOAD);
        assert_eq!(
            changes(&advice),
            ["CREATE INDEX t_b ON t (b)", "CREATE INDEX t_a ON t (a)"],
            "{advice:#?}"
        );
        assert_eq!(files(database.directory.path()), before, "{mode}");
        let shm = database.directory.path().join("shop.db-shm");
        assert!(!shm.exists(), "{mode}");
    }
}

#[test]
fn a_log_that_is_in_use_is_read_and_left_as_it_is() {
    let database = Database::new("PRAGMA journal_mode = WAL");
    let writer = Connection::open(&database.path).unwrap();
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    writer.execute_batch(&rows()).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (0, 0)")
        .unwrap();
    let before = files(database.directory.path());
    assert!(before["shop.db-wal"].len() > 10_000);
    let advice = database.advise(&WORKLOAD);
    assert_eq!(changes(&advice)[0], "CREATE INDEX t_b ON t (b)");
    assert_eq!(files(database.directory.path()), before);
    writer.execute_batch("COMMIT").unwrap();
    let count: i64 = writer
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1_001);
}

#[test]
fn the_copy_is_gone_afterwards() {
    let database = Database::new(&rows());
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        directory: directory.path().to_owned(),
        ..Options::default()
    };
    database.advise_with(&WORKLOAD, &options);
    assert_eq!(files(directory.path()).len(), 0);
    let missing = Options {
        directory: directory.path().join("none"),
        ..Options::default()
    };
    let error = advise(&database.path, &recorded(&WORKLOAD), &missing, &mut |_| ()).unwrap_err();
    assert!(matches!(error, AdviseError::Copy { .. }), "{error}");
}

#[test]
fn what_is_no_database_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    std::fs::write(
        &text,
        "this is text, and long enough to be looked at as a database header is",
    )
    .unwrap();
    for path in [
        directory.path().join("none.db"),
        text,
        directory.path().to_owned(),
    ] {
        let error = advise(
            &path,
            &recorded(&WORKLOAD),
            &Options::default(),
            &mut |_| (),
        )
        .unwrap_err();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().contains(name), "{error}");
        assert!(!directory.path().join("none.db").exists());
    }
}

#[test]
fn it_stops_when_it_is_asked_to() {
    let database = Database::new(&rows());
    let options = Options::default();
    let stop = options.stop.clone();
    let mut stages = 0;
    let error = advise(&database.path, &recorded(&WORKLOAD), &options, &mut |_| {
        stages += 1;
        stop.store(stages >= 3, Ordering::Relaxed);
    })
    .unwrap_err();
    assert!(matches!(error, AdviseError::Stopped), "{error}");
}
