//! The bounded store of encoded events between the service's threads and the sender.
//!
//! A few shards, one lock each; a thread always uses the same shard, so the locks are rarely contended. A shard's buffer begins
//! with the metadata line: when it is full it *is* a request body and moves, unread, to the ready list.
//!
//! Memory is at most (ready + shards + in flight) buffers, about 10 MB with a server that is away. Once the ready list is full, one atomic
//! flag says so; producers look at it before they format anything, and what they drop is counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::stats::{Counters, DropReason};

/// Bytes after which a buffer is handed to the sender.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;
/// The fewest full buffers that wait for the sender, however small `api_buffer_size` is.
const MIN_READY: usize = 2;
/// Empty buffers kept for reuse.
const SPARE: usize = 4;

/// The metadata line, and which edition it is: cloud look-ups may complete it after the first events.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// JSON and a newline.
    pub(crate) line: Vec<u8>,
    pub(crate) edition: u32,
}

/// A request body: a metadata line and events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: u64,
    metadata_len: usize,
    metadata_edition: u32,
}

impl Body {
    /// The events without the metadata line.
    pub(crate) fn events_only(&self) -> &[u8] {
        &self.bytes[self.metadata_len..]
    }
}

#[derive(Debug)]
pub(crate) struct Buffers {
    shards: Box<[Mutex<Body>]>,
    ready: Mutex<VecDeque<Body>>,
    spare: Mutex<Vec<Vec<u8>>>,
    metadata: ArcSwap<Metadata>,
    full: AtomicBool,
    /// Full buffers that wait for the sender; more are dropped.
    max_ready: usize,
    limit: AtomicUsize,
    /// Wakes the sender: a buffer is ready, or something is urgent.
    pub(crate) wake: Notify,
    pub(crate) urgent: AtomicBool,
    pub(crate) counters: Counters,
}

impl Buffers {
    /// Buffers that hold about `bytes` in all for a server that is away.
    pub(crate) fn new(metadata: Vec<u8>, bytes: usize) -> Self {
        let shards = 2 * std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            shards: (0..shards.clamp(2, 16)).map(|_| Mutex::default()).collect(),
            ready: Mutex::default(),
            spare: Mutex::default(),
            metadata: ArcSwap::from_pointee(Metadata {
                line: metadata,
                edition: 0,
            }),
            full: AtomicBool::new(false),
            max_ready: (bytes / BUFFER_BYTES).max(MIN_READY),
            limit: AtomicUsize::new(BUFFER_BYTES),
            wake: Notify::new(),
            urgent: AtomicBool::new(false),
            counters: Counters::default(),
        }
    }

    /// Bytes per request body; never above [`BUFFER_BYTES`].
    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes.min(BUFFER_BYTES), Ordering::Relaxed);
    }

    /// Puts a new metadata line before everything that is sent from now on.
    pub(crate) fn set_metadata(&self, line: Vec<u8>) {
        let edition = self.metadata.load().edition.wrapping_add(1);
        self.metadata.store(Arc::new(Metadata { line, edition }));
    }

    /// Whether events are being dropped. Producers ask before they do any work.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Records `events` lines that `write` produces. Never blocks on the network, and takes the lock of one shard.
    pub(crate) fn append(&self, events: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.counters.recorded(events);
        self.append_counted(events, write);
    }

    /// The same for events that were counted as recorded before.
    pub(crate) fn append_counted(&self, events: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let mut shard = lock(&self.shards[shard_of_this_thread() % self.shards.len()]);
        if shard.events == 0 {
            self.begin(&mut shard);
        }
        write(&mut shard.bytes);
        shard.events += events;
        if shard.bytes.len() >= self.limit.load(Ordering::Relaxed) {
            let body = std::mem::take(&mut *shard);
            drop(shard);
            self.push_ready(body);
        }
    }

    fn begin(&self, shard: &mut Body) {
        if shard.bytes.capacity() == 0 {
            let spare = lock(&self.spare).pop();
            // Room for the transaction that makes it full, so that it is not moved when it grows.
            shard.bytes =
                spare.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 16));
        }
        let metadata = self.metadata.load();
        shard.bytes.clear();
        shard.bytes.extend_from_slice(&metadata.line);
        shard.metadata_len = metadata.line.len();
        shard.metadata_edition = metadata.edition;
    }

    fn push_ready(&self, body: Body) {
        let mut ready = lock(&self.ready);
        if ready.len() >= self.max_ready {
            drop(ready);
            self.counters.dropped(DropReason::QueueFull, body.events);
            return;
        }
        ready.push_back(body);
        self.full
            .store(ready.len() >= self.max_ready, Ordering::Relaxed);
        drop(ready);
        self.wake.notify_one();
    }

    /// Moves what the shards hold to the ready list, merged into as few bodies as the limit allows.
    pub(crate) fn ripen(&self) {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut merged = Body::default();
        for shard in &self.shards {
            let mut shard = lock(shard);
            if shard.events == 0 {
                continue;
            }
            let body = std::mem::take(&mut *shard);
            drop(shard);
            let fits = merged.bytes.len() + body.bytes.len() <= limit;
            if merged.events > 0 && fits && merged.metadata_edition == body.metadata_edition {
                merged.bytes.extend_from_slice(body.events_only());
                merged.events += body.events;
                self.recycle(body.bytes);
            } else {
                let previous = std::mem::replace(&mut merged, body);
                if previous.events > 0 {
                    self.push_ready(previous);
                }
            }
        }
        if merged.events > 0 {
            self.push_ready(merged);
        }
    }

    /// The oldest body that is ready, with today's metadata.
    pub(crate) fn pop(&self) -> Option<Body> {
        let mut ready = lock(&self.ready);
        let mut body = ready.pop_front()?;
        self.full.store(false, Ordering::Relaxed);
        drop(ready);
        let metadata = self.metadata.load();
        if metadata.edition != body.metadata_edition {
            let mut bytes = Vec::with_capacity(metadata.line.len() + body.events_only().len());
            bytes.extend_from_slice(&metadata.line);
            bytes.extend_from_slice(body.events_only());
            body = Body {
                bytes,
                events: body.events,
                metadata_len: metadata.line.len(),
                metadata_edition: metadata.edition,
            };
        }
        Some(body)
    }

    /// Gives back a body that never left the machine, so that it is the next to be sent.
    pub(crate) fn push_front(&self, body: Body) {
        let mut ready = lock(&self.ready);
        ready.push_front(body);
        self.full
            .store(ready.len() >= self.max_ready, Ordering::Relaxed);
    }

    /// Whether a body waits to be sent.
    pub(crate) fn has_ready(&self) -> bool {
        !lock(&self.ready).is_empty()
    }

    /// How full the ready list is, from 0 to 1.
    pub(crate) fn fill(&self) -> f64 {
        lock(&self.ready).len() as f64 / self.max_ready as f64
    }

    /// Takes back the memory of a body that was sent.
    pub(crate) fn recycle(&self, mut bytes: Vec<u8>) {
        if bytes.capacity() > 2 * BUFFER_BYTES {
            return;
        }
        bytes.clear();
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE {
            spare.push(bytes);
        }
    }
}

/// The data behind a lock. A panic while it was held cannot have left it half-written in a way that matters here: at worst one line
/// is cut, and the server reports that line.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that stays the same for a thread and is spread evenly over threads.
fn shard_of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    SHARD.try_with(|shard| *shard).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers() -> Buffers {
        Buffers::new(b"{\"metadata\":{}}\n".to_vec(), 8 << 20)
    }

    #[test]
    fn a_full_buffer_is_a_request_body() {
        let buffers = buffers();
        buffers.set_limit(40);
        buffers.append(1, |out| {
            out.extend_from_slice(b"{\"span\":{\"name\":\"a long one\"}}\n")
        });
        let body = buffers.pop().unwrap();
        assert!(body.bytes.starts_with(b"{\"metadata\":{}}\n{\"span\""));
        assert_eq!(body.events, 1);
    }

    #[test]
    fn what_ripens_is_merged_behind_one_metadata_line() {
        let buffers = Arc::new(buffers());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| buffers.append(2, |out| out.extend_from_slice(b"{}\n{}\n")));
            }
        });
        buffers.ripen();
        let body = buffers.pop().unwrap();
        assert_eq!(body.events, 6);
        assert_eq!(body.bytes, b"{\"metadata\":{}}\n{}\n{}\n{}\n{}\n{}\n{}\n");
        assert!(buffers.pop().is_none());
    }

    #[test]
    fn metadata_that_changed_replaces_the_line_already_written() {
        let buffers = buffers();
        buffers.append(1, |out| out.extend_from_slice(b"{}\n"));
        buffers.set_metadata(b"{\"metadata\":{\"cloud\":1}}\n".to_vec());
        buffers.ripen();
        assert_eq!(
            buffers.pop().unwrap().bytes,
            b"{\"metadata\":{\"cloud\":1}}\n{}\n"
        );
    }

    #[test]
    fn a_sender_that_never_comes_costs_bounded_memory_and_every_loss_is_counted() {
        let buffers = buffers();
        let line = vec![b'x'; 1000];
        for _ in 0..20_000 {
            buffers.append(1, |out| out.extend_from_slice(&line));
        }
        assert!(buffers.is_full());
        let mut held = 0;
        let mut bytes = 0;
        buffers.ripen();
        while let Some(body) = buffers.pop() {
            held += body.events;
            bytes += body.bytes.capacity();
        }
        assert!(!buffers.is_full());
        assert!(bytes < 20 << 20, "{bytes}");
        let stats = buffers.counters.snapshot();
        assert_eq!(stats.recorded, 20_000);
        assert_eq!(stats.recorded, held + stats.dropped(DropReason::QueueFull));
    }
}
