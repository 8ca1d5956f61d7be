//! The columns of a range of events of one kind.

use diesel::prelude::*;

use super::super::id::StoredId;
use super::super::schema::{
    error, error_group, log, metricset, result, span, span_group, tx, tx_group,
};
use crate::event::{Kind, Outcome};

/// What the columns hold of an event; what its kind does not have is `None`.
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
    match kind {
        Kind::Transaction => transactions(conn, first, last),
        Kind::Span => spans(conn, first, last),
        Kind::Error => errors(conn, first, last),
        Kind::Metricset => metricsets(conn, first, last),
        Kind::Log => logs(conn, first, last),
    }
}

#[derive(Queryable)]
struct Tx {
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
    name: String,
    kind: String,
    result: Option<String>,
}

fn transactions(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<Vec<Row>> {
    let rows: Vec<Tx> = tx::table
        .inner_join(tx_group::table.on(tx_group::id.eq(tx::group_id)))
        .left_join(result::table.on(result::id.nullable().eq(tx::result_id)))
        .filter(tx::seq.between(first, last))
        .select((
            tx::seq,
            tx::resource_id,
            tx::ts,
            tx::duration,
            tx::trace_id,
            tx::id,
            tx::parent_id,
            tx::outcome,
            tx::sampled,
            tx::sample_rate,
            tx::spans_started,
            tx::spans_dropped,
            tx_group::name,
            tx_group::type_,
            result::value.nullable(),
        ))
        .load(conn)?;
    let row = |tx: Tx| Row {
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
        ..Row::default()
    };
    Ok(rows.into_iter().map(row).collect())
}

#[derive(Queryable)]
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
    name: String,
    kind: String,
    subtype: String,
    action: String,
}

fn spans(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<Vec<Row>> {
    let rows: Vec<Span> = span::table
        .inner_join(span_group::table.on(span_group::id.eq(span::group_id)))
        .filter(span::seq.between(first, last))
        .select((
            span::seq,
            span::resource_id,
            span::ts,
            span::duration,
            span::trace_id,
            span::id,
            span::transaction_id,
            span::parent_id,
            span::outcome,
            span::sample_rate,
            span_group::name,
            span_group::type_,
            span_group::subtype,
            span_group::action,
        ))
        .load(conn)?;
    let row = |span: Span| Row {
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
        ..Row::default()
    };
    Ok(rows.into_iter().map(row).collect())
}

type ErrorColumns = (
    i64,
    i64,
    i64,
    Option<StoredId>,
    StoredId,
    Option<StoredId>,
    Option<StoredId>,
    i64,
);

fn errors(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<Vec<Row>> {
    let rows: Vec<ErrorColumns> = error::table
        .inner_join(error_group::table.on(error_group::id.eq(error::group_id)))
        .filter(error::seq.between(first, last))
        .select((
            error::seq,
            error::resource_id,
            error::ts,
            error::trace_id,
            error::id,
            error::transaction_id,
            error::parent_id,
            error_group::grouping_key,
        ))
        .load(conn)?;
    let row = |(seq, resource_id, timestamp, trace_id, id, transaction_id, parent_id, key)| Row {
        seq,
        resource_id,
        timestamp,
        id: Some(id),
        trace_id,
        transaction_id,
        parent_id,
        grouping_key: Some(i64::cast_unsigned(key)),
        ..Row::default()
    };
    Ok(rows.into_iter().map(row).collect())
}

fn metricsets(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<Vec<Row>> {
    let rows: Vec<(i64, i64, i64)> = metricset::table
        .filter(metricset::seq.between(first, last))
        .select((metricset::seq, metricset::resource_id, metricset::ts))
        .load(conn)?;
    let row = |(seq, resource_id, timestamp)| Row {
        seq,
        resource_id,
        timestamp,
        ..Row::default()
    };
    Ok(rows.into_iter().map(row).collect())
}

type LogColumns = (
    i64,
    i64,
    i64,
    Option<StoredId>,
    Option<StoredId>,
    Option<StoredId>,
);

fn logs(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<Vec<Row>> {
    let rows: Vec<LogColumns> = log::table
        .filter(log::seq.between(first, last))
        .select((
            log::seq,
            log::resource_id,
            log::ts,
            log::trace_id,
            log::transaction_id,
            log::span_id,
        ))
        .load(conn)?;
    let row = |(seq, resource_id, timestamp, trace_id, transaction_id, id)| Row {
        seq,
        resource_id,
        timestamp,
        id,
        trace_id,
        transaction_id,
        ..Row::default()
    };
    Ok(rows.into_iter().map(row).collect())
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
