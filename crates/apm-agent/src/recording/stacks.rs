//! Spans with a stack trace, on their way to the agent's thread, where names and lines are looked up.
//!
//! Such a span is encoded when it ends, apart from others; its frames are put in later. Few spans are long enough to
//! have one: where there are many, the rest go without.

use crate::recording::buffers::Buffers;
use crate::recording::stats::{Counters, DropReason};
use crate::util::{Mutex, lock};

/// Stack traces per transaction.
pub(crate) const PER_TRANSACTION: usize = 32;
/// Spans that wait to be resolved, of all transactions.
const CAPACITY: usize = 256;

/// An encoded span, and the addresses of the stack it ended on.
#[derive(Debug)]
pub(crate) struct StackedSpan {
    pub(crate) line: Vec<u8>,
    pub(crate) addresses: Box<[usize]>,
}

/// The spans that wait.
#[derive(Debug, Default)]
pub(crate) struct StackQueue(Mutex<Vec<StackedSpan>>);

impl StackQueue {
    /// Takes spans of a transaction that hands itself over. Where there is no room, they go without their stacks.
    pub(crate) fn push(&self, spans: &mut Vec<StackedSpan>, buffers: &Buffers) {
        if spans.is_empty() {
            return;
        }
        let mut waiting = lock(&self.0);
        let taken = spans.len().min(CAPACITY.saturating_sub(waiting.len()));
        // Spans without room are counted where they are appended.
        buffers.counters.recorded(taken as u64);
        waiting.extend(spans.drain(..taken));
        drop(waiting);
        for span in spans.drain(..) {
            buffers.append(1, |out| out.extend_from_slice(&span.line));
        }
    }

    /// Takes what waits.
    pub(crate) fn take(&self) -> Vec<StackedSpan> {
        std::mem::take(&mut *lock(&self.0))
    }

    /// Counts everything that waits as lost.
    pub(crate) fn drop_all(&self, counters: &Counters) {
        let waiting = self.take();
        counters.dropped(DropReason::Shutdown, waiting.len() as u64);
    }
}
