//! A database's report on a query that has ended.

use std::sync::Arc;

use super::statement::Statement;
use crate::recording::cost::Cost;

/// Empty where the database reports nothing.
#[derive(Debug, Default)]
pub(super) struct Reported {
    /// The statement, where there was one and its text is the query's.
    pub(super) statement: Option<Arc<Statement>>,
    /// Its cost, and the number of rows that it changed.
    pub(super) sums: Option<(Cost, Option<u64>)>,
}
