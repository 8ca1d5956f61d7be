//! Rows of a trace on one timeline: what each item becomes, and what links them.

use std::collections::HashMap;
use std::sync::Arc;

use apm_store::StoreError;
use apm_store::id::StoredId;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{MOST_INFERRED, MOST_ITEMS};
use crate::analytics::sql::Sql;
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::{Composite, Item, Rare, TraceError, What};
use crate::analytics::trace::lines::Lines;
use crate::analytics::trace::names::Names;
use crate::analytics::trace::row::ItemRow;
use crate::analytics::trace::tree::{self, Adoption, Tree};
use crate::analytics::trace::{cover, critical};

/// Items as they are read: what they become, and what links them.
#[derive(Default)]
pub(super) struct Reading {
    names: Names,
    pub(super) raw: Vec<Raw>,
    links: Vec<tree::Item>,
    pub(super) is_cut: bool,
}

/// An item before it is arranged.
pub(super) struct Raw {
    seq: i64,
    id: StoredId,
    what: u32,
    timestamp: i64,
    rare: Option<Box<Rare>>,
    status: Option<i16>,
    outcome: i64,
    sampled: bool,
}

#[derive(QueryableByName)]
struct Sent {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    sent: i64,
}

/// A hash that tells ids apart, also those of different forms.
fn hash(id: &StoredId) -> u64 {
    match id {
        StoredId::Short(id) => xxh3_64_with_seed(&id.to_le_bytes(), 1),
        StoredId::Long(id) => xxh3_64_with_seed(id, 2),
        StoredId::Other(id) => xxh3_64_with_seed(id.as_bytes(), 3),
    }
}

impl Reading {
    /// Reads rows, as far as there is room.
    pub(super) fn items(
        &mut self,
        conn: &mut SqliteConnection,
        sql: &Sql,
        is_transaction: bool,
    ) -> QueryResult<()> {
        sql.each(conn, |row: ItemRow| {
            if self.raw.len() < MOST_ITEMS {
                self.push(row, is_transaction);
            } else {
                self.is_cut = true;
            }
        })
    }

    fn push(&mut self, row: ItemRow, is_transaction: bool) {
        let what = self.names.number(&row, is_transaction);
        let rare = match is_transaction {
            true => Rare {
                spans_started: row.first,
                spans_dropped: row.second,
                ..Rare::default()
            },
            false => Rare {
                composite: row
                    .first
                    .zip(row.second)
                    .map(|(count, sum)| Composite { count, sum }),
                scan_steps: row.scan_steps.filter(|steps| *steps > 0),
                ..Rare::default()
            },
        };
        self.links.push(tree::Item {
            id: hash(&row.id),
            parent: row.parent_id.as_ref().map(hash),
            owner: row.transaction_id.as_ref().map(hash),
            transaction: is_transaction,
            service: 0,
            waits: false,
            start: row.ts,
            duration: row.duration,
            odd: false,
        });
        self.raw.push(Raw {
            seq: row.seq,
            id: row.id,
            what,
            timestamp: row.ts,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
            status: row.status.and_then(|status| status.try_into().ok()),
            outcome: row.outcome,
            sampled: row.sampled,
        });
    }

    /// Notes the times that items were sent with, where the time of arrival stands for them: among each other they are
    /// right.
    pub(super) fn sent(&mut self, conn: &mut SqliteConnection, sql: &Sql) -> QueryResult<()> {
        let rows: Vec<Sent> = sql.load(conn)?;
        if rows.is_empty() {
            return Ok(());
        }
        let sent: HashMap<i64, i64> = rows.into_iter().map(|row| (row.seq, row.sent)).collect();
        for (raw, link) in self.raw.iter_mut().zip(&mut self.links) {
            if let Some(sent) = sent.get(&raw.seq) {
                raw.rare.get_or_insert_default().sent = Some(*sent);
                link.start = *sent;
                link.odd = true;
            }
        }
        Ok(())
    }

    /// Reads which items inferred spans adopt. Their agent works them out from samples of stacks after the spans below
    /// them were sent, so those name another parent. Only such spans have that, so only their documents are read.
    fn adoptions(
        &self,
        conn: &mut SqliteConnection,
        whats: &[Arc<What>],
    ) -> Result<Vec<Adoption>, StoreError> {
        let inferred = (0u32..).zip(self.raw.iter().zip(&self.links));
        let inferred = inferred.filter(|(_, (raw, link))| {
            !link.transaction && &*whats[raw.what as usize].subtype == "inferred"
        });
        let inferred: HashMap<i64, u32> = inferred
            .take(MOST_INFERRED)
            .map(|(index, (raw, _))| (raw.seq, index))
            .collect();
        let mut found = Vec::new();
        let mut seqs: Vec<i64> = inferred.keys().copied().collect();
        seqs.sort_unstable();
        for seqs in seqs.chunks(128) {
            for event in apm_store::events(conn, seqs)? {
                let rest: serde_json::Value = serde_json::from_str(&event.rest).unwrap_or_default();
                let ids = rest["child_ids"].as_array().into_iter().flatten();
                let ids = ids.filter_map(|id| id.as_str());
                if let Some(index) = inferred.get(&event.seq) {
                    found.extend(ids.map(|id| (*index, hash(&StoredId::from(id)))));
                }
            }
        }
        Ok(found)
    }

    /// Puts items that came in any order onto one timeline.
    pub(super) fn arrange(
        self,
        conn: &mut SqliteConnection,
        trace: &mut Trace,
    ) -> Result<(), StoreError> {
        let mut reading = self;
        let whats = std::mem::take(&mut reading.names).read(conn)?;
        let services: Vec<u64> = whats
            .iter()
            .map(|what| xxh3_64(what.service.as_bytes()))
            .collect();
        for (raw, link) in reading.raw.iter().zip(&mut reading.links) {
            link.service = services[raw.what as usize];
            let what = &whats[raw.what as usize];
            // A call to another service waits for its answer. Work from a queue may be done much later.
            link.waits = !link.transaction && &*what.kind == "external";
        }
        let adoptions = reading.adoptions(conn, &whats)?;
        let Reading { raw, links, .. } = reading;
        let tree = Tree::new(&links, &adoptions);
        // The new place of each item: indexes from here on are those of the order.
        let mut place = vec![0u32; raw.len()];
        for (at, index) in (0u32..).zip(&tree.order) {
            place[*index as usize] = at;
        }
        let moved = |index: Option<u32>| index.map(|index| place[index as usize]);
        let mut raw: Vec<Option<Raw>> = raw.into_iter().map(Some).collect();
        trace.items = Vec::with_capacity(raw.len());
        for index in &tree.order {
            let at = *index as usize;
            let (node, Some(raw)) = (&tree.nodes[at], raw[at].take()) else {
                continue;
            };
            let children = tree.children.below(at).iter();
            let children = children.map(|child| &tree.nodes[*child as usize]);
            // Children that are not drawn beside it cover none of its time.
            let drawn = children.filter(|child| child.far == node.far);
            let own = (node.at, node.end());
            trace.items.push(Item {
                seq: raw.seq,
                id: raw.id,
                what: Arc::clone(&whats[raw.what as usize]),
                timestamp: raw.timestamp,
                duration: links[at].duration,
                at: node.at,
                skew: node.skew,
                self_time: cover::self_time(own, drawn.map(|child| (child.at, child.end()))),
                rare: raw.rare,
                depth: node.depth,
                parent: moved(node.parent),
                transaction: moved(node.owner),
                status: raw.status,
                outcome: crate::analytics::outcome(raw.outcome),
                is_transaction: links[at].transaction,
                sampled: raw.sampled,
                is_orphan: node.orphan,
                is_far: node.far,
            });
        }
        if let Some(entry) = tree.roots.first() {
            trace.critical_path = critical::path(&tree, *entry);
            for stretch in &mut trace.critical_path {
                stretch.item = place[stretch.item as usize];
            }
        }
        trace.whats = whats.len();
        trace.start = start(trace);
        (trace.from, trace.duration) = (tree.from, tree.duration());
        trace.orphans = trace.items.iter().filter(|item| item.is_orphan).count();
        trace.far = trace.items.iter().filter(|item| item.is_far).count();
        // The lines need memory of their own: what is done with goes before they are made.
        drop((tree, links));
        errors_to_items(trace);
        trace.lines = Lines::from_items(&trace.items);
        Ok(())
    }
}

/// Start of the entry by the clocks of the trace. One that is wrong cannot tell it; then another does that is right.
fn start(trace: &Trace) -> i64 {
    let right = |item: &&Item| !item.is_far && item.sent().is_none();
    let right = trace.items.iter().find(right);
    let by_clock = right.map(|item| {
        let start = item.timestamp.saturating_add(item.skew);
        start.saturating_sub(item.at)
    });
    by_clock
        .or_else(|| trace.items.first().map(|item| item.timestamp))
        .or_else(|| trace.errors.first().map(|error| error.timestamp))
        .or_else(|| trace.logs.first().map(|log| log.timestamp))
        .unwrap_or_default()
}

/// Finds the items in which errors happened.
fn errors_to_items(trace: &mut Trace) {
    let of = |error: &TraceError| {
        let id = error.parent_id.as_ref().or(error.transaction_id.as_ref());
        id.map(|id| StoredId::from(id.as_str()))
    };
    let mut wanted: HashMap<StoredId, Option<u32>> = trace
        .errors
        .iter()
        .filter_map(of)
        .map(|id| (id, None))
        .collect();
    if wanted.is_empty() {
        return;
    }
    for (index, item) in (0u32..).zip(&trace.items) {
        if let Some(place) = wanted.get_mut(&item.id) {
            place.get_or_insert(index);
        }
    }
    for error in &mut trace.errors {
        error.item = of(error).and_then(|id| wanted.get(&id).copied().flatten());
        if let Some(index) = error.item {
            *trace.errors_of.entry(index).or_default() += 1;
        }
    }
}
