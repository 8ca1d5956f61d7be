//! The agent's own accounts: counts of events, by what happened to them.
//!
//! The invariant, tested under faults: `recorded == accepted + dropped + pending`, and `pending` is 0 after a flush
//! that returned `true`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::util::striped::Striped;

/// Why an event was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The buffers were full: the server was away, or slower than the service, for too long. The oldest events went.
    QueueFull,
    /// The server read the event and refused it (400 and other 4xx).
    Rejected,
    /// The server answered 5xx.
    ServerError,
    /// The connection broke or timed out while the event was on its way; whether it arrived is not known.
    Connection,
    /// The agent was shut down before the event could be sent.
    Shutdown,
    /// `disable_send` is on.
    Disabled,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::QueueFull,
        Self::Rejected,
        Self::ServerError,
        Self::Connection,
        Self::Shutdown,
        Self::Disabled,
    ];

    /// The reason in `snake_case`, as metrics and pages show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::ServerError => "server_error",
            Self::Connection => "connection",
            Self::Shutdown => "shutdown",
            Self::Disabled => "disabled",
        }
    }
}

/// The agent's counts at one moment, in events (transactions, spans, errors, metric sets, logs).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events that the service produced.
    pub recorded: u64,
    /// Events in request bodies that were sent, whatever the answer.
    pub sent: u64,
    /// Events that the server confirmed.
    pub accepted: u64,
    /// Requests to the intake that were answered with success.
    pub requests_ok: u64,
    /// Requests to the intake that failed.
    pub requests_failed: u64,
    /// Bytes of event bodies sent, after compression.
    pub bytes_sent: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl Stats {
    /// Events dropped for one reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Events dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Events still in the agent: neither accepted nor dropped yet.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.recorded
            .saturating_sub(self.accepted)
            .saturating_sub(self.dropped_total())
    }
}

/// The live counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The one that every request adds to.
    recorded: Striped<AtomicU64>,
    sent: AtomicU64,
    accepted: AtomicU64,
    requests_ok: AtomicU64,
    requests_failed: AtomicU64,
    bytes_sent: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
}

impl Counters {
    pub(crate) fn recorded(&self, events: u64) {
        self.recorded.own().fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, reason: DropReason, events: u64) {
        self.dropped[reason as usize].fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, events: u64, bytes: usize) {
        self.sent.fetch_add(events, Ordering::Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn accepted(&self, events: u64) {
        self.accepted.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn request(&self, success: bool) {
        let counter = if success {
            &self.requests_ok
        } else {
            &self.requests_failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters now. Outcomes are read before what they are outcomes of, so that no snapshot shows more out than
    /// in.
    pub(crate) fn snapshot(&self) -> Stats {
        let dropped = std::array::from_fn(|reason| self.dropped[reason].load(Ordering::Acquire));
        let accepted = self.accepted.load(Ordering::Acquire);
        let sent = self.sent.load(Ordering::Acquire);
        let recorded = self.recorded.iter();
        Stats {
            dropped,
            accepted,
            sent,
            requests_ok: self.requests_ok.load(Ordering::Relaxed),
            requests_failed: self.requests_failed.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            recorded: recorded.map(|count| count.load(Ordering::Acquire)).sum(),
        }
    }
}
