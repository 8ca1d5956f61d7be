//! Databases for tests.

use std::path::PathBuf;

use rusqlite::Connection;
use sql_advisor::{Advice, Options, Recorded};
use tempfile::TempDir;

/// A database file in a directory of its own.
pub(crate) struct Database {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Database {
    pub(crate) fn new(sql: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        Self { directory, path }
    }

    pub(crate) fn advise(&self, workload: &[(&str, f64)]) -> Advice {
        self.advise_with(workload, &Options::default())
    }

    pub(crate) fn advise_with(&self, workload: &[(&str, f64)], options: &Options) -> Advice {
        sql_advisor::advise(&self.path, &recorded(workload), options, &mut |_| ()).unwrap()
    }
}

/// Statements with their calls; each is known by its text.
pub(crate) fn recorded(workload: &[(&str, f64)]) -> Vec<Recorded> {
    let of = |(sql, calls): &(&str, f64)| Recorded {
        id: (*sql).to_owned(),
        sql: (*sql).to_owned(),
        calls: *calls,
    };
    workload.iter().map(of).collect()
}

/// The recommended changes.
pub(crate) fn changes(advice: &Advice) -> Vec<&str> {
    advice
        .recommended
        .iter()
        .map(|done| done.change.as_str())
        .collect()
}

/// A table of `n` as n = 1 … rows.
pub(crate) fn numbers(rows: u32) -> String {
    format!("WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})")
}
