//! Rows of the trace queries, and what they become.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::item::{Composite, Item, TraceError, TraceLog};
use crate::store::id::{Identifier, StoredId};

#[derive(QueryableByName)]
pub(super) struct ItemRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Bool)]
    is_transaction: bool,
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Nullable<Identifier>)]
    parent_id: Option<StoredId>,
    #[diesel(sql_type = Nullable<Identifier>)]
    transaction_id: Option<StoredId>,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    agent: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
    #[diesel(sql_type = Bool)]
    sampled: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    spans_started: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    spans_dropped: Option<i64>,
    #[diesel(sql_type = Text)]
    destination: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    fingerprint: Option<i64>,
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    composite_count: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    composite_sum: Option<i64>,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            seq: row.seq,
            is_transaction: row.is_transaction,
            id: row.id.to_string(),
            parent_id: row.parent_id.map(|id| id.to_string()),
            transaction_id: row.transaction_id.map(|id| id.to_string()),
            service: row.service,
            environment: row.environment,
            agent: row.agent,
            name: row.name,
            kind: row.kind,
            subtype: row.subtype,
            action: row.action,
            timestamp: row.ts,
            duration: row.duration,
            outcome: crate::analytics::outcome(row.outcome).as_str(),
            result: row.result,
            status: row.status,
            sampled: row.sampled,
            spans_started: row.spans_started,
            spans_dropped: row.spans_dropped,
            destination: row.destination,
            fingerprint: row.fingerprint.map(|hash| format!("{hash:016x}")),
            statement: row.statement,
            composite: row
                .composite_count
                .zip(row.composite_sum)
                .map(|(count, sum)| Composite { count, sum }),
            at: 0,
            skew: 0,
            depth: 0,
            parent: None,
            is_orphan: false,
            self_time: 0,
            adopts: Vec::new(),
        }
    }
}

#[derive(QueryableByName)]
pub(super) struct ErrorRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Nullable<Identifier>)]
    parent_id: Option<StoredId>,
    #[diesel(sql_type = Nullable<Identifier>)]
    transaction_id: Option<StoredId>,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = BigInt)]
    grouping_key: i64,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Text)]
    culprit: String,
    #[diesel(sql_type = Nullable<Bool>)]
    handled: Option<bool>,
    #[diesel(sql_type = BigInt)]
    ts: i64,
}

impl From<ErrorRow> for TraceError {
    fn from(row: ErrorRow) -> Self {
        Self {
            seq: row.seq,
            id: row.id.to_string(),
            parent_id: row.parent_id.map(|id| id.to_string()),
            transaction_id: row.transaction_id.map(|id| id.to_string()),
            service: row.service,
            key: format!("{:016x}", row.grouping_key),
            kind: row.kind,
            message: row.message,
            culprit: row.culprit,
            handled: row.handled,
            timestamp: row.ts,
        }
    }
}

#[derive(QueryableByName)]
pub(super) struct LogRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Nullable<Identifier>)]
    span_id: Option<StoredId>,
    #[diesel(sql_type = Nullable<Identifier>)]
    transaction_id: Option<StoredId>,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    level: String,
    #[diesel(sql_type = BigInt)]
    ts: i64,
}

impl From<LogRow> for TraceLog {
    fn from(row: LogRow) -> Self {
        Self {
            seq: row.seq,
            span_id: row.span_id.map(|id| id.to_string()),
            transaction_id: row.transaction_id.map(|id| id.to_string()),
            service: row.service,
            level: row.level,
            timestamp: row.ts,
        }
    }
}
