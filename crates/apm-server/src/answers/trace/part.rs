//! A part of a trace as JSON: a large one has more items than one answer may hold.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use apm_store::StoreError;
use diesel::SqliteConnection;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::{Serialize, Serializer};

use crate::analytics::trace::Trace;
use crate::analytics::trace::item::{Composite, Item, Stretch, TraceError, TraceLog};
use crate::analytics::trace::read::{self, Named};

/// Some of the items of a trace, with what is said of all of it.
#[derive(Debug)]
pub struct TracePart {
    pub(crate) trace: Arc<Trace>,
    /// The places of its items.
    items: Range<usize>,
    read: Read,
}

impl TracePart {
    /// Reads what the items from `first` on, at most `size`, are shown with.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn read(
        conn: &mut SqliteConnection,
        trace: Arc<Trace>,
        first: usize,
        size: usize,
    ) -> Result<Self, StoreError> {
        let first = first.min(trace.items.len());
        let end = first.saturating_add(size).min(trace.items.len());
        let items = &trace.items[first..end];
        let read = Read {
            statements: read::statements(conn, items)?,
            named: read::named(conn, items)?,
        };
        Ok(Self {
            trace,
            items: first..end,
            read,
        })
    }
}

impl Serialize for TracePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Page::new(self).serialize(serializer)
    }
}

impl JsonSchema for TracePart {
    fn schema_name() -> Cow<'static, str> {
        "TracePart".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Page::json_schema(generator)
    }
}

/// A trace, with some of its items.
#[derive(Serialize, JsonSchema)]
struct Page<'t> {
    /// `trace.id`
    id: &'t str,
    /// When its first item began, µs since the epoch.
    start: i64,
    /// When its timeline begins, µs since the epoch.
    from: i64,
    /// Length of its timeline, µs.
    duration: i64,
    /// Items of the whole trace.
    total: usize,
    /// Index of the first item of this answer: `parent` and `critical_path` count from the first of all.
    first: usize,
    /// Start of the next answer; null with the last items.
    next: Option<usize>,
    /// The items, each after its parent.
    items: Vec<Shown<'t>>,
    /// The stretches of the items of this answer.
    critical_path: Vec<Stretch>,
    /// Its errors; with the first items only.
    errors: &'t [TraceError],
    /// Its log lines; with the first items only.
    logs: &'t [TraceLog],
    /// Items whose parent did not arrive.
    orphans: usize,
    /// Items whose clock is too far from the others' for the timeline.
    far: usize,
    /// True if there is more than is read of one trace.
    is_cut: bool,
}

/// A transaction or a span.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TraceItem")]
struct Shown<'t> {
    /// The event's number.
    seq: i64,
    /// True if it is a transaction, else a span.
    is_transaction: bool,
    id: String,
    parent_id: Option<String>,
    transaction_id: Option<String>,
    service: &'t str,
    environment: &'t str,
    agent: &'t str,
    name: &'t str,
    #[serde(rename = "type")]
    kind: &'t str,
    subtype: &'t str,
    action: &'t str,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_timestamp: Option<i64>,
    duration: i64,
    outcome: &'static str,
    result: &'t str,
    status: Option<i16>,
    sampled: bool,
    spans_started: Option<i64>,
    spans_dropped: Option<i64>,
    destination: &'t str,
    fingerprint: Option<String>,
    statement: &'t str,
    composite: Option<Composite>,
    /// Steps of SQLite from one row to the next in full scans of tables; null where there were none, or where they
    /// were not measured.
    scan_steps: Option<i64>,
    at: i64,
    skew: i64,
    depth: u32,
    parent: Option<u32>,
    is_orphan: bool,
    is_far: bool,
    self_time: i64,
}

/// Texts that are read for the items of one answer.
#[derive(Debug)]
struct Read {
    /// Texts of statements by the numbers of their rows.
    statements: HashMap<i64, String>,
    /// Parent and transaction of each event, as they were sent.
    named: HashMap<i64, Named>,
}

impl<'t> Page<'t> {
    fn new(part: &'t TracePart) -> Self {
        let (trace, items) = (&*part.trace, &part.items);
        let within = |stretch: &&Stretch| items.contains(&(stretch.item as usize));
        let is_first = items.start == 0;
        Self {
            id: &trace.id,
            start: trace.start,
            from: trace.from,
            duration: trace.duration,
            total: trace.items.len(),
            first: items.start,
            next: (items.end < trace.items.len()).then_some(items.end),
            items: trace.items[items.clone()]
                .iter()
                .map(|item| Shown::new(item, &part.read))
                .collect(),
            critical_path: trace.critical_path.iter().filter(within).copied().collect(),
            errors: if is_first { &trace.errors } else { &[] },
            logs: if is_first { &trace.logs } else { &[] },
            orphans: trace.orphans,
            far: trace.far,
            is_cut: trace.is_cut,
        }
    }
}

impl<'t> Shown<'t> {
    fn new(item: &'t Item, read: &'t Read) -> Self {
        let what = &item.what;
        let statement = what.statement.and_then(|id| read.statements.get(&id));
        let named = read.named.get(&item.seq).cloned().unwrap_or_default();
        Self {
            seq: item.seq,
            is_transaction: item.is_transaction,
            id: item.id.to_string(),
            parent_id: named.parent,
            transaction_id: named.transaction,
            service: &what.service,
            environment: &what.environment,
            agent: &what.agent,
            name: &what.name,
            kind: &what.kind,
            subtype: &what.subtype,
            action: &what.action,
            timestamp: item.timestamp,
            sent_timestamp: item.sent(),
            duration: item.duration,
            outcome: item.outcome.as_str(),
            result: &what.result,
            status: item.status,
            sampled: item.sampled,
            spans_started: item.spans_started(),
            spans_dropped: item.spans_dropped(),
            destination: &what.destination,
            fingerprint: what.fingerprint(),
            statement: statement.map_or("", String::as_str),
            composite: item.composite(),
            scan_steps: item.scan_steps(),
            at: item.at,
            skew: item.skew,
            depth: item.depth,
            parent: item.parent,
            is_orphan: item.is_orphan,
            is_far: item.is_far,
            self_time: item.self_time,
        }
    }
}
