//! A part of a trace as JSON: a large one has more items than one answer may hold.

use std::collections::HashMap;

use serde::Serialize;

use crate::analytics::trace::Trace;
use crate::analytics::trace::item::{Composite, Item, Stretch, TraceError, TraceLog};
use crate::analytics::trace::read::Named;

/// A trace, with some of its items.
#[derive(Serialize)]
pub(super) struct Page<'t> {
    id: &'t str,
    start: i64,
    from: i64,
    duration: i64,
    /// Items of the whole trace.
    total: usize,
    /// Index of the first item of this answer: `parent` and `critical_path` count from the first of all.
    first: usize,
    /// Where the next answer begins; null with the last items.
    next: Option<usize>,
    items: Vec<Shown<'t>>,
    /// The stretches of the items of this answer.
    critical_path: Vec<Stretch>,
    errors: &'t [TraceError],
    logs: &'t [TraceLog],
    orphans: usize,
    far: usize,
    /// Whether there is more than is read of one trace.
    is_cut: bool,
}

/// A transaction or a span.
#[derive(Serialize)]
struct Shown<'t> {
    seq: i64,
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
    at: i64,
    skew: i64,
    depth: u32,
    parent: Option<u32>,
    is_orphan: bool,
    is_far: bool,
    self_time: i64,
}

/// What is read for the items of an answer alone.
#[derive(Debug)]
pub(super) struct Read {
    /// Texts of statements by the numbers of their rows.
    pub(super) statements: HashMap<i64, String>,
    /// Parent and transaction of each event, as they were sent.
    pub(super) named: HashMap<i64, Named>,
}

impl<'t> Page<'t> {
    /// The items from `first` on, at most `size`.
    pub(super) fn of(trace: &'t Trace, first: usize, size: usize, read: &'t Read) -> Self {
        let first = first.min(trace.items.len());
        let end = first.saturating_add(size).min(trace.items.len());
        let within = |stretch: &&Stretch| (first..end).contains(&(stretch.item as usize));
        let is_whole = first == 0;
        Self {
            id: &trace.id,
            start: trace.start,
            from: trace.from,
            duration: trace.duration,
            total: trace.items.len(),
            first,
            next: (end < trace.items.len()).then_some(end),
            items: trace.items[first..end]
                .iter()
                .map(|item| Shown::of(item, read))
                .collect(),
            critical_path: trace.critical_path.iter().filter(within).copied().collect(),
            errors: if is_whole { &trace.errors } else { &[] },
            logs: if is_whole { &trace.logs } else { &[] },
            orphans: trace.orphans,
            far: trace.far,
            is_cut: trace.is_cut,
        }
    }
}

impl<'t> Shown<'t> {
    fn of(item: &'t Item, read: &'t Read) -> Self {
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
