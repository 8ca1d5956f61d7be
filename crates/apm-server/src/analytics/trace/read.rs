//! One trace out of the database, arranged on its timeline.
//!
//! Only columns are read; what an item carries besides (stack trace, headers, statement text) is in its
//! document, read when someone opens it. There is no limit to the number of items.

use std::collections::HashMap;

use diesel::SqliteConnection;

use super::item::{Item, Stretch, Trace, TraceError, TraceLog};
use super::row::{ErrorRow, ItemRow, LogRow};
use super::tree::{self, Tree};
use super::{cover, critical};
use crate::analytics::sql::Sql;
use crate::pasted::{Part, readings};
use crate::store::StoreError;
use crate::store::id::StoredId;

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

/// Reads the trace whose id was pasted in one way or another ([`crate::pasted`]); nothing where none of its events is there.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn pasted(conn: &mut SqliteConnection, text: &str) -> Result<Option<Trace>, StoreError> {
    for id in readings(text, Part::Trace) {
        if let Some(trace) = trace(conn, &id)? {
            return Ok(Some(trace));
        }
    }
    Ok(None)
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
