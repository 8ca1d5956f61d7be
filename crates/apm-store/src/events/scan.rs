//! Events of many blocks, of which most are ruled out by their stored text.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;

use super::{Reader, StoreError, packed, runs};
use crate::block::{SLOTS, documents};
use crate::event::StoredEvent;

/// Bytes of metadata and stacks that are held.
const MOST: usize = 8 << 20;

/// Metadata and stack traces, which many events share: read once, some megabytes of them.
#[derive(Debug, Default)]
pub struct Texts {
    resources: HashMap<i64, Arc<str>>,
    stacks: HashMap<i64, String>,
    bytes: usize,
}

impl Texts {
    pub(super) fn resource(&self, id: i64) -> Option<Arc<str>> {
        self.resources.get(&id).map(Arc::clone)
    }

    pub(super) fn stack(&self, id: i64) -> Option<String> {
        self.stacks.get(&id).cloned()
    }

    pub(super) fn keep_resource(&mut self, id: i64, document: &Arc<str>) {
        self.make_room(document.len());
        self.resources.insert(id, Arc::clone(document));
    }

    pub(super) fn keep_stack(&mut self, id: i64, json: &str) {
        self.make_room(json.len());
        self.stacks.insert(id, json.to_owned());
    }

    fn make_room(&mut self, bytes: usize) {
        if self.bytes + bytes > MOST {
            self.resources.clear();
            self.stacks.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
    }
}

/// An event that is wanted, by its number, and the number of its metadata.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its number.
    pub seq: i64,
    /// The number of its metadata.
    pub resource: i64,
}

/// Whether an event is wanted, by its JSON and that of its metadata.
pub(super) type Passes<'a> = &'a dyn Fn(&[&str]) -> bool;

/// The wanted events of one block that pass, where there is a test for that: by their JSON and that of their metadata.
/// The block is unpacked once, and rows are read of the events that pass.
pub fn of_block(
    conn: &mut SqliteConnection,
    texts: &mut Texts,
    wanted: &[Wanted],
    passes: Option<Passes<'_>>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let Some(id) = wanted.first().map(|one| one.seq.div_euclid(SLOTS)) else {
        return Ok(Vec::new());
    };
    let Some(block) = packed(conn, id)? else {
        return Ok(Vec::new());
    };
    let raw = block.unpack()?;
    let documents = documents(&raw)?;
    let mut reader = Reader { conn, texts };
    let mut kept = Vec::with_capacity(wanted.len());
    for one in wanted {
        let slot = usize::try_from(one.seq - id * SLOTS).ok();
        let document = slot.and_then(|slot| documents.get(slot)?.as_ref());
        let passes = match (passes, document) {
            (Some(passes), Some(document)) => {
                let sender = reader.resource(one.resource)?;
                passes(&[document.json, &sender])
            }
            // One without a document is an error below.
            _ => true,
        };
        if passes {
            kept.push(one.seq);
        }
    }
    kept.sort_unstable();
    reader.rows(id, &documents, block.sums(), &runs(&kept), |row| {
        kept.binary_search(&row.seq).is_ok()
    })
}
