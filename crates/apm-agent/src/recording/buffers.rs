//! The bounded store of encoded events between the service's threads and the sender.
//!
//! A few shards, one lock each; a thread always uses the same shard, so the locks are rarely contended and their memory
//! stays with one processor. A shard's
//! buffer begins with the metadata line: when it is full it *is* a request body and moves, unread, to the bodies that
//! wait for the sender.
//!
//! Memory is at most `api_buffer_size` of waiting bodies, one body per shard, one of errors and one in flight: about 10
//! MB with a server that is away. When a body needs room the oldest one goes, and its events are counted. Producers
//! never wait and never take the lock of the waiting bodies but once per full buffer, so an outage costs them no more
//! than a server that takes everything.

mod body;
mod ready;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use body::Metadata;
use ready::{Freed, Ready};

use crate::encode::fit;
use crate::recording::stats::{Counters, DropReason};
use crate::util::striped::Striped;
use crate::util::{Mutex, lock};

pub(crate) use body::Body;
pub(crate) use ready::Content;

/// Bytes after which a buffer is handed to the sender.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;
/// The smallest request body, however small the options are.
const MIN_BUFFER_BYTES: usize = 4 * 1024;
/// The number of full bodies that fit, however small `api_buffer_size` is: a body that has to go is then a small part.
const MIN_BODIES: usize = 8;
/// Empty buffers kept for reuse.
const SPARE: usize = 4;

#[derive(Debug)]
pub(crate) struct Buffers {
    shards: Striped<Mutex<Body>>,
    /// Errors, which only the agent's thread encodes.
    errors: Mutex<Body>,
    ready: Mutex<Ready>,
    spare: Mutex<Vec<Vec<u8>>>,
    metadata: ArcSwap<Metadata>,
    /// Bytes per request body that the memory allows.
    most_per_body: usize,
    limit: AtomicUsize,
    /// Wakes the sender: a buffer is ready, or something is urgent.
    pub(crate) wake: Notify,
    pub(crate) urgent: AtomicBool,
    pub(crate) counters: Counters,
}

impl Buffers {
    /// Buffers that hold about `bytes` in all for a server that is away.
    pub(crate) fn new(metadata: Vec<u8>, bytes: usize) -> Self {
        let bytes = bytes.max(MIN_BODIES * capacity(MIN_BUFFER_BYTES));
        // A body takes a sixteenth more memory than its limit: see `capacity`.
        let most_per_body = (bytes / MIN_BODIES / 17 * 16).clamp(MIN_BUFFER_BYTES, BUFFER_BYTES);
        Self {
            shards: Striped::default(),
            errors: Mutex::default(),
            ready: Mutex::new(Ready::new(bytes)),
            spare: Mutex::default(),
            metadata: ArcSwap::from_pointee(Metadata {
                line: metadata,
                edition: 0,
            }),
            most_per_body,
            limit: AtomicUsize::new(most_per_body),
            wake: Notify::new(),
            urgent: AtomicBool::new(false),
            counters: Counters::default(),
        }
    }

    /// Bytes per request body; never above [`BUFFER_BYTES`], nor above an eighth of the memory.
    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit
            .store(bytes.min(self.most_per_body), Ordering::Relaxed);
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Puts a new metadata line before everything that is sent from now on.
    pub(crate) fn set_metadata(&self, line: Vec<u8>) {
        let edition = self.metadata.load().edition.wrapping_add(1);
        self.metadata.store(Arc::new(Metadata { line, edition }));
    }

    /// Records `events` lines that `write` produces. Never blocks on the network, and takes the lock of one shard.
    pub(crate) fn append(&self, events: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.counters.recorded(events);
        self.append_counted(events, write);
    }

    /// The same for events that were counted as recorded before.
    pub(crate) fn append_counted(&self, events: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.append_to(self.shards.own(), Content::Events, events, write);
    }

    /// The same for an error, which waits apart from the others and is kept longest.
    pub(crate) fn append_error(&self, write: impl FnOnce(&mut Vec<u8>)) {
        self.append_to(&self.errors, Content::Errors, 1, write);
    }

    fn append_to(
        &self,
        buffer: &Mutex<Body>,
        content: Content,
        events: u64,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut body = lock(buffer);
        if body.events == 0 {
            self.begin(&mut body);
        }
        let before = body.bytes.len();
        write(&mut body.bytes);
        if body.bytes.len() - before > fit::MAX_LINE {
            // Rare and slow: other threads do not wait for it.
            let written = body.bytes.split_off(before);
            drop(body);
            let written = fit::lines(written);
            body = lock(buffer);
            if body.events == 0 {
                self.begin(&mut body);
            }
            body.bytes.extend_from_slice(&written);
        }
        body.events += events;
        if body.bytes.len() >= self.limit() {
            let full = std::mem::take(&mut *body);
            drop(body);
            self.push_ready(content, full);
        }
    }

    fn begin(&self, body: &mut Body) {
        let capacity = capacity(self.limit());
        if body.bytes.capacity() == 0 {
            let spare = lock(&self.spare).pop();
            // Memory that was made for another limit is not used again.
            let spare = spare.filter(|spare| (capacity..=2 * capacity).contains(&spare.capacity()));
            body.bytes = spare.unwrap_or_else(|| Vec::with_capacity(capacity));
        }
        body.begin(&self.metadata.load());
    }

    fn push_ready(&self, content: Content, body: Body) {
        let freed = lock(&self.ready).push(content, body, self.limit());
        // If a body had to go, nobody is there to take others: the sender comes back by itself.
        let has_room = freed.dropped.is_empty();
        self.free(freed);
        if has_room {
            self.wake.notify_one();
        }
    }

    /// Counts what had to go, and keeps memory for reuse.
    fn free(&self, freed: Freed) {
        for body in freed.dropped {
            self.counters.dropped(DropReason::QueueFull, body.events);
            self.recycle(body.bytes);
        }
        if let Some(body) = freed.merged {
            self.recycle(body.bytes);
        }
    }

    /// Moves what the shards hold to the bodies that wait, merged into as few as the limit allows.
    pub(crate) fn ripen(&self) {
        let shards = self.shards.iter().map(|shard| (Content::Events, shard));
        for (content, buffer) in shards.chain([(Content::Errors, &self.errors)]) {
            let mut body = lock(buffer);
            if body.events > 0 {
                let body = {
                    let ripe = std::mem::take(&mut *body);
                    drop(body);
                    ripe
                };
                self.push_ready(content, body);
            }
        }
    }

    /// The next body to send, with today's metadata.
    pub(crate) fn pop(&self) -> Option<(Content, Body)> {
        let (content, body) = lock(&self.ready).pop()?;
        Some((content, body.updated(&self.metadata.load())))
    }

    /// Gives back a body that never left the machine, so that it is the next to be sent.
    pub(crate) fn push_front(&self, content: Content, body: Body) {
        let freed = lock(&self.ready).push_back_unsent(content, body);
        self.free(freed);
    }

    /// Whether a body waits to be sent.
    pub(crate) fn has_ready(&self) -> bool {
        !lock(&self.ready).is_empty()
    }

    /// The filling of the memory for waiting bodies, from 0 to 1.
    pub(crate) fn fill(&self) -> f64 {
        lock(&self.ready).fill()
    }

    /// Takes back the memory of a body that was sent.
    pub(crate) fn recycle(&self, mut bytes: Vec<u8>) {
        let capacity = capacity(self.limit());
        if !(capacity..=2 * capacity).contains(&bytes.capacity()) {
            return;
        }
        bytes.clear();
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE {
            spare.push(bytes);
        }
    }
}

/// The memory of a body: room for the transaction that makes it full, so that it is not moved when it grows.
const fn capacity(limit: usize) -> usize {
    limit + limit / 16
}

#[cfg(test)]
mod tests;
