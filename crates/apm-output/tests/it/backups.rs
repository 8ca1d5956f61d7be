//! Stores that are brought back from a backup, and copies of one.

use apm_store::output;

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::servers::{Server, copy};
use crate::support::{config, feed, lines, named, sharing_store, start, store, wait};

#[test]
fn a_store_that_is_brought_back_doubles_nothing_that_was_sent_since_also_after_a_rollover() {
    let engine = Engine::start(OPENSEARCH);
    let (dir, backup) = [(); 2]
        .map(|()| tempfile::tempdir().expect("a directory"))
        .into();
    let original = store(dir.path());
    let opened = original.write(|conn| output::open(conn, "0123456789ab"));
    opened.expect("open").wait().expect("written");
    let count = feed(&original, lines(0, 3000));
    original.close();
    drop(original);
    copy(dir.path(), backup.path());
    let original = store(dir.path());
    let output = start(&original, config(&engine));
    wait("all are there", || engine.event_count() == count);
    output.stop();
    original.close();
    engine.roll_over();
    // The backup knows nothing of what was sent.
    let restored = store(backup.path());
    let more = feed(&restored, lines(5000, 50));
    let mut config = config(&engine);
    // Several loads, of which the last has what is new alone.
    config.pace.bytes = 200 << 10;
    let output = start(&restored, config);
    wait("what is new is there", || {
        engine.event_count() == count + more && output.stats().lag.events == 0
    });
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    assert_eq!((output.stats().lost, output.stats().refused), (0, 0));
}

#[test]
fn a_server_whose_database_was_copied_says_so_until_the_copy_is_gone() {
    let engine = Engine::start(OPENSEARCH);
    let first = Server::new();
    let output = first.output(&engine, "first");
    feed(&first.store, lines(0, 40));
    wait("it is heard of", || output.coverage().looked.is_some());
    output.stop();
    drop(output);
    let dir = tempfile::tempdir().expect("a directory");
    let first = first.copied(dir.path());
    let output = first.output(&engine, "first");
    wait("it goes on under its name", || {
        output.coverage().looked.is_some() && output.coverage().trouble.is_none()
    });
    let copied = sharing_store(dir.path());
    let of_copy = start(&copied, named(&engine, "second"));
    wait("the first one notices the second", || {
        let trouble = output.coverage().trouble.unwrap_or_default();
        trouble.contains("(second) has a copy")
    });
    of_copy.stop();
    wait("it goes on alone", || output.coverage().trouble.is_none());
    output.stop();
}
