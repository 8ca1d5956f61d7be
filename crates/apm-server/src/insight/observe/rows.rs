//! Rows of spans, of requests and of statements, as they are read.

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

#[derive(Debug, QueryableByName)]
pub(super) struct SpanRow {
    #[diesel(sql_type = Identifier)]
    pub(super) transaction_id: StoredId,
    #[diesel(sql_type = BigInt)]
    pub(super) statement_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) ts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) calls: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) total: i64,
    #[diesel(sql_type = Bool)]
    pub(super) failed: bool,
    #[diesel(sql_type = Bool)]
    pub(super) of_one_kind: bool,
}

#[derive(Debug, QueryableByName)]
pub(super) struct TxRow {
    #[diesel(sql_type = BigInt)]
    pub(super) seq: i64,
    #[diesel(sql_type = Identifier)]
    pub(super) id: StoredId,
    #[diesel(sql_type = Identifier)]
    pub(super) trace_id: StoredId,
    #[diesel(sql_type = BigInt)]
    pub(super) group_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) ts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) duration: i64,
}

#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
}

/// A statement of the dictionary.
#[derive(Debug, Clone, Default, QueryableByName)]
pub(super) struct Known {
    #[diesel(sql_type = Text)]
    pub(super) verb: String,
    #[diesel(sql_type = Bool)]
    pub(super) folds_equal: bool,
}
