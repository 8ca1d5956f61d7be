//! The bodies of events that are open, and which of them ends when there are too many.
//!
//! Agents keep a request open between events, some for a minute and more, and are right to: it costs little. So the
//! time between events is not limited, but the number of open bodies is. When it is reached, the one that has been
//! silent for longest ends: all of its events are stored, and it is answered like any body that has come to its end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// The open bodies of a server.
#[derive(Debug)]
pub struct Streams {
    most: usize,
    start: Instant,
    table: Mutex<Table>,
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    stopped: bool,
    all: HashMap<u64, Arc<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Since when it waits with nothing that is not stored, ms since the start of the server plus one; 0: it does not.
    silent: AtomicU64,
    end: Notify,
    stopped: AtomicBool,
}

/// Why a body ends before its sender says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Another one needs its place.
    Room,
    /// The server stops.
    Stop,
}

/// One more body cannot be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Streams {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            start: Instant::now(),
            table: Mutex::default(),
            ended: AtomicU64::new(0),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more; the longest silent ends for it where there is none.
    pub(super) fn open(self: &Arc<Self>) -> Result<OpenStream, Full> {
        let mut table = self.table();
        if table.all.len() >= self.most {
            let silent = |slot: &Slot| match slot.silent.load(Ordering::Relaxed) {
                0 => None,
                since => Some(since),
            };
            let longest = table
                .all
                .iter()
                .filter_map(|(id, slot)| Some((silent(slot)?, *id)));
            // A body that is not silent has events or part of a line: it is never ended for another one.
            let (_, id) = longest.min().ok_or(Full)?;
            // Its place is free at once, before its own task has noticed.
            if let Some(slot) = table.all.remove(&id) {
                slot.end.notify_one();
                self.ended.fetch_add(1, Ordering::Relaxed);
            }
        }
        let id = table.next;
        table.next += 1;
        let slot = Arc::new(Slot::default());
        if table.stopped {
            slot.stopped.store(true, Ordering::Relaxed);
            // The notice is kept until the new body waits for it.
            slot.end.notify_one();
        }
        table.all.insert(id, Arc::clone(&slot));
        Ok(OpenStream {
            id,
            slot,
            streams: Arc::clone(self),
        })
    }

    /// Ends all that are open, and each that opens from now on.
    pub fn stop(&self) {
        let mut table = self.table();
        table.stopped = true;
        for slot in table.all.values() {
            slot.stopped.store(true, Ordering::Relaxed);
            slot.end.notify_one();
        }
    }

    /// Number of open bodies, and of those that ended for others.
    pub fn look(&self) -> (usize, u64) {
        let open = self.table().all.len();
        (open, self.ended.load(Ordering::Relaxed))
    }
}

/// A body that is open.
#[derive(Debug)]
pub(super) struct OpenStream {
    id: u64,
    slot: Arc<Slot>,
    streams: Arc<Streams>,
}

impl OpenStream {
    /// Says whether it waits with nothing that is not stored.
    pub(super) fn wait(&self, silent: bool) {
        let since = match silent {
            true => u64::try_from(self.streams.start.elapsed().as_millis())
                .map_or(u64::MAX, |ms| ms + 1),
            false => 0,
        };
        self.slot.silent.store(since, Ordering::Relaxed);
    }

    /// Until it has to end, and why.
    pub(super) async fn ended(&self) -> Why {
        self.slot.end.notified().await;
        match self.slot.stopped.load(Ordering::Relaxed) {
            true => Why::Stop,
            false => Why::Room,
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.streams.table().all.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_longest_silent_ends_for_a_new_one_and_busy_ones_stay() {
        let streams = Streams::new(2);
        let (first, second) = (streams.open().unwrap(), streams.open().unwrap());
        assert!(streams.open().is_err(), "both are busy");
        second.wait(true);
        let third = streams.open().unwrap();
        assert_eq!(second.ended().now_or_never(), Some(Why::Room));
        assert_eq!(first.ended().now_or_never(), None);
        drop(second);
        assert_eq!(streams.look(), (2, 1));
        drop((first, third));
        assert_eq!(streams.look(), (0, 1));
    }

    #[test]
    fn a_stop_ends_all_and_what_comes_after() {
        let streams = Streams::new(9);
        let first = streams.open().unwrap();
        streams.stop();
        let late = streams.open().unwrap();
        for stream in [first, late] {
            assert_eq!(stream.ended().now_or_never(), Some(Why::Stop));
        }
    }
}
