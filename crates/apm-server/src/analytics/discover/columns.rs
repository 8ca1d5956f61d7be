//! Fields of a document that the rows of each kind of event can tell.
//!
//! A field belongs here only if the column and the document always agree: whatever is left out is read
//! from the document, which is slower and never wrong.

use apm_store::event::Kind;
use kql::Expr;

use crate::analytics::condition::{Column, ColumnType, Condition};

const TX_GROUP: &str =
    "r.group_id IN (SELECT g.id FROM tx_group g JOIN service s ON s.id = g.service_id WHERE";
const SPAN_GROUP: &str =
    "r.group_id IN (SELECT g.id FROM span_group g JOIN service s ON s.id = g.service_id WHERE";
const ERROR_GROUP: &str =
    "r.group_id IN (SELECT g.id FROM error_group g JOIN service s ON s.id = g.service_id WHERE";
const SERVICE: &str = "r.service_id IN (SELECT s.id FROM service s WHERE";
const RESULT: &str = "(SELECT value FROM result WHERE id = r.result_id)";
const OUTCOME: &str =
    "CASE r.outcome WHEN 0 THEN 'failure' WHEN 1 THEN 'success' ELSE 'unknown' END";

/// The table of a kind of event; queries call it `r`.
pub(super) fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Transaction => "tx",
        Kind::Span => "span",
        Kind::Error => "error",
        Kind::Metricset => "metricset",
        Kind::Log => "log",
    }
}

/// A query as a condition on the rows of a kind of event.
pub(super) fn condition(kind: Kind, query: &Expr) -> Condition {
    let columns = columns_of(kind);
    if kind != Kind::Log {
        return Condition::new(query, &columns);
    }
    // A log line with an error counts as an error, any other has no kind: only its document says which. Where
    // the query is the same for both, no document is needed.
    let either = |event: ColumnType| {
        let with = move |field: &str| match field {
            "processor.event" => column("", event),
            _ => columns(field),
        };
        Condition::new(query, &with)
    };
    let error = either(ColumnType::Constant("error"));
    if error == either(ColumnType::Absent) {
        return error;
    }
    Condition::new(query, &columns)
}

/// The columns of a kind of event.
fn columns_of(kind: Kind) -> fn(&str) -> Option<Column> {
    match kind {
        Kind::Transaction => transaction,
        Kind::Span => span,
        Kind::Error => error,
        Kind::Metricset => metricset,
        Kind::Log => log,
    }
}

/// The groups of rows by a field.
pub(super) struct Grouping {
    /// SQL of what rows are grouped by.
    pub(super) key: String,
    /// SQL of the text of the field for a `part` of them; empty or NULL where it is absent.
    pub(super) value: String,
}

/// The groups of a kind's rows by a field; nothing where only documents tell them.
pub(super) fn grouping(kind: Kind, field: &str) -> Option<Grouping> {
    let column = columns_of(kind)(field)?;
    let (key, value) = match (column.kept, column.within) {
        (ColumnType::Absent, _) => ("NULL", "NULL".to_owned()),
        (ColumnType::Constant(text), _) => ("NULL", format!("'{text}'")),
        // The text of a dictionary is looked up once for all rows of an id.
        (ColumnType::Text, Some(within)) => {
            let (key, dictionary) = within.split_once(" IN (SELECT ")?;
            let (id, from) = dictionary.split_once(' ')?;
            (key, format!("(SELECT {} {from} {id} = part)", column.value))
        }
        (ColumnType::Text, None) if column.value == RESULT => {
            let value = "(SELECT value FROM result WHERE id = part)";
            ("r.result_id", value.to_owned())
        }
        (ColumnType::Text, None) => (column.value, "part".to_owned()),
        (ColumnType::Bool, None) => {
            let words = "CASE part WHEN 1 THEN 'true' WHEN 0 THEN 'false' END";
            (column.value, words.to_owned())
        }
        // As documents write them, and as many as there are events.
        (ColumnType::Number | ColumnType::Id | ColumnType::Time | ColumnType::Bool, _) => {
            return None;
        }
    };
    Some(Grouping {
        key: key.to_owned(),
        value,
    })
}

/// The columns of `event_count`, for events of a kind.
pub(super) fn counted(kind: Kind, field: &str) -> Option<Column> {
    let column = columns_of(kind)(field)?;
    match (field, column.kept) {
        (_, ColumnType::Constant(_) | ColumnType::Absent) => Some(column),
        ("event.outcome", _) => Some(column),
        ("service.name", _) => within(SERVICE, "s.name"),
        ("service.environment", _) => within(SERVICE, "s.environment"),
        _ => None,
    }
}

/// A field that no event has.
pub(super) const ABSENT: Column = Column {
    value: "",
    kept: ColumnType::Absent,
    within: None,
};

fn column(value: &'static str, kept: ColumnType) -> Option<Column> {
    Some(Column {
        value,
        kept,
        within: None,
    })
}

fn within(within: &'static str, value: &'static str) -> Option<Column> {
    Some(Column {
        value,
        kept: ColumnType::Text,
        within: Some(within),
    })
}

fn transaction(field: &str) -> Option<Column> {
    match field {
        "processor.event" => column("", ColumnType::Constant("transaction")),
        "service.name" => within(TX_GROUP, "s.name"),
        "service.environment" => within(TX_GROUP, "s.environment"),
        "transaction.name" => within(TX_GROUP, "g.name"),
        "transaction.type" => within(TX_GROUP, "g.type"),
        "transaction.id" | "span.id" => column("r.id", ColumnType::Id),
        "transaction.result" => column(RESULT, ColumnType::Text),
        "transaction.duration.us" => column("r.duration", ColumnType::Number),
        "transaction.sampled" => column("r.sampled", ColumnType::Bool),
        "event.outcome" => column(OUTCOME, ColumnType::Text),
        "error.id" | "error.grouping_key" | "span.name" | "span.type" | "span.subtype"
        | "span.action" | "span.duration.us" => column("", ColumnType::Absent),
        _ => traced(field),
    }
}

fn span(field: &str) -> Option<Column> {
    match field {
        "processor.event" => column("", ColumnType::Constant("span")),
        "service.name" => within(SPAN_GROUP, "s.name"),
        "service.environment" => within(SPAN_GROUP, "s.environment"),
        "span.name" => within(SPAN_GROUP, "g.name"),
        "span.type" => within(SPAN_GROUP, "g.type"),
        "span.subtype" => within(SPAN_GROUP, "g.subtype"),
        "span.action" => within(SPAN_GROUP, "g.action"),
        "span.id" => column("r.id", ColumnType::Id),
        "transaction.id" => column("r.transaction_id", ColumnType::Id),
        "span.duration.us" => column("r.duration", ColumnType::Number),
        "event.outcome" => column(OUTCOME, ColumnType::Text),
        "error.id"
        | "error.grouping_key"
        | "transaction.name"
        | "transaction.type"
        | "transaction.result"
        | "transaction.duration.us" => column("", ColumnType::Absent),
        _ => traced(field),
    }
}

fn error(field: &str) -> Option<Column> {
    match field {
        "processor.event" => column("", ColumnType::Constant("error")),
        "service.name" => within(ERROR_GROUP, "s.name"),
        "service.environment" => within(ERROR_GROUP, "s.environment"),
        "error.grouping_key" => within(ERROR_GROUP, "printf('%016x', g.grouping_key)"),
        "error.id" => column("r.id", ColumnType::Id),
        "transaction.id" => column("r.transaction_id", ColumnType::Id),
        "transaction.result" | "transaction.duration.us" | "span.duration.us" | "event.outcome" => {
            column("", ColumnType::Absent)
        }
        _ => traced(field),
    }
}

/// Columns that transactions, spans and errors have in common.
fn traced(field: &str) -> Option<Column> {
    match field {
        "trace.id" => column("r.trace_id", ColumnType::Id),
        "parent.id" => column("r.parent_id", ColumnType::Id),
        "timestamp.us" => column("r.ts", ColumnType::Number),
        "@timestamp" => column("r.ts", ColumnType::Time),
        _ => None,
    }
}

fn metricset(field: &str) -> Option<Column> {
    match field {
        "processor.event" => column("", ColumnType::Constant("metric")),
        "service.name" => within(SERVICE, "s.name"),
        "service.environment" => within(SERVICE, "s.environment"),
        "@timestamp" => column("r.ts", ColumnType::Time),
        "trace.id"
        | "parent.id"
        | "transaction.id"
        | "span.id"
        | "error.id"
        | "error.grouping_key"
        | "transaction.duration.us"
        | "span.duration.us"
        | "event.outcome" => column("", ColumnType::Absent),
        _ => None,
    }
}

fn log(field: &str) -> Option<Column> {
    match field {
        "service.name" => within(SERVICE, "s.name"),
        "service.environment" => within(SERVICE, "s.environment"),
        "trace.id" => column("r.trace_id", ColumnType::Id),
        "transaction.id" => column("r.transaction_id", ColumnType::Id),
        "log.level" => column("r.level", ColumnType::Text),
        "@timestamp" => column("r.ts", ColumnType::Time),
        // `error.grouping_key` is for the document: a line that tells of an error has it.
        "parent.id"
        | "transaction.name"
        | "transaction.type"
        | "transaction.result"
        | "transaction.duration.us"
        | "span.name"
        | "span.type"
        | "span.subtype"
        | "span.duration.us"
        | "event.outcome" => column("", ColumnType::Absent),
        _ => None,
    }
}
