//! The writer's stages one by one, for benches. Not an interface to build on.
//!
//! # Panics
//! On any trouble.

use std::path::Path;

use diesel::SqliteConnection;

use super::apply::{Counted, Memory};
use super::block::{Builder, Document, Packer};
use super::error::StoreError;
use super::open;
use super::options::StoreOptions;
use super::rollups::{self, Levels};
use crate::event::Batch;

/// A database whose stages are run one by one.
pub struct Stages {
    conn: SqliteConnection,
    memory: Memory,
}

impl std::fmt::Debug for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stages")
    }
}

/// The counters of batches.
#[derive(Debug)]
pub struct Counts(Counted);

impl Stages {
    /// A database in a directory that exists.
    pub fn new(dir: &Path) -> Self {
        let options = StoreOptions::new(dir.join("stages.db"));
        let opened = open::open(&options).expect("opens");
        let memory = Memory::new(opened.next, options.names).expect("zstd");
        Self {
            conn: opened.conn,
            memory,
        }
    }

    /// Rows, documents and dictionaries, committed.
    pub fn insert(&mut self, batches: &[Batch]) -> Counts {
        let Self { conn, memory } = self;
        let counted = conn.immediate_transaction(|conn| memory.apply(conn, batches.iter()));
        memory.commit();
        Counts(counted.expect("stored"))
    }

    /// The counts of all levels, committed.
    pub fn rollup(&mut self, counts: &Counts) {
        let Counted {
            rollup, received, ..
        } = &counts.0;
        let written = self.conn.immediate_transaction(|conn| {
            rollups::add_events(conn, &rollup.events)?;
            rollups::add(conn, rollup, *received, Levels::Minute)?;
            Ok::<_, StoreError>(rollups::add(conn, rollup, *received, Levels::Coarse)?)
        });
        written.expect("stored");
    }
}

/// Packs the documents of batches into blocks; returns their bytes.
pub fn encode(batches: &[Batch]) -> usize {
    let mut packer = Packer::new().expect("zstd");
    let mut block = Builder::default();
    let mut bytes = 0;
    for batch in batches {
        for event in &batch.events {
            let document = Document {
                kind: event.kind(),
                stack: 0,
                json: batch.text(event.rest()),
            };
            block.push(0, event.timestamp(), document, 0);
            if block.is_full() {
                let (data, sums) = block.pack(&mut packer);
                bytes += data.len() + sums.len();
                block.clear();
            }
        }
    }
    bytes
}
