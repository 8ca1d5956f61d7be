//! One trace out of the database, arranged on its timeline.
//!
//! Only columns are read; what an item carries besides (stack trace, headers, statement text) is in its
//! document, read when someone opens it. There is no limit to the number of items.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use serde::Serialize;

use super::tree::{self, Tree};
use super::{cover, critical};
use crate::analytics::sql::Sql;
use crate::store::StoreError;
use crate::store::id::{Identifier, StoredId};

/// Everything known of one trace.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// `trace.id`
    pub id: String,
    /// Start of the entry, µs since the epoch; `at` of every item counts from here.
    pub start: i64,
    /// From the earliest start to the latest end, µs.
    pub duration: i64,
    /// Transactions and spans: parents before their children, siblings by start, orphans last.
    pub items: Vec<Item>,
    /// What the entry waited for, by time; adds up to its duration.
    pub critical_path: Vec<Stretch>,
    /// By time.
    pub errors: Vec<TraceError>,
    /// By time.
    pub logs: Vec<TraceLog>,
    /// Items that name a parent which did not arrive.
    pub orphans: usize,
}

impl Trace {
    /// The number of the event with an id: an item first, then an error.
    #[must_use]
    pub fn seq_of(&self, id: &str) -> Option<i64> {
        let item = self.items.iter().find(|item| item.id == id);
        let error = self.errors.iter().find(|error| error.id == id);
        item.map(|item| item.seq).or(error.map(|error| error.seq))
    }
}

/// A stretch of the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Index in [`Trace::items`].
    pub item: usize,
    /// µs from the start of the entry.
    pub from: i64,
    /// µs from the start of the entry.
    pub to: i64,
}

/// A transaction or a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The event's number: its document is found by it.
    pub seq: i64,
    /// Whether it is a transaction.
    pub is_transaction: bool,
    /// Its id.
    pub id: String,
    /// `parent.id`
    pub parent_id: Option<String>,
    /// Of a span, where the agent sends it.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// `agent.name`
    pub agent: String,
    /// Name.
    pub name: String,
    /// `transaction.type` or `span.type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype`, may be empty.
    pub subtype: String,
    /// `span.action`, may be empty.
    pub action: String,
    /// Start by its own clock, µs since the epoch.
    pub timestamp: i64,
    /// µs.
    pub duration: i64,
    /// `success`, `failure` or `unknown`.
    pub outcome: &'static str,
    /// `transaction.result`, may be empty.
    pub result: String,
    /// HTTP status.
    pub status: Option<i64>,
    /// Of a transaction: whether its spans were recorded.
    pub sampled: bool,
    /// Of a transaction.
    pub spans_started: Option<i64>,
    /// Of a transaction: spans that the agent left out.
    pub spans_dropped: Option<i64>,
    /// What it calls, may be empty.
    pub destination: String,
    /// Fingerprint of its statement, 16 hex digits.
    pub fingerprint: Option<String>,
    /// Its statement with `?` for the literals, may be empty.
    pub statement: String,
    /// Set where one span stands for several.
    pub composite: Option<Composite>,
    /// Start on the common timeline, µs from the start of the entry, clocks brought together.
    pub at: i64,
    /// What was added to its own clock, µs.
    pub skew: i64,
    /// Generations above it.
    pub depth: usize,
    /// Index of its parent in [`Trace::items`].
    pub parent: Option<usize>,
    /// It names a parent that did not arrive.
    pub is_orphan: bool,
    /// What its children leave uncovered, µs.
    pub self_time: i64,
    /// `child.id`: items that it adopts, whatever parent they name.
    #[serde(skip)]
    pub adopts: Vec<String>,
}

/// A span that stands for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Composite {
    /// How many.
    pub count: i64,
    /// Their time, µs.
    pub sum: i64,
}

/// An error in the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceError {
    /// The event's number.
    pub seq: i64,
    /// `error.id`
    pub id: String,
    /// The item in which it happened.
    pub parent_id: Option<String>,
    /// The transaction in which it happened.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `error.grouping_key`
    pub key: String,
    /// `error.exception.type`, may be empty.
    #[serde(rename = "type")]
    pub kind: String,
    /// Message of its group.
    pub message: String,
    /// `error.culprit`, may be empty.
    pub culprit: String,
    /// `error.exception.handled`
    pub handled: Option<bool>,
    /// µs since the epoch, by its own clock.
    pub timestamp: i64,
}

/// A log line in the trace. Its text is in its document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceLog {
    /// The event's number.
    pub seq: i64,
    /// The span in which it was written.
    pub span_id: Option<String>,
    /// The transaction in which it was written.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `log.level`, may be empty.
    pub level: String,
    /// µs since the epoch, by its own clock.
    pub timestamp: i64,
}

#[derive(QueryableByName)]
struct ItemRow {
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

#[derive(QueryableByName)]
struct ErrorRow {
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

#[derive(QueryableByName)]
struct LogRow {
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

/// The query behind transactions and spans.
#[must_use]
pub fn items_sql(id: &str) -> Sql {
    bound(include_str!("items.sql"), id)
}

/// The query behind its errors.
pub(crate) fn errors_sql(id: &str) -> Sql {
    bound(include_str!("errors.sql"), id)
}

/// The query behind its log lines.
pub(crate) fn logs_sql(id: &str) -> Sql {
    bound(include_str!("logs.sql"), id)
}

fn bound(text: &'static str, id: &str) -> Sql {
    let id = StoredId::from(id);
    Sql::new(text)
        .bind("bits", id.trace_bits())
        .bind("trace", &id)
}

/// Reads a trace; nothing where none of its events is there.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn trace(conn: &mut SqliteConnection, id: &str) -> Result<Option<Trace>, StoreError> {
    let rows: Vec<ItemRow> = items_sql(id).load(conn)?;
    let errors: Vec<ErrorRow> = errors_sql(id).load(conn)?;
    let logs: Vec<LogRow> = logs_sql(id).load(conn)?;
    if rows.is_empty() && errors.is_empty() && logs.is_empty() {
        return Ok(None);
    }
    let mut items: Vec<Item> = rows.into_iter().map(Item::from).collect();
    adopt(conn, &mut items)?;
    Ok(Some(arranged(
        id,
        items,
        errors.into_iter().map(TraceError::from).collect(),
        logs.into_iter().map(TraceLog::from).collect(),
    )))
}

/// Reads which items inferred spans adopt. Their agent works them out from samples of stacks after the spans below them
/// were sent, so those name another parent. Only such spans have that, so only their documents are read.
fn adopt(conn: &mut SqliteConnection, items: &mut [Item]) -> Result<(), StoreError> {
    let inferred = |item: &&mut Item| !item.is_transaction && item.subtype == "inferred";
    let mut inferred: HashMap<i64, &mut Item> = items
        .iter_mut()
        .filter(inferred)
        .map(|item| (item.seq, item))
        .collect();
    if inferred.is_empty() {
        return Ok(());
    }
    let seqs: Vec<i64> = inferred.keys().copied().collect();
    for event in crate::store::events(conn, &seqs)? {
        let rest: serde_json::Value = serde_json::from_str(&event.rest).unwrap_or_default();
        let ids = rest["child_ids"].as_array().into_iter().flatten();
        let ids = ids
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        if let Some(item) = inferred.get_mut(&event.seq) {
            item.adopts = ids;
        }
    }
    Ok(())
}

/// Puts items that came in any order onto one timeline.
fn arranged(id: &str, items: Vec<Item>, errors: Vec<TraceError>, logs: Vec<TraceLog>) -> Trace {
    // Arranged twice: once for the order of display, once so that indexes are those of that order.
    let order = tree_of(&items).order;
    let mut slots: Vec<Option<Item>> = items.into_iter().map(Some).collect();
    let mut items: Vec<Item> = order
        .into_iter()
        .filter_map(|at| slots.get_mut(at).and_then(Option::take))
        .collect();
    let tree = tree_of(&items);
    for (item, node) in items.iter_mut().zip(&tree.nodes) {
        item.at = node.at;
        item.skew = node.skew;
        item.depth = node.depth;
        item.parent = node.parent;
        item.is_orphan = node.orphan;
        let children = node.children.iter().map(|child| &tree.nodes[*child]);
        item.self_time = cover::self_time(
            (node.at, node.end()),
            children.map(|child| (child.at, child.end())),
        );
    }
    let entry = tree.roots.first().copied();
    let critical_path = entry.map_or_else(Vec::new, |entry| {
        critical::path(&tree, entry)
            .into_iter()
            .map(|stretch| Stretch {
                item: stretch.item,
                from: stretch.from,
                to: stretch.to,
            })
            .collect()
    });
    Trace {
        id: id.to_owned(),
        start: entry
            .map(|entry| items[entry].timestamp)
            .or_else(|| errors.first().map(|error| error.timestamp))
            .or_else(|| logs.first().map(|log| log.timestamp))
            .unwrap_or_default(),
        duration: tree.duration(),
        items,
        critical_path,
        errors,
        logs,
        orphans: tree.orphans().count(),
    }
}

fn tree_of(items: &[Item]) -> Tree {
    let items: Vec<tree::Item> = items
        .iter()
        .map(|item| tree::Item {
            id: item.id.clone(),
            parent: item.parent_id.clone(),
            transaction: item.is_transaction,
            start: item.timestamp,
            duration: item.duration,
            adopts: item.adopts.clone(),
        })
        .collect();
    Tree::new(&items)
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
