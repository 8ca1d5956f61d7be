//! Captured errors on their way to the agent's thread.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Captured, What};
use crate::recording::buffers::Buffers;
use crate::recording::stats::{Counters, DropReason};
use crate::util::{Mutex, lock};

/// Errors that wait to be resolved.
pub(crate) const CAPACITY: usize = 256;
/// The agent's thread comes early for so many.
pub(crate) const MANY: usize = CAPACITY / 2;

#[derive(Debug, Default)]
pub(crate) struct ErrorQueue(Mutex<VecDeque<(Instant, Captured)>>);

impl ErrorQueue {
    /// Keeps an error; drops it and counts that when the queue is full. What was not handled is sent at once.
    ///
    /// The queue is bounded by number, so it must not wait for the next sending: with half of it full, the agent's
    /// thread is woken.
    pub(crate) fn push(&self, buffers: &Buffers, capture: impl FnOnce() -> Captured) {
        let full = {
            let mut queue = lock(&self.0);
            let full = queue.len() >= CAPACITY;
            if !full {
                drop(queue);
                // The message is formatted by code of the service: not under our lock.
                let captured = capture();
                let unhandled = matches!(captured.what, What::Exception { handled: false, .. });
                queue = lock(&self.0);
                queue.push_back((Instant::now(), captured));
                if unhandled {
                    buffers.urgent.store(true, Ordering::Relaxed);
                }
                if unhandled || queue.len() == MANY {
                    buffers.wake.notify_one();
                }
            }
            full
        };
        buffers.counters.recorded(1);
        if full {
            buffers.counters.dropped(DropReason::QueueFull, 1);
        }
    }

    /// Takes what waits, with the moments at which it was captured.
    pub(crate) fn take(&self) -> VecDeque<(Instant, Captured)> {
        std::mem::take(&mut *lock(&self.0))
    }

    /// Puts back an error that has to wait longer.
    pub(crate) fn put_back(&self, since: Instant, captured: Captured) {
        lock(&self.0).push_back((since, captured));
    }

    /// Whether there are so many that they should not wait for the next sending.
    pub(crate) fn are_many(&self) -> bool {
        lock(&self.0).len() >= MANY
    }

    /// Counts everything that waits as lost.
    pub(crate) fn drop_all(&self, counters: &Counters) {
        let waiting = self.take();
        counters.dropped(DropReason::Shutdown, waiting.len() as u64);
    }
}
