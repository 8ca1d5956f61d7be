//! Columns of an error group, wherever it is read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

/// Columns of a group, which each query that reads groups has.
#[derive(Debug, QueryableByName)]
pub(crate) struct GroupColumns {
    #[diesel(sql_type = Text)]
    pub(crate) service: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) grouping_key: i64,
    #[diesel(sql_type = Text, column_name = "type")]
    pub(crate) kind: String,
    #[diesel(sql_type = Text)]
    pub(crate) message: String,
    #[diesel(sql_type = Text)]
    pub(crate) culprit: String,
    #[diesel(sql_type = Nullable<Bool>)]
    pub(crate) handled: Option<bool>,
}

impl GroupColumns {
    /// `error.grouping_key`, 16 hex digits.
    pub(crate) fn key(&self) -> String {
        format!("{:016x}", self.grouping_key)
    }
}
