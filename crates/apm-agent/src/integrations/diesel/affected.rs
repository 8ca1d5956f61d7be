//! The number of rows that a statement changed: Diesel tells the caller, and not its instrumentation.

use diesel::result::QueryResult;

use super::QueryResultExt as _;
use crate::recording::context;
use crate::recording::current;

/// Tells the agent how many rows a statement changed.
pub trait AffectedRowsExt {
    /// Adds the number of rows to the span of the statement that has just run, if that is an INSERT, UPDATE, DELETE or
    /// REPLACE; where it failed, does as [`mark_failure`](super::QueryResultExt::mark_failure). Changes nothing else.
    /// Of statements that compression makes one span of, the first one's number is shown.
    ///
    /// SQLite says it by itself, with the feature `sqlite-meter`; the span of several statements then shows the sum.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// use apm_agent::diesel::AffectedRowsExt as _;
    /// # diesel::table! { people { id -> Integer, } }
    /// # #[cfg(feature = "sqlite-plain")]
    /// fn clear(connection: &mut SqliteConnection) -> QueryResult<usize> {
    ///     diesel::delete(people::table).execute(connection).record_rows()
    /// }
    /// ```
    #[must_use]
    fn record_rows(self) -> Self;
}

impl AffectedRowsExt for QueryResult<usize> {
    fn record_rows(self) -> Self {
        if let Ok(rows) = self {
            context::with(|current| {
                current::set_rows_of_last_query(current, rows);
                Some(())
            });
        }
        self.mark_failure()
    }
}
