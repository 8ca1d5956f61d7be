//! A page of hits.

use apm_store::StoreError;
use apm_store::event::StoredEvent;
use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::Cursor;
use crate::analytics::deadline::Deadline;

/// Bytes of events, as they are stored, after which a page of hits ends early: their documents take several times as
/// much memory, and an event may have 300 KiB.
const MOST_BYTES: usize = 8 << 20;

/// Events that are read together.
const AT_ONCE: usize = 64;

/// The place of an event: its time, and its number.
pub(super) type Place = (i64, i64);

/// One document.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Hit {
    /// The event's number.
    pub seq: i64,
    /// µs since the epoch.
    pub timestamp: i64,
    /// The event in ECS form.
    pub document: Json,
}

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) hits: Vec<Hit>,
    /// The start of the next page, if there is one.
    pub(super) next: Option<Cursor>,
}

/// The page of the newest places, of which there are at most `size`. What is newer than `stopped` was looked at. After
/// the deadline it ends with the [`AT_ONCE`] newest.
pub(super) fn load(
    conn: &mut SqliteConnection,
    places: &[Place],
    size: usize,
    stopped: Option<Place>,
    deadline: &Deadline,
) -> Result<Page, StoreError> {
    let mut next = match places.last() {
        Some(last) if places.len() == size => Some(*last),
        _ => stopped.filter(|_| size > 0),
    };
    let mut hits: Vec<Hit> = Vec::with_capacity(places.len());
    let mut bytes = 0;
    for places in places.chunks(AT_ONCE) {
        // The page ends after what is there, and the next one begins behind it. The hits of a large page may lie in as
        // many blocks.
        if bytes >= MOST_BYTES || !deadline.allows_more(hits.len(), 1) {
            let last = hits.last().map(|hit| (hit.timestamp, hit.seq));
            next = last.or(next);
            break;
        }
        let seqs: Vec<i64> = places.iter().map(|(_, seq)| *seq).collect();
        let events = apm_store::events(conn, &seqs)?;
        bytes += events.iter().map(size_of_event).sum::<usize>();
        hits.extend(events.iter().map(hit));
    }
    Ok(Page {
        hits,
        next: next.map(|(timestamp, seq)| Cursor { timestamp, seq }),
    })
}

/// Bytes of an event as it is stored.
fn size_of_event(event: &StoredEvent) -> usize {
    event.rest.len() + event.stack.as_ref().map_or(0, String::len) + event.resource.len()
}

fn hit(event: &StoredEvent) -> Hit {
    Hit {
        seq: event.seq,
        timestamp: event.timestamp,
        document: apm_store::document::document(event),
    }
}
