//! A full disk, damaged files, files of others.

use std::fs;
use std::path::Path;

use apm_store::event::Event;
use apm_store::{Durability, OpenError, Store, StoreError, StoreOptions, SubmitError, trace};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{number, open, options, wait_until};
use crate::support::events::{batch, pairs, transaction};

fn refusal(path: &Path) -> OpenError {
    Store::open(StoreOptions::new(path)).expect_err("is refused")
}

#[test]
fn a_full_disk_is_told_reads_go_on_and_intake_resumes() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    store
        .submit(pairs("shop", 0, 100))
        .expect("room")
        .wait()
        .expect("stored");
    let pages = number(&store, "SELECT page_count AS n FROM pragma_page_count");
    let limit = format!("PRAGMA max_page_count = {}", pages + 4);
    store
        .write(move |conn| conn.batch_execute(&limit))
        .expect("room")
        .wait()
        .expect("limited");

    let mut refused = 0;
    let mut stored = 100;
    for round in 1..100 {
        // A new name each time: a rollback has to forget the numbers of names too.
        let mut sent = batch(&format!("shop {round}"));
        for number in 0..100 {
            let mut event = transaction(&mut sent, round * 1000 + number, "a");
            event.rest = sent.keep(&format!(r#"{{"n":"{}"}}"#, number * 7919 * round));
            sent.events.push(Event::Transaction(event));
        }
        match store.submit(sent).expect("room").wait() {
            Ok(_) => stored += 100,
            Err(StoreError::DiskFull(_)) => refused += 1,
            Err(error) => panic!("not a clear error: {error:?}"),
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3);
    let stats = store.stats();
    assert!(matches!(stats.trouble, Some(StoreError::DiskFull(_))));
    assert_eq!(stats.failed_events, 300);
    let probe = || store.probe().expect("room").wait();
    assert!(matches!(probe(), Err(StoreError::DiskFull(_))));
    assert!(matches!(
        store.stats().trouble,
        Some(StoreError::DiskFull(_))
    ));
    let found = store.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 7)));
    assert_eq!(found.expect("reads go on").len(), 2);

    store
        .write(|conn| conn.batch_execute("PRAGMA max_page_count = 1000000"))
        .expect("room")
        .wait()
        .expect("no longer limited");
    assert!(store.stats().trouble.is_some(), "nothing was tried yet");
    probe().expect("there is room");
    assert!(store.stats().trouble.is_none(), "learned without an event");
    store
        .submit(pairs("shop 3", 900_000, 100))
        .expect("room")
        .wait()
        .expect("resumes");
    stored += 100;
    assert!(store.stats().trouble.is_none());
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), stored);
    assert_eq!(
        number(&store, "SELECT count(*) AS n FROM v_transactions"),
        stored
    );
    for level in [60, 600, 3600] {
        let sql = format!("SELECT sum(n) AS n FROM roll_tx WHERE level = {level}");
        assert_eq!(number(&store, &sql), stored);
    }
    let documents = "SELECT sum(events) AS n FROM block";
    assert_eq!(number(&store, documents), stored + 200);
}

#[test]
fn a_lock_of_another_program_is_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let path = dir.path().join("apm.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    other
        .batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE")
        .expect("locks");
    let ticket = store.submit(pairs("shop", 0, 1)).expect("room");
    other.batch_execute("ROLLBACK").expect("unlocks");
    ticket.wait().expect("stored");
}

#[test]
fn one_file_has_one_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(dir.path());
    let path = dir.path().join("apm.db");
    assert!(matches!(refusal(&path), OpenError::InUse { .. }));
    drop(first);
    // A child that another test is just starting may hold the lock until it runs its own program.
    wait_until("it is free again", || {
        Store::open(StoreOptions::new(&path)).is_ok()
    });
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = dir.path().join("notes.txt");
    fs::write(&text, "these are my notes, and not a database").expect("written");
    assert!(matches!(refusal(&text), OpenError::Foreign { .. }));
    assert!(
        fs::read_to_string(&text)
            .expect("still there")
            .starts_with("these")
    );

    let people = dir.path().join("people.db");
    let mut conn = SqliteConnection::establish(people.to_str().expect("UTF-8")).expect("opens");
    conn.batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY)")
        .expect("made");
    drop(conn);
    let before = fs::read(&people).expect("a file");
    #[cfg(unix)]
    let mode = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).expect("a file").permissions().mode()
    };
    #[cfg(unix)]
    let mode_before = mode(&people);
    let error = refusal(&people);
    #[cfg(unix)]
    assert_eq!(mode(&people), mode_before);
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read(&people).expect("a file"), before);
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let path = dir.path().join("apm.db");
    let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    conn.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')",
    )
    .expect("a newer version");
    drop(conn);
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Newer { .. }));
    let message = error.to_string();
    assert!(
        message.contains("99990101000000") && message.contains("newer"),
        "{message}"
    );
}

#[test]
fn a_damaged_file_is_reported_and_never_replaced() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let store = open(dir.path());
        for round in 0..20 {
            store
                .submit(pairs("shop", round * 1000, 500))
                .expect("room")
                .wait()
                .expect("stored");
        }
    }
    let path = dir.path().join("apm.db");
    let sound = fs::read(&path).expect("a file");

    let cut = &sound[..sound.len() / 2];
    fs::write(&path, cut).expect("written");
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&path).expect("a file"), cut);

    let mut scratched = sound.clone();
    for page in scratched.chunks_mut(4096).skip(1).step_by(3) {
        page[..64].fill(0xa5);
    }
    fs::write(&path, &scratched).expect("written");
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&path).expect("a file"), scratched);

    fs::write(&path, &sound).expect("written");
    drop(open(dir.path()));
}

#[test]
fn a_file_that_is_deleted_or_replaced_while_open_is_told_and_reads_go_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, away) = (dir.path().join("apm.db"), dir.path().join("away.db"));
    let store = open(dir.path());
    let submit = |first| store.submit(pairs("shop", first, 5)).expect("room").wait();
    submit(0).expect("stored");
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 5);

    fs::rename(&path, &away).expect("moved");
    let error = submit(100).expect_err("would be lost");
    assert!(matches!(error, StoreError::Gone(_)), "{error:?}");
    let message = error.to_string();
    for word in ["apm.db", "deleted, replaced or cut", "started again"] {
        assert!(message.contains(word), "{message}");
    }
    let setting = store.write(|_| Ok(())).expect("room").wait();
    assert!(matches!(setting, Err(StoreError::Gone(_))));
    let cleared = store.clear().expect("room").wait();
    assert!(matches!(cleared, Err(StoreError::Gone(_))));
    let stats = store.stats();
    assert!(matches!(stats.trouble, Some(StoreError::Gone(_))));
    assert_eq!(stats.failed_events, 10);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 5);

    fs::copy(&away, &path).expect("replaced");
    let error = submit(200).expect_err("would be lost");
    assert!(matches!(error, StoreError::Gone(_)), "{error:?}");

    fs::rename(&away, &path).expect("put back");
    submit(300).expect("stored again");
    assert!(store.stats().trouble.is_none());
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 10);
}

#[test]
fn a_log_without_its_file_is_reported_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, log) = (dir.path().join("apm.db"), dir.path().join("apm.db-wal"));
    fs::write(&log, "events that are not in the file yet").expect("written");
    for empty in [false, true] {
        if empty {
            fs::write(&path, "").expect("emptied");
        }
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("apm.db-wal"), "{message}");
        assert!(message.contains(if empty { "empty" } else { "missing" }));
        assert_eq!(path.exists(), empty);
        assert_eq!(fs::read(&log).expect("a file").len(), 35);
    }
    fs::remove_file(&log).expect("moved away");
    drop(open(dir.path()));
}

#[cfg(unix)]
#[test]
fn one_file_has_one_server_by_whatever_path() {
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().expect("a directory");
    let link = dir.path().join("link.db");
    // It leads to a file that is not there yet.
    symlink("apm.db", &link).expect("linked");
    let elsewhere = dir.path().join("elsewhere");
    symlink(dir.path(), &elsewhere).expect("linked");
    let first = Store::open(StoreOptions::new(&link)).expect("opens");
    for path in [dir.path().join("apm.db"), link, elsewhere.join("apm.db")] {
        let error = refusal(&path);
        assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    }
    first
        .submit(pairs("shop", 0, 5))
        .expect("room")
        .wait()
        .expect("stored");
    assert!(first.stats().log_bytes > 0, "the log is found");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    for path in [&*pipe, dir.path()] {
        let error = refusal(path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert!(error.to_string().contains("regular"), "{error}");
    }
}

#[test]
fn a_path_with_any_character_is_the_file_that_it_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("50% of #1?mode=memory & žluť.db");
    let store = Store::open(StoreOptions {
        durability: Durability::Full,
        ..StoreOptions::new(&path)
    })
    .expect("opens");
    store
        .submit(pairs("shop", 0, 1))
        .expect("room")
        .wait()
        .expect("stored");
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 1);
    drop(store);
    assert!(path.exists());
}

#[test]
fn a_closed_store_refuses_and_has_what_it_took() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(options(dir.path())).expect("opens");
    let tickets: Vec<_> = (0..50)
        .map(|round| store.submit(pairs("shop", round * 10, 10)).expect("room"))
        .collect();
    store.close();
    assert_eq!(
        store.submit(pairs("shop", 0, 1)).err(),
        Some(SubmitError::ShuttingDown)
    );
    for ticket in tickets {
        ticket.wait().expect("stored");
    }
    drop(store);
    assert_eq!(
        number(&open(dir.path()), "SELECT count(*) AS n FROM tx"),
        500
    );
    let log = dir.path().join("apm.db-wal");
    assert!(
        fs::metadata(log).map_or(0, |log| log.len()) == 0,
        "one file is left"
    );
}

#[test]
fn a_full_queue_refuses_and_counts() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions {
        queue_events: 10,
        ..options(dir.path())
    })
    .expect("opens");
    let path = dir.path().join("apm.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    other
        .batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE")
        .expect("locks");
    // The writer waits for the lock with the first batch at most.
    let mut taken = Vec::new();
    let refused = loop {
        match store.submit(pairs("shop", 0, 5)) {
            Ok(ticket) => taken.push(ticket),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SubmitError::QueueFull);
    assert!(store.stats().refused_batches >= 1);
    assert!(store.stats().queued_events <= 10);
    other.batch_execute("ROLLBACK").expect("unlocks");
    for ticket in taken {
        ticket.wait().expect("stored");
    }
}

#[test]
fn a_writer_that_panics_leaves_nobody_waiting() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let panics = store.write(|_| -> QueryResult<()> { panic!("a fault of ours") });
    assert!(matches!(
        panics.expect("room").wait(),
        Err(StoreError::Closed)
    ));
    wait_until("it takes no events", || {
        store.submit(pairs("shop", 0, 1)).err() == Some(SubmitError::ShuttingDown)
    });
    store.close();
    assert!(matches!(store.stats().trouble, Some(StoreError::Closed)));
}
