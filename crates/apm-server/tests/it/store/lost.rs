//! A log that is deleted, replaced or cut while the store is open.

use std::fs::{self, OpenOptions};
use std::path::Path;

use apm_store::{Store, StoreError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{number, open, wait_until};
use crate::support::events::pairs;

const COUNT: &str = "SELECT count(*) AS n FROM tx";

fn submit(store: &Store, first: u64) -> Result<(), StoreError> {
    let ticket = store.submit(pairs("shop", first, 5)).expect("room");
    ticket.wait().map(|_| ())
}

fn cut(file: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(file);
    file.expect("a file").set_len(bytes).expect("cut");
}

/// The store after a start behind a kill at this moment.
fn after_a_kill(dir: &Path) -> Store {
    let copy = dir.join("copy");
    fs::create_dir_all(&copy).expect("a directory");
    for name in ["apm.db", "apm.db-wal"] {
        fs::copy(dir.join(name), copy.join(name)).expect("copied");
    }
    let store = open(&copy);
    let check = "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_eq!(number(&store, check), 0);
    store
}

#[test]
fn a_log_that_is_not_at_its_path_any_more_is_saved_and_nothing_is_lost() {
    type Harm = fn(&Path, &Path);
    let harms: [(&str, Harm); 5] = [
        ("deleted", |log, _| fs::remove_file(log).expect("deleted")),
        ("moved away", |log, away| {
            fs::rename(log, away).expect("moved")
        }),
        ("replaced by a text", |log, away| {
            fs::write(away, "this is no log").expect("written");
            fs::rename(away, log).expect("replaced");
        }),
        ("replaced by an old copy", |log, away| {
            fs::copy(log, away).expect("copied");
            fs::rename(away, log).expect("replaced");
        }),
        ("its index deleted", |log, _| {
            fs::remove_file(log.with_file_name("apm.db-shm")).expect("deleted");
        }),
    ];
    for (what, harm) in harms {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("apm.db-wal");
        let store = open(dir.path());
        submit(&store, 0).expect("stored");
        assert_eq!(number(&store, COUNT), 5);
        harm(&log, &dir.path().join("away"));
        submit(&store, 100).expect(what);
        assert_eq!(number(&store, COUNT), 10, "{what}");
        assert_eq!(store.stats().lost_logs, 1, "{what}");
        assert!(store.stats().trouble.is_none(), "{what}");
        submit(&store, 200).expect(what);
        assert_eq!(number(&after_a_kill(dir.path()), COUNT), 15, "{what}");
        let replaced = dir.path().join("apm.db-wal.replaced");
        assert_eq!(replaced.exists(), what.starts_with("replaced"), "{what}");
        drop(store);
        assert_eq!(number(&open(dir.path()), COUNT), 15, "{what}");
    }
}

#[test]
fn a_log_that_was_cut_or_overwritten_is_given_up_and_what_follows_is_safe() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 4] = [
        ("emptied", |log| cut(log, 0)),
        ("cut in the middle", |log| {
            cut(log, fs::metadata(log).expect("a log").len() / 2);
        }),
        ("overwritten by a text", |log| {
            fs::write(log, "this is no log").expect("written");
        }),
        ("overwritten in full", |log| {
            let bytes = fs::metadata(log).expect("a log").len();
            fs::write(log, vec![0x5a; usize::try_from(bytes).expect("small")]).expect("written");
        }),
    ];
    for (what, harm) in harms {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("apm.db-wal");
        let store = open(dir.path());
        for first in 0..20 {
            submit(&store, first * 10).expect("stored");
        }
        harm(&log);
        submit(&store, 1000).expect(what);
        let stats = store.stats();
        assert_eq!(stats.lost_logs, 1, "{what}");
        assert!(stats.trouble.is_none(), "{what}: {stats:?}");
        submit(&store, 2000).expect(what);
        let kept = number(&store, COUNT);
        assert!((10..110).contains(&kept), "{what}: {kept}");
        let killed = after_a_kill(dir.path());
        assert_eq!(
            number(&killed, COUNT),
            kept,
            "{what}: all since then is there"
        );
        for level in [60, 600, 3600] {
            let sql = format!("SELECT sum(n) AS n FROM roll_tx WHERE level = {level}");
            assert_eq!(number(&killed, &sql), kept, "{what}: counts agree");
        }
    }
}

#[test]
fn a_lost_log_is_refused_as_long_as_another_process_reads_and_saved_then() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, log) = (dir.path().join("apm.db"), dir.path().join("apm.db-wal"));
    let store = open(dir.path());
    submit(&store, 0).expect("stored");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    other
        .batch_execute("BEGIN; SELECT count(*) FROM tx")
        .expect("reads");
    fs::remove_file(&log).expect("deleted");
    let error = submit(&store, 100).expect_err("would be lost");
    assert!(matches!(error, StoreError::LogLost { .. }), "{error:?}");
    let message = error.to_string();
    for word in ["apm.db-wal", "deleted", "another process"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(matches!(
        store.stats().trouble,
        Some(StoreError::LogLost { .. })
    ));
    assert!(
        store.probe().expect("room").wait().is_err(),
        "nor is it well"
    );
    drop(other);
    submit(&store, 200).expect("whole again");
    assert!(store.stats().trouble.is_none());
    assert_eq!(
        store.stats().lost_logs,
        1,
        "one loss, however often it was met"
    );
    assert_eq!(number(&after_a_kill(dir.path()), COUNT), 10);
}

#[test]
fn a_lost_log_is_noticed_while_nothing_comes() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("apm.db-wal");
    let store = open(dir.path());
    submit(&store, 0).expect("stored");
    fs::remove_file(&log).expect("deleted");
    wait_until("it is noticed", || {
        store.stats().lost_logs > 0 && log.exists()
    });
    assert_eq!(number(&after_a_kill(dir.path()), COUNT), 5);
}

#[test]
fn what_another_process_may_do_to_the_log_is_no_loss() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("apm.db");
    let store = open(dir.path());
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    for round in 0..4 {
        submit(&store, round * 100).expect("stored");
        other
            .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .expect("emptied");
        submit(&store, round * 100 + 50).expect("stored");
        other
            .batch_execute("PRAGMA wal_checkpoint(RESTART); CREATE TABLE IF NOT EXISTS mine (a); INSERT INTO mine \
                VALUES (1)")
            .expect("written");
        submit(&store, round * 100 + 80).expect("stored");
    }
    assert_eq!(store.stats().lost_logs, 0);
    assert_eq!(number(&after_a_kill(dir.path()), COUNT), 60);
}

#[test]
fn a_database_that_is_cut_is_told_and_nothing_more_is_acknowledged() {
    for left in [0, 4096] {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("apm.db");
        submit(&open(dir.path()), 0).expect("stored");
        let store = open(dir.path());
        submit(&store, 50).expect("stored");
        cut(&path, left);
        let error = submit(&store, 100).expect_err("would be lost");
        assert!(matches!(error, StoreError::Gone(_)), "{left}: {error:?}");
    }
}
