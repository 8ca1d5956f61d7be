//! Errors and log lines of a trace, as they are read.

use apm_store::id::{Identifier, StoredId};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::item::{TraceError, TraceLog};
use crate::analytics::errors::GroupColumns;

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
    #[diesel(embed)]
    group: GroupColumns,
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
            key: row.group.key(),
            service: row.group.service,
            kind: row.group.kind,
            message: row.group.message,
            culprit: row.group.culprit,
            handled: row.group.handled,
            timestamp: row.ts,
            item: None,
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
