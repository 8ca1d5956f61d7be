//! A statement that has ended, and what SQLite counted for it.

use std::borrow::Cow;
use std::ffi::CStr;

/// The work of SQLite for one run of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Instructions of SQLite's virtual machine.
    pub steps: u64,
    /// Steps from one row to the next in full scans of tables: one less than the rows of a scan.
    pub fullscan_steps: u64,
    /// Sorts.
    pub sorts: u64,
    /// Steps from one row to the next while automatic indexes were filled: indexes that live for one statement.
    pub autoindex_steps: u64,
    /// Times that the statement was prepared again, because the schema or a bound value changed its plan.
    pub reprepares: u64,
    /// Rows that the statement returned; `None` where they are not counted.
    pub rows_returned: Option<u64>,
    /// Rows that the statement inserted, updated or deleted; `None` for one that only reads, and for one whose rows
    /// (`RETURNING`) were not read to the end. Of a statement that writes no rows, such as `CREATE TABLE`, it is the
    /// number of an earlier statement.
    pub rows_changed: Option<u64>,
    /// Pages that were read from the file into the cache; `None` where they are not counted.
    pub pages_read: Option<u64>,
    /// Pages that were written from the cache; `None` where they are not counted. Of a statement whose rows were not
    /// read to the end, those that were written until then.
    pub pages_written: Option<u64>,
}

/// Tells a prepared statement from others, as long as it is not finalized: what was worked out for its text can be kept
/// under this key. SQLite may use the address again for another statement, so compare the text when a key is new to
/// you.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementKey {
    pub(crate) statement: usize,
    pub(crate) text: usize,
}

/// A statement that has ended.
#[derive(Debug)]
pub struct Finished<'a> {
    pub(crate) key: StatementKey,
    pub(crate) sql: &'a CStr,
    pub(crate) counters: Counters,
}

impl Finished<'_> {
    /// The text that was prepared, with placeholders and without the values that were bound to them.
    #[must_use]
    pub fn sql(&self) -> Cow<'_, str> {
        self.sql.to_string_lossy()
    }

    /// The text as bytes.
    #[must_use]
    #[inline]
    pub fn sql_bytes(&self) -> &[u8] {
        self.sql.to_bytes()
    }

    /// The prepared statement.
    #[must_use]
    #[inline]
    pub fn key(&self) -> StatementKey {
        self.key
    }

    /// SQLite's work for it.
    #[must_use]
    #[inline]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
