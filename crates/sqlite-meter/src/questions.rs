//! The questions that are put to SQLite: the counters of a statement, and the pages of a connection.

use std::ffi::c_int;
use std::ptr;

use libsqlite3_sys as ffi;

use crate::finished::Counters;

/// Reads one of a statement's counters, and sets it to zero for the next run.
///
/// # Safety
/// `statement` must be valid.
#[inline]
pub(crate) unsafe fn read(statement: *mut ffi::sqlite3_stmt, which: c_int) -> u64 {
    // SAFETY: the statement is valid, as the caller says.
    let count = unsafe { ffi::sqlite3_stmt_status(statement, which, 1) };
    u64::from(count.cast_unsigned())
}

/// Reads a statement's counters of its work, and sets them to zero for its next run.
///
/// # Safety
/// `statement` must be valid.
#[inline]
pub(crate) unsafe fn work(statement: *mut ffi::sqlite3_stmt) -> Counters {
    let read = |which| {
        // SAFETY: the statement is valid, as the caller says.
        unsafe { read(statement, which) }
    };
    Counters {
        steps: read(ffi::SQLITE_STMTSTATUS_VM_STEP),
        fullscan_steps: read(ffi::SQLITE_STMTSTATUS_FULLSCAN_STEP),
        sorts: read(ffi::SQLITE_STMTSTATUS_SORT),
        autoindex_steps: read(ffi::SQLITE_STMTSTATUS_AUTOINDEX),
        ..Counters::default()
    }
}

/// The same with how often it was prepared again.
///
/// # Safety
/// `statement` must be valid.
#[inline]
pub(crate) unsafe fn counters(statement: *mut ffi::sqlite3_stmt) -> Counters {
    // SAFETY: the statement is valid, as the caller says.
    let work = unsafe { work(statement) };
    Counters {
        // SAFETY: as above.
        reprepares: unsafe { read(statement, ffi::SQLITE_STMTSTATUS_REPREPARE) },
        ..work
    }
}

/// Pages that a connection has read into its cache, and written from it, since it was opened.
///
/// # Safety
/// `db` must be valid.
pub(crate) unsafe fn pages(db: *mut ffi::sqlite3) -> [u32; 2] {
    // SAFETY: the connection is valid, as the caller says.
    let [read, written] = unsafe { pages_now(db, true) };
    [read.unwrap_or(0), written.unwrap_or(0)]
}

/// The same, of written pages only where that is wanted.
///
/// # Safety
/// `db` must be valid.
#[inline]
pub(crate) unsafe fn pages_now(db: *mut ffi::sqlite3, written: bool) -> [Option<u32>; 2] {
    let read = |which| {
        let (mut now, mut most) = (0, 0);
        // SAFETY: the connection is valid, as the caller says; both numbers are written to, and kept nowhere.
        unsafe { ffi::sqlite3_db_status(db, which, &mut now, &mut most, 0) };
        now.cast_unsigned()
    };
    [
        Some(read(ffi::SQLITE_DBSTATUS_CACHE_MISS)),
        written.then(|| read(ffi::SQLITE_DBSTATUS_CACHE_WRITE)),
    ]
}

/// Sets the counters of all statements of a connection to zero: what ran before is nobody's.
///
/// # Safety
/// `db` must be valid.
pub(crate) unsafe fn reset(db: *mut ffi::sqlite3) {
    let mut statement = ptr::null_mut();
    loop {
        // SAFETY: the connection is valid, and the statement is null or one of its own.
        statement = unsafe { ffi::sqlite3_next_stmt(db, statement) };
        if statement.is_null() {
            return;
        }
        // SAFETY: SQLite gave the statement.
        let _ = unsafe { counters(statement) };
    }
}
