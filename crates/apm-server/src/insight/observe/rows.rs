//! Rows of spans, of requests and of statements, as they are read.

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

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
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) steps: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) scan_steps: Option<i64>,
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
    pub(super) service_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) ts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) duration: i64,
    /// Spans that its agent dropped.
    #[diesel(sql_type = BigInt)]
    pub(super) dropped: i64,
    /// Spans that its agent sent; 0 where that is not known.
    #[diesel(sql_type = BigInt)]
    pub(super) sent: i64,
}

/// The spans of a transaction that arrived.
#[derive(Debug, QueryableByName)]
pub(super) struct Arrived {
    #[diesel(sql_type = Identifier)]
    pub(super) transaction_id: StoredId,
    #[diesel(sql_type = BigInt)]
    pub(super) spans: i64,
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
