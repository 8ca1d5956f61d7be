//! Spans with a stack trace, on their way to the agent's thread, where names and lines are looked up.
//!
//! Such a span is encoded when it ends, like any other; only its frames are put in later. Few spans are long enough to have
//! one: where there are many, the rest go without.

use std::sync::Mutex;

use crate::config::Settings;
use crate::stacktrace::{Purpose, Resolver};
use crate::stats::{Counters, DropReason};
use crate::transport::buffers::{Buffers, lock};

/// Stack traces per transaction.
pub(crate) const PER_TRANSACTION: usize = 32;
/// Spans that wait to be resolved, of all transactions.
const CAPACITY: usize = 256;

/// How every line of a span ends.
const END: &[u8] = b"}}\n";

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
        buffers.counters.recorded(taken as u64);
        waiting.extend(spans.drain(..taken));
        drop(waiting);
        for span in spans.drain(..) {
            buffers.append(1, |out| out.extend_from_slice(&span.line));
        }
    }

    /// Resolves and passes on what waits. Slow: for the agent's thread.
    pub(crate) fn process(&self, resolver: &mut Resolver, settings: &Settings, buffers: &Buffers) {
        let waiting = std::mem::take(&mut *lock(&self.0));
        for StackedSpan { line, addresses } in waiting {
            let frames = resolver.frames(None, &addresses, Purpose::Span, settings);
            buffers.append_counted(1, |out| match line.strip_suffix(END) {
                Some(span) if !frames.is_empty() => {
                    out.extend_from_slice(span);
                    out.extend_from_slice(b",\"stacktrace\":");
                    // Texts and numbers: there is nothing that could fail.
                    let frames = serde_json::to_vec(&frames).unwrap_or_else(|_| b"[]".to_vec());
                    out.extend_from_slice(&frames);
                    out.extend_from_slice(END);
                }
                _ => out.extend_from_slice(&line),
            });
        }
    }

    /// Counts everything that waits as lost.
    pub(crate) fn drop_all(&self, counters: &Counters) {
        let waiting = std::mem::take(&mut *lock(&self.0));
        counters.dropped(DropReason::Shutdown, waiting.len() as u64);
    }
}
