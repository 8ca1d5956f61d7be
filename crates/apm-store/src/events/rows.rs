//! The columns of a range of events of one kind.

use diesel::prelude::*;

use super::super::id::StoredId;
use super::super::schema::{
    error, error_group, log, metricset, result, span, span_group, tx, tx_group,
};
use crate::event::{Kind, Outcome};

/// The columns of an event; `None` for those that its kind does not have.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) resource_id: i64,
    pub(super) timestamp: i64,
    pub(super) id: Option<StoredId>,
    pub(super) trace_id: Option<StoredId>,
    pub(super) transaction_id: Option<StoredId>,
    pub(super) parent_id: Option<StoredId>,
    pub(super) duration: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) subtype: Option<String>,
    pub(super) action: Option<String>,
    pub(super) result: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) sampled: Option<bool>,
    pub(super) sample_rate: Option<f64>,
    pub(super) spans_started: Option<i64>,
    pub(super) spans_dropped: Option<i64>,
    pub(super) grouping_key: Option<u64>,
}

/// The rows of a kind from `first` to `last`.
pub(super) fn load(
    conn: &mut SqliteConnection,
    kind: Kind,
    first: i64,
    last: i64,
) -> QueryResult<Vec<Row>> {
    Ok(match kind {
        Kind::Transaction => {
            let query = tx::table
                .inner_join(tx_group::table.on(tx_group::id.eq(tx::group_id)))
                .left_join(result::table.on(result::id.nullable().eq(tx::result_id)))
                .filter(tx::seq.between(first, last));
            rows(query.select(Transaction::as_select()).load(conn)?)
        }
        Kind::Span => {
            let query = span::table
                .inner_join(span_group::table.on(span_group::id.eq(span::group_id)))
                .filter(span::seq.between(first, last));
            rows(query.select(Span::as_select()).load(conn)?)
        }
        Kind::Error => {
            let query = error::table
                .inner_join(error_group::table.on(error_group::id.eq(error::group_id)))
                .filter(error::seq.between(first, last));
            rows(query.select(Error::as_select()).load(conn)?)
        }
        Kind::Metricset => {
            let query = metricset::table.filter(metricset::seq.between(first, last));
            rows(query.select(Metricset::as_select()).load(conn)?)
        }
        Kind::Log => {
            let query = log::table.filter(log::seq.between(first, last));
            rows(query.select(Log::as_select()).load(conn)?)
        }
    })
}

fn rows(found: Vec<impl Into<Row>>) -> Vec<Row> {
    found.into_iter().map(Into::into).collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tx)]
struct Transaction {
    seq: i64,
    resource_id: i64,
    ts: i64,
    duration: i64,
    trace_id: StoredId,
    id: StoredId,
    parent_id: Option<StoredId>,
    outcome: i32,
    sampled: bool,
    sample_rate: Option<f64>,
    spans_started: Option<i64>,
    spans_dropped: Option<i64>,
    #[diesel(select_expression = tx_group::name)]
    name: String,
    #[diesel(select_expression = tx_group::type_)]
    kind: String,
    #[diesel(select_expression = result::value.nullable())]
    result: Option<String>,
}

impl From<Transaction> for Row {
    fn from(tx: Transaction) -> Self {
        Self {
            seq: tx.seq,
            resource_id: tx.resource_id,
            timestamp: tx.ts,
            id: Some(tx.id),
            trace_id: Some(tx.trace_id),
            parent_id: tx.parent_id,
            duration: Some(tx.duration),
            name: present(tx.name),
            event_type: Some(tx.kind),
            result: tx.result,
            outcome: Some(outcome(tx.outcome)),
            sampled: Some(tx.sampled),
            sample_rate: tx.sample_rate,
            spans_started: tx.spans_started,
            spans_dropped: tx.spans_dropped,
            ..Self::default()
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = span)]
struct Span {
    seq: i64,
    resource_id: i64,
    ts: i64,
    duration: i64,
    trace_id: StoredId,
    id: StoredId,
    transaction_id: Option<StoredId>,
    parent_id: Option<StoredId>,
    outcome: i32,
    sample_rate: Option<f64>,
    #[diesel(select_expression = span_group::name)]
    name: String,
    #[diesel(select_expression = span_group::type_)]
    kind: String,
    #[diesel(select_expression = span_group::subtype)]
    subtype: String,
    #[diesel(select_expression = span_group::action)]
    action: String,
}

impl From<Span> for Row {
    fn from(span: Span) -> Self {
        Self {
            seq: span.seq,
            resource_id: span.resource_id,
            timestamp: span.ts,
            id: Some(span.id),
            trace_id: Some(span.trace_id),
            transaction_id: span.transaction_id,
            parent_id: span.parent_id,
            duration: Some(span.duration),
            name: Some(span.name),
            event_type: Some(span.kind),
            subtype: present(span.subtype),
            action: present(span.action),
            outcome: Some(outcome(span.outcome)),
            sample_rate: span.sample_rate,
            ..Self::default()
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = error)]
struct Error {
    seq: i64,
    resource_id: i64,
    ts: i64,
    trace_id: Option<StoredId>,
    id: StoredId,
    transaction_id: Option<StoredId>,
    parent_id: Option<StoredId>,
    #[diesel(select_expression = error_group::grouping_key)]
    grouping_key: i64,
}

impl From<Error> for Row {
    fn from(error: Error) -> Self {
        Self {
            seq: error.seq,
            resource_id: error.resource_id,
            timestamp: error.ts,
            id: Some(error.id),
            trace_id: error.trace_id,
            transaction_id: error.transaction_id,
            parent_id: error.parent_id,
            grouping_key: Some(error.grouping_key.cast_unsigned()),
            ..Self::default()
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = metricset)]
struct Metricset {
    seq: i64,
    resource_id: i64,
    ts: i64,
}

impl From<Metricset> for Row {
    fn from(metricset: Metricset) -> Self {
        Self {
            seq: metricset.seq,
            resource_id: metricset.resource_id,
            timestamp: metricset.ts,
            ..Self::default()
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = log)]
struct Log {
    seq: i64,
    resource_id: i64,
    ts: i64,
    trace_id: Option<StoredId>,
    transaction_id: Option<StoredId>,
    span_id: Option<StoredId>,
}

impl From<Log> for Row {
    fn from(log: Log) -> Self {
        Self {
            seq: log.seq,
            resource_id: log.resource_id,
            timestamp: log.ts,
            id: log.span_id,
            trace_id: log.trace_id,
            transaction_id: log.transaction_id,
            ..Self::default()
        }
    }
}

/// Dictionaries keep what is absent as an empty text.
fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn outcome(code: i32) -> Outcome {
    match code {
        0 => Outcome::Failure,
        1 => Outcome::Success,
        _ => Outcome::Unknown,
    }
}
