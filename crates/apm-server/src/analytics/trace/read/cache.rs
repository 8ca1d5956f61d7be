//! Large traces that were read, kept for the next question about them: a reader who scrolls or searches asks many.
//!
//! Only what took long to read is kept, one reader at a time makes it, and its room is bounded. A trace that is kept
//! holds as long as nothing is added to its blocks and none of them goes.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use apm_store::StoreError;
use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{bound, fresh};
use crate::analytics::cache::file;
use crate::analytics::trace::Trace;

/// Blocks from which on a trace is large: a block is up to 128 events.
const LARGE: usize = 32;
/// Bytes that are kept.
const MOST: usize = 96 << 20;
/// The time for which something is kept that nobody asks for.
const IDLE: Duration = Duration::from_secs(120);

/// The state that a trace was read of: number of blocks, the first, the last, and the events in that.
type Stamp = (usize, i64, i64, i64);

#[derive(Debug)]
struct Entry {
    file: String,
    id: String,
    stamp: Stamp,
    trace: Arc<Trace>,
    bytes: usize,
    used: Instant,
}

static CACHE: LazyLock<Mutex<Vec<Entry>>> = LazyLock::new(Mutex::default);
/// Held while a large trace is read: two at a time would take the memory of two.
static READING: Mutex<()> = Mutex::new(());

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    block: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

/// Reads a trace, or takes one that is kept.
///
/// # Errors
/// Those of SQLite.
pub(super) fn trace(
    conn: &mut SqliteConnection,
    id: &str,
) -> Result<Option<Arc<Trace>>, StoreError> {
    let places: Vec<Place> = bound(include_str!("../places.sql"), id).load(conn)?;
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        return Ok(None);
    };
    if places.len() < LARGE {
        return Ok(fresh(conn, id)?.map(Arc::new));
    }
    let stamp = (places.len(), first.block, last.block, last.events);
    let file = file(conn)?;
    if let Some(found) = known(&file, id, stamp) {
        return Ok(Some(found));
    }
    let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    // Another reader may have made it meanwhile.
    if let Some(found) = known(&file, id, stamp) {
        return Ok(Some(found));
    }
    make_room(places.len());
    let Some(trace) = fresh(conn, id)?.map(Arc::new) else {
        return Ok(None);
    };
    keep(file, id, stamp, &trace);
    Ok(Some(trace))
}

fn lock() -> MutexGuard<'static, Vec<Entry>> {
    let mut kept = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|entry| entry.used.elapsed() < IDLE);
    kept
}

fn known(file: &str, id: &str, stamp: Stamp) -> Option<Arc<Trace>> {
    // A database in memory is another one in each connection.
    if file.is_empty() {
        return None;
    }
    let mut kept = lock();
    let entry = kept
        .iter_mut()
        .find(|entry| entry.id == id && entry.file == file && entry.stamp == stamp)?;
    entry.used = Instant::now();
    Some(Arc::clone(&entry.trace))
}

/// Lets go of what would not fit beside a trace of so many blocks, before it is read.
fn make_room(blocks: usize) {
    // An item takes some 250 bytes with its line and its links.
    let needed = blocks * 128 * 250;
    let mut kept = lock();
    kept.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    let mut bytes = needed;
    kept.retain(|entry| {
        bytes += entry.bytes;
        bytes <= MOST
    });
}

fn keep(file: String, id: &str, stamp: Stamp, trace: &Arc<Trace>) {
    let bytes = trace.bytes();
    let mut kept = lock();
    // An older state of the same trace.
    kept.retain(|entry| entry.id != id || entry.file != file);
    let others: usize = kept.iter().map(|entry| entry.bytes).sum();
    // The room was made by an estimate, which may have been half too low.
    if file.is_empty() || bytes > MOST || others + bytes > MOST + MOST / 2 {
        return;
    }
    kept.push(Entry {
        file,
        id: id.to_owned(),
        stamp,
        trace: Arc::clone(trace),
        bytes,
        used: Instant::now(),
    });
}
