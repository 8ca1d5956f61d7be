//! Servers that share their counts, by an engine or hand to hand.

use std::path::Path;

use apm_output::Output;
use apm_store::share::{self, Delta, Follow};
use apm_store::{Store, StoreError};
use tempfile::TempDir;

use super::engine::Engine;
use super::{named, sharing_store, start};

/// A server, which an output connects with others.
pub(crate) struct Server {
    dir: TempDir,
    pub(crate) store: Store,
}

impl Server {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = sharing_store(dir.path());
        Self { dir, store }
    }

    pub(crate) fn output(&self, engine: &Engine, name: &str) -> Output {
        start(&self.store, named(engine, name))
    }

    /// Copies the files of the store while it is closed.
    pub(crate) fn copied(self, to: &Path) -> Self {
        let Self { dir, store } = self;
        store.close();
        drop(store);
        copy(dir.path(), to);
        let store = sharing_store(dir.path());
        Self { dir, store }
    }

    /// Ends at once, as `kill -9` does but for what the system has not written, and begins again.
    pub(crate) fn again(self) -> Self {
        let Self { dir, store } = self;
        store.close();
        drop(store);
        let store = sharing_store(dir.path());
        Self { dir, store }
    }
}

/// Copies the files of a store that is closed.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).expect("a directory").flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

/// Deltas of what was counted, as the engine would have them.
pub(crate) fn deltas(store: &Store) -> Vec<(i64, Vec<u8>)> {
    while let Some(packed) = store.read::<_, StoreError>(share::pack).expect("readable") {
        let ticket = store
            .write(move |conn| share::put(conn, &packed, 100))
            .expect("open");
        assert!(ticket.wait().expect("written"));
    }
    let waiting = store.read::<_, StoreError>(|conn| Ok(share::waiting(conn, 1000)?));
    waiting
        .expect("readable")
        .into_iter()
        .map(|delta| (delta.number, delta.delta))
        .collect()
}

pub(crate) fn follow(
    store: &Store,
    after: Option<i64>,
    to: i64,
    deltas: &[(i64, Vec<u8>)],
) -> share::Followed {
    let deltas = deltas
        .iter()
        .map(|(_, json)| Delta::read(json).expect("a delta"))
        .collect();
    let follow = Follow {
        store: "other".to_owned(),
        name: "b:8200".to_owned(),
        after,
        to,
        skipped: 0,
        deltas,
    };
    let ticket = store.follow(store.clears(), follow).expect("open");
    ticket
        .wait()
        .expect("written")
        .expect("nothing was deleted")
}
