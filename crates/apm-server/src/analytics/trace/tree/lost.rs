//! Spans that name no transaction and whose parent did not arrive, as it happens with OpenTelemetry
//! (docs/adr/0483-a-span-whose-parent-never-comes.md).

use std::collections::HashMap;

use super::{Item, Node};
use crate::analytics::trace::within::{Stretch, Within};

/// Puts them below the transaction that they ran in, where only one comes into question: that of their service in which
/// the first of those with the same parent began.
pub(super) fn place(items: &[Item], nodes: &mut [Node]) {
    let is_lost = |item: &Item, node: &Node| {
        node.orphan && node.parent.is_none() && item.owner.is_none() && !item.transaction
    };
    let mut first: HashMap<(u64, Option<u64>), i64> = HashMap::new();
    for (item, node) in items.iter().zip(&*nodes) {
        if is_lost(item, node) {
            let start = first
                .entry((item.service, item.parent))
                .or_insert(item.start);
            *start = item.start.min(*start);
        }
    }
    if first.is_empty() {
        return;
    }
    let mut requests: HashMap<u64, Vec<Stretch>> = HashMap::new();
    for (index, item) in (0u32..).zip(items) {
        if item.transaction {
            let end = item.start.saturating_add(item.duration.max(0));
            let of_service = requests.entry(item.service).or_default();
            of_service.push((item.start, end, index));
        }
    }
    let requests: HashMap<u64, Within> = requests
        .into_iter()
        .map(|(service, requests)| (service, Within::new(&requests)))
        .collect();
    for (item, node) in items.iter().zip(nodes) {
        if is_lost(item, node)
            && let Some(requests) = requests.get(&item.service)
            && let Some(start) = first.get(&(item.service, item.parent))
        {
            node.parent = requests.only(*start);
        }
    }
}
