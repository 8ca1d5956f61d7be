//! Access to the files, and their names.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use apm_store::{OpenError, Store, StoreOptions};

use super::{number, open};
use crate::support::events::pairs;

const FILES: [&str; 4] = ["apm.db", "apm.db-wal", "apm.db-shm", "apm.db.lock"];

fn modes(dir: &Path) -> Vec<u32> {
    let mode = |name| {
        let file = fs::metadata(dir.join(name)).expect(name);
        file.permissions().mode() & 0o777
    };
    FILES.into_iter().map(mode).collect()
}

#[test]
fn the_files_are_for_their_owner_only_also_those_that_were_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let stored = store.submit(pairs("shop", 0, 5)).expect("room").wait();
    stored.expect("stored");
    assert_eq!(modes(dir.path()), [0o600; 4]);
    drop(store);
    for name in ["apm.db", "apm.db.lock"] {
        let open_to_all = Permissions::from_mode(0o644);
        fs::set_permissions(dir.path().join(name), open_to_all).expect("set");
    }
    let store = open(dir.path());
    let stored = store.submit(pairs("shop", 100, 5)).expect("room").wait();
    stored.expect("stored");
    assert_eq!(modes(dir.path()), [0o600; 4]);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 10);
}

#[test]
fn one_file_has_one_server_by_hard_links_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let elsewhere = tempfile::tempdir_in(dir.path()).expect("a directory");
    let first = open(dir.path());
    let other = elsewhere.path().join("other.db");
    fs::hard_link(dir.path().join("apm.db"), &other).expect("linked");
    let error = Store::open(StoreOptions::new(&other)).expect_err("is in use");
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("other.db"), "{error}");
    let stored = first.submit(pairs("shop", 0, 5)).expect("room").wait();
    stored.expect("the first goes on");
    assert_eq!(number(&first, "SELECT count(*) AS n FROM tx"), 5);
}
