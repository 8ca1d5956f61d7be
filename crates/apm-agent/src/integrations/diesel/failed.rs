//! Failures that only the caller of a query sees.
//!
//! On SQLite, Diesel 2.3 tells its instrumentation of no error when a query fails while its rows are read: a unique
//! violation in `INSERT … RETURNING`, an overflow, a locked database. So the caller's error decides: the last query's
//! span is kept back until the next one ends.

use std::error::Error;

use diesel::result::Error as QueryError;

use crate::recording::captured::MAX_CAUSES;
use crate::recording::context;
use crate::recording::current;

/// Tells the agent of a query that failed.
pub trait QueryResultExt {
    /// Marks the span of the last query as failed if this is an error; changes nothing else.
    ///
    /// [`capture_error`](crate::capture_error) does the same for an error that is, or was caused by, one of Diesel's.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// use apm_agent::diesel::QueryResultExt as _;
    /// # diesel::table! { people { id -> Integer, } }
    /// # #[cfg(feature = "sqlite-plain")]
    /// fn ids(connection: &mut SqliteConnection) -> QueryResult<Vec<i32>> {
    ///     people::table.select(people::id).load(connection).mark_failure()
    /// }
    /// ```
    #[must_use]
    fn mark_failure(self) -> Self;
}

impl<T> QueryResultExt for Result<T, QueryError> {
    fn mark_failure(self) -> Self {
        if self.as_ref().is_err_and(is_failure) {
            fail_last_query();
        }
        self
    }
}

/// Whether the query itself went wrong: finding nothing, or wanting to roll back, is no failure.
fn is_failure(error: &QueryError) -> bool {
    !matches!(
        error,
        QueryError::NotFound | QueryError::RollbackTransaction
    )
}

/// An error that the service captures: the query that it comes from has failed.
pub(super) fn on_captured_error(type_name: &'static str, error: &dyn Error) {
    if is_query_error(type_name, error) {
        fail_last_query();
    }
}

/// Whether an error is a failed query's, or was caused by one.
fn is_query_error(type_name: &str, error: &dyn Error) -> bool {
    // An error that may be borrowed cannot be asked for its type, only named.
    let itself =
        type_name == std::any::type_name::<QueryError>() && format!("{error:?}") != "NotFound";
    // A chain may have no end.
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut causes = causes.take(MAX_CAUSES);
    itself || causes.any(|cause| cause.downcast_ref().is_some_and(is_failure))
}

/// Marks the query that this code has run last as failed.
fn fail_last_query() {
    // It is known to be over, and its connection has not said so: its values could not be bound.
    let running = context::unfinished(|unfinished| unfinished.take_latest()).flatten();
    match running {
        Some(mut call) => call.fail(),
        None => {
            context::with(|current| {
                current::fail_last_query(current);
                Some(())
            });
        }
    }
}
