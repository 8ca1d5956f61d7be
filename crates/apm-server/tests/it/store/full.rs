//! A disk that really is full: a small one in memory, which only this test sees.
//!
//! ```sh
//! cargo test -p pocket-apm-server --test it a_small_disk -- --ignored
//! ```
//!
//! It needs Linux and the right to make namespaces (`unshare`).

use std::fs;
use std::time::{Duration, Instant};

use apm_store::{StoreError, trace};
use test_support::{on_small_disk, small_disk};

use super::{number, open};
use crate::support::events::pairs;

#[test]
#[ignore = "needs the right to make namespaces"]
fn a_small_disk_that_is_full_is_told_and_intake_resumes() {
    on_small_disk("store::full::a_child_on_a_small_disk");
}

#[test]
#[ignore = "the child of the test above"]
fn a_child_on_a_small_disk() {
    let Some(dir) = small_disk() else {
        return;
    };
    let ballast = dir.join("ballast");
    fs::write(&ballast, vec![1; 4 << 20]).expect("room");
    let store = open(&dir);
    let submit = |first| {
        store
            .submit(pairs("shop", first, 200))
            .expect("room")
            .wait()
    };
    let mut stored = 0;
    let deadline = Instant::now() + Duration::from_secs(120);
    let error = loop {
        match submit(stored) {
            Ok(_) => stored += 200,
            Err(error) => break error,
        }
        assert!(Instant::now() < deadline, "the disk is not small");
    };
    assert!(
        matches!(error, StoreError::DiskFull(_) | StoreError::Io(_)),
        "{error:?}"
    );
    for _ in 0..20 {
        submit(stored).expect_err("still full");
    }
    assert!(store.stats().trouble.is_some());
    let found = store.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 7)));
    assert_eq!(found.expect("reads go on").len(), 2);
    fs::remove_file(&ballast).expect("room again");
    submit(stored).expect("resumes");
    stored += 200;
    assert!(store.stats().trouble.is_none());
    drop(store);
    let again = open(&dir);
    let tx = number(&again, "SELECT count(*) AS n FROM tx");
    assert_eq!(
        tx,
        i64::try_from(stored).expect("few"),
        "all that was acknowledged, once"
    );
}
