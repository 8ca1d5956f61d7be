//! The workload, and the bounds of the work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A statement that a service ran, and how often.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// The caller's name for it, such as a fingerprint. Reports repeat it.
    pub id: String,
    /// Its text, with placeholders or with values.
    pub sql: String,
    /// Number of times that it ran. The workload is weighted by it.
    pub calls: f64,
}

/// Bounds of the work, and how it is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for the copy, which gets one of its own in it, removed at the end.
    pub directory: PathBuf,
    /// Copy the schema and the statistics, and make up rows from a sample, instead of copying the whole database.
    pub schema_only: bool,
    /// Look for changes for these statements alone, by [`Recorded::id`]; empty: for all. The cost of a change is
    /// counted over all.
    pub only: Vec<String>,
    /// Numbers of rows that tables are filled up to, by their names. Tables that have more keep them.
    pub rows: Vec<(String, u64)>,
    /// The longest time that all of it may take. Changes that were not tried until then are named.
    pub time: Duration,
    /// The longest time that one run of a statement, or the making of one index, may take.
    pub statement_time: Duration,
    /// Bytes that one run of a statement may write, into temporary files above all. Held on Linux, which counts them.
    pub statement_writes: u64,
    /// Number of runs of a statement, each with other values.
    pub runs: usize,
    /// Most statements that are measured, those with the most calls.
    pub statements: usize,
    /// Most changes that are tried.
    pub candidates: usize,
    /// Set from elsewhere, it ends the work soon.
    pub stop: Arc<AtomicBool>,
}

impl Default for Options {
    /// Two minutes in all, 10 s and 1 GiB of writes for a statement, 5 runs, 200 statements, 60 candidates, in the
    /// system's directory for temporary files.
    fn default() -> Self {
        Self {
            directory: std::env::temp_dir(),
            schema_only: false,
            only: Vec::new(),
            rows: Vec::new(),
            time: Duration::from_secs(120),
            statement_time: Duration::from_secs(10),
            statement_writes: 1 << 30,
            runs: 5,
            statements: 200,
            candidates: 60,
            stop: Arc::default(),
        }
    }
}

/// The progress of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The database is being copied.
    Copy,
    /// A table is being filled.
    Fill(String),
    /// So many statements of so many were run.
    Statements(usize, usize),
    /// So many changes of at most so many were tried.
    Candidates(usize, usize),
}
