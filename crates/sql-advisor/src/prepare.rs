//! Preparing SQL of others within a time.

use std::time::Instant;

use rusqlite::{Connection, ErrorCode, Statement, ffi};
use sqlite_meter::MemoryDeadline;

/// Prepares one statement, until a moment at most.
///
/// SQLite calls the progress handler while it prepares, but not where joins of nested subqueries are put together,
/// which took 5 s for a text of 1 KiB. So within a [`sqlite_meter::MemoryBound`] it gets no memory after the moment. It
/// still ends the step that it is in, and gives back what it has.
///
/// # Errors
/// Those of SQLite; `SQLITE_INTERRUPT` where it took too long.
pub fn prepare_until<'c>(
    conn: &'c Connection,
    sql: &str,
    deadline: Instant,
) -> rusqlite::Result<Statement<'c>> {
    let bound = MemoryDeadline::begin(deadline);
    conn.prepare(sql).map_err(|error| {
        if bound.is_over() && error.sqlite_error_code() == Some(ErrorCode::OutOfMemory) {
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)
        } else {
            error
        }
    })
}
