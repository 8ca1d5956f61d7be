//! A page of hits.

use apm_store::StoreError;
use apm_store::document::Documents;
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

/// Events that are read whatever the time.
const LEAST: usize = 64;

/// The place of an event: its time, and its number.
pub(super) type Place = (i64, i64);

/// Leaves the newest places, in their order.
pub(super) fn newest_first(places: &mut Vec<Place>, most: usize) {
    // Those that do not stay are not sorted.
    if places.len() > most {
        places.select_nth_unstable_by(most, |a, b| b.cmp(a));
        places.truncate(most);
    }
    places.sort_unstable_by(|a, b| b.cmp(a));
}

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
/// the deadline it ends with the [`LEAST`] newest, or with the last one of a block that has one of them.
pub(super) fn load(
    conn: &mut SqliteConnection,
    places: &[Place],
    size: usize,
    stopped: Option<Place>,
    deadline: &Deadline,
) -> Result<Page, StoreError> {
    let seqs: Vec<i64> = places.iter().map(|(_, seq)| *seq).collect();
    // The hits of a large page may lie in as many blocks.
    let (events, read) = apm_store::events_while(conn, &seqs, |progress| {
        progress.bytes < MOST_BYTES && deadline.allows_more(progress.seqs, LEAST)
    })?;
    let next = match places[..read].last() {
        // The page ends here, or after what was read, and the next one begins behind it.
        Some(last) if read < places.len() || read == size => Some(*last),
        _ => stopped.filter(|_| size > 0),
    };
    Ok(Page {
        hits: hits(&events),
        next: next.map(|(timestamp, seq)| Cursor { timestamp, seq }),
    })
}

/// The documents of events.
pub(super) fn hits(events: &[StoredEvent]) -> Vec<Hit> {
    let mut documents = Documents::default();
    let hit = |event: &StoredEvent| Hit {
        seq: event.seq,
        timestamp: event.timestamp,
        document: documents.document(event),
    };
    events.iter().map(hit).collect()
}
