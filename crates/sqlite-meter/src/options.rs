//! The options of measuring a connection.

use std::ffi::c_uint;

use libsqlite3_sys as ffi;

/// The things that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Count the rows that a statement returns. It costs a call for each row.
    pub rows: bool,
    /// Count the pages that a statement reads into the cache and writes from it.
    pub pages: bool,
    /// Measure how long a statement takes: SQLite's own clock counts milliseconds. It costs a call for each statement.
    pub time: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rows: true,
            pages: true,
            time: false,
        }
    }
}

impl Options {
    /// The events that SQLite is asked to report: ends of statements and rows, and `begins` as well where they are
    /// needed.
    pub(crate) fn events(self, begins: bool) -> c_uint {
        let rows = if self.rows { ffi::SQLITE_TRACE_ROW } else { 0 };
        let begins = if begins || self.time {
            ffi::SQLITE_TRACE_STMT
        } else {
            0
        };
        ffi::SQLITE_TRACE_PROFILE | rows | begins
    }

    /// The things that these or others measure.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            rows: self.rows || other.rows,
            pages: self.pages || other.pages,
            time: self.time || other.time,
        }
    }

    /// Sets whether the rows that a statement returns are counted.
    #[must_use]
    pub fn rows(mut self, rows: bool) -> Self {
        self.rows = rows;
        self
    }

    /// Sets whether statements are timed.
    #[must_use]
    pub fn time(mut self, time: bool) -> Self {
        self.time = time;
        self
    }

    /// Sets whether pages are counted.
    #[must_use]
    pub fn pages(mut self, pages: bool) -> Self {
        self.pages = pages;
        self
    }
}
