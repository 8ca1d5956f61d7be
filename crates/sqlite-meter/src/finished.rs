//! A statement that has ended, and what SQLite counted for it.

use std::borrow::Cow;
use std::ffi::CStr;
use std::ptr;
use std::time::Duration;

use libsqlite3_sys as ffi;

use crate::program::{self, Scan};

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

/// Reports of a connection, which questions to it have ended.
pub(crate) trait Reports: std::fmt::Debug {
    /// Goes on with them.
    ///
    /// # Safety
    /// `db` must be valid, and have been traced with this, which SQLite holds.
    unsafe fn resume(&self, db: *mut ffi::sqlite3);
}

/// A statement that has ended.
#[derive(Debug)]
pub struct Finished<'a> {
    pub(crate) key: StatementKey,
    pub(crate) sql: &'a CStr,
    pub(crate) counters: Counters,
    pub(crate) duration: Option<Duration>,
    pub(crate) given_up: bool,
    /// The connection that ran it, which nobody else uses until the report is over.
    pub(crate) db: *mut ffi::sqlite3,
    pub(crate) reports: &'a dyn Reports,
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

    /// The time from its begin to its end, while somebody read its rows; `None` where statements are not timed.
    #[must_use]
    #[inline]
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Whether it ran to its end; otherwise not all of its rows were read.
    #[must_use]
    #[inline]
    pub fn is_complete(&self) -> bool {
        !self.given_up
    }

    /// The tables and indexes that it reads row by row, from one end on. Results that live for its run alone, such as
    /// those of a materialised `WITH`, are left out. `None` where SQLite does not tell, or plans nothing of the kind.
    ///
    /// SQLite is asked now, on the connection that ran it: that takes as long as to prepare the statement again. It is
    /// meant for tests.
    #[must_use]
    pub fn scans(&self) -> Option<Vec<Scan>> {
        self.ask(|db| {
            // SAFETY: SQLite reports a statement of this connection on this thread now.
            unsafe { program::scans(db, self.sql) }
        })
    }

    /// Whether it uses tables of the database `main` alone, and none of `temp` or an attached one; `None` where SQLite
    /// does not tell. It is asked as by [`scans`](Self::scans).
    #[must_use]
    pub fn is_of_main(&self) -> Option<bool> {
        self.ask(|db| {
            // SAFETY: SQLite reports a statement of this connection on this thread now.
            unsafe { program::is_of_main(db, self.sql) }
        })
    }

    /// Puts questions to the connection, which nobody is told of.
    fn ask<T>(&self, questions: impl FnOnce(*mut ffi::sqlite3) -> T) -> T {
        // SAFETY: the connection is valid. SQLite does nothing here but to note what it is asked for, so the call is
        // allowed within a report.
        let _ = unsafe { ffi::sqlite3_trace_v2(self.db, 0, None, ptr::null_mut()) };
        let answer = questions(self.db);
        // SAFETY: the connection is valid, and was traced with what SQLite holds until the report is over.
        unsafe { self.reports.resume(self.db) };
        answer
    }

    /// SQLite's work for it.
    #[must_use]
    #[inline]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
