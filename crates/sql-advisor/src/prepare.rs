//! Preparing SQL of others within a time and within memory.

use std::time::Instant;

use rusqlite::{Connection, ErrorCode, Statement, ffi};
use sqlite_meter::{MemoryBound, MemoryDeadline};

/// Bytes of memory that SQLite may take to prepare a statement. The slow steps of preparing take time by the square of
/// what the statement has become, and none is ended before it is over. Usual statements take little, and the
/// first one of a connection takes what the schema needs besides.
pub const PREPARING: usize = 32 << 20;

/// Prepares one statement, until a moment at most.
///
/// SQLite calls the progress handler while it prepares, but not where joins of nested subqueries are put together,
/// which took 5 s for a text of 1 KiB. So it gets no memory after the moment, and no more than [`PREPARING`] before,
/// where memory can be bounded ([`sqlite_meter::bound_memory`]). It still ends the step that it is in, and gives back
/// what it has.
///
/// # Errors
/// Those of SQLite; `SQLITE_INTERRUPT` where it took too long, `SQLITE_NOMEM` where it took too much memory.
pub fn prepare_until<'c>(
    conn: &'c Connection,
    sql: &str,
    deadline: Instant,
) -> rusqlite::Result<Statement<'c>> {
    let late = MemoryDeadline::begin(deadline);
    let _bound = MemoryBound::begin(PREPARING);
    conn.prepare(sql).map_err(|error| {
        if late.is_over() && error.sqlite_error_code() == Some(ErrorCode::OutOfMemory) {
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)
        } else {
            error
        }
    })
}
