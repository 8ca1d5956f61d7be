//! What is asked for, and the bounds of the work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A statement that a service ran, and how often.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// What the caller knows it by, such as a fingerprint. Reports repeat it.
    pub id: String,
    /// Its text, with placeholders or with values.
    pub sql: String,
    /// How often it ran. The workload is weighted by it.
    pub calls: f64,
}

/// Bounds of the work, and how it is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the copy is made, in a directory of its own that is removed at the end.
    pub directory: PathBuf,
    /// Copy the schema and the statistics, and make up rows from a sample, instead of copying the whole database.
    pub schema_only: bool,
    /// Look for changes for these statements alone, by [`Recorded::id`]; empty: for all. What a change costs is counted
    /// over all.
    pub only: Vec<String>,
    /// How many rows a table is filled up to, by its name. Tables that have more keep them.
    pub rows: Vec<(String, u64)>,
    /// How long all of it may take. What was not tried until then is named.
    pub time: Duration,
    /// How long one run of a statement, or the making of one index, may take.
    pub statement_time: Duration,
    /// How often a statement is run, each time with other values.
    pub runs: usize,
    /// Most statements that are measured, those with the most calls.
    pub statements: usize,
    /// Most changes that are tried.
    pub candidates: usize,
    /// Set from elsewhere, it ends the work soon.
    pub stop: Arc<AtomicBool>,
}

impl Default for Options {
    /// Two minutes in all, 10 s for a statement, 5 runs, 200 statements, 60 candidates, in the system's directory for
    /// temporary files.
    fn default() -> Self {
        Self {
            directory: std::env::temp_dir(),
            schema_only: false,
            only: Vec::new(),
            rows: Vec::new(),
            time: Duration::from_secs(120),
            statement_time: Duration::from_secs(10),
            runs: 5,
            statements: 200,
            candidates: 60,
            stop: Arc::default(),
        }
    }
}

/// How far the work is.
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
