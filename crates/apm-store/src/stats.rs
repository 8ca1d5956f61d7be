//! Numbers that the store tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::apply::Unresolved;
use super::error::StoreError;
use super::limits::{Beyond, NameKind};

/// Bounds of the histogram of commit times, seconds.
pub const COMMIT_TIMES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// A look at the store.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoreStats {
    /// Events that wait for the writer.
    pub queued_events: usize,
    /// Bytes of memory that waiting batches hold.
    pub queued_bytes: usize,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Events committed since the start.
    pub events: u64,
    /// Events that were not stored since the start, for their commit failed.
    pub failed_events: u64,
    /// Events stored since the start whose own time cannot be: that of their arrival stands for it.
    pub wrong_times: u64,
    /// Batches that were refused since the start, for the queue was full.
    pub refused_batches: u64,
    /// Time that all commits took together, from the first insert to the end of COMMIT.
    pub commit_time: Duration,
    /// Time that the last commit took.
    pub last_commit_time: Duration,
    /// Numbers of commits that took at most as long as each of [`COMMIT_TIMES`].
    pub commit_times: [u64; COMMIT_TIMES.len()],
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of its write-ahead log.
    pub log_bytes: u64,
    /// Bytes that the log may have.
    pub log_limit: u64,
    /// For how long another process has kept the log from being emptied.
    pub log_pinned: Option<Duration>,
    /// Times that readers were kept out for the log to be emptied, since the start.
    pub reader_pauses: u64,
    /// Times that the writer waited for readers because the log had reached its bound, since the start.
    pub log_stalls: u64,
    /// Times that a log was found deleted, replaced or cut while it was in use, since the start.
    pub lost_logs: u64,
    /// Blocks of events deleted by retention since the start.
    pub deleted_blocks: u64,
    /// Events of traces that tail sampling has dropped since the start.
    pub sampled_out: u64,
    /// Traces with an error, or slow ones, that were left to the share since the start, because too many were known.
    pub undecided_traces: u64,
    /// Blocks of events that were found damaged since the start.
    pub damaged_blocks: u64,
    /// Calls and callees that did not find each other since the start, because there was no room to wait for longer.
    pub calls_left_early: u64,
    /// Calls since the start whose callee was one too many for its destination.
    pub calls_beyond_limit: u64,
    /// Names beyond the limits since the start, counted each time that an event has one.
    pub beyond: Beyond,
    /// Why the last commit failed, or that the store is closed; none when all is well.
    pub trouble: Option<StoreError>,
}

/// Counters that the writer keeps.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) data_version: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) events: AtomicU64,
    pub(super) failed_events: AtomicU64,
    pub(super) wrong_times: AtomicU64,
    pub(super) refused_batches: AtomicU64,
    pub(super) commit_nanos: AtomicU64,
    pub(super) last_commit_nanos: AtomicU64,
    commit_times: [AtomicU64; COMMIT_TIMES.len()],
    pub(super) reader_pauses: AtomicU64,
    pub(super) log_stalls: AtomicU64,
    pub(super) lost_logs: AtomicU64,
    pinned: Mutex<Option<Instant>>,
    pub(super) deleted_blocks: AtomicU64,
    pub(super) sampled_out: AtomicU64,
    pub(super) undecided_traces: AtomicU64,
    pub(super) damaged_blocks: AtomicU64,
    /// Times that everything was deleted.
    pub(super) clears: AtomicU64,
    pub(super) calls_left_early: AtomicU64,
    pub(super) calls_beyond_limit: AtomicU64,
    beyond: [AtomicU64; NameKind::ALL.len()],
    trouble: Mutex<Option<StoreError>>,
}

impl Counters {
    /// Counts a commit; returns the data version that it made.
    pub(super) fn committed(&self, events: u64, time: Duration) -> u64 {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.last_commit_nanos.store(nanos, Ordering::Relaxed);
        let within = |bound: &f64| time.as_secs_f64() <= *bound;
        // Each commit is counted in one place; `commit_times` adds them up.
        if let Some(place) = COMMIT_TIMES.iter().position(within) {
            self.commit_times[place].fetch_add(1, Ordering::Relaxed);
        }
        self.set_trouble(None);
        self.changed()
    }

    /// Counts names that a commit counted under `_other`.
    pub(super) fn add_beyond(&self, beyond: &Beyond) {
        for kind in NameKind::ALL {
            self.beyond[kind as usize].fetch_add(beyond.number(kind), Ordering::Relaxed);
        }
    }

    /// Counts calls that a commit did not count for a service.
    pub(super) fn add_unresolved(&self, calls: Unresolved) {
        let Unresolved { full, callees } = calls;
        self.calls_left_early.fetch_add(full, Ordering::Relaxed);
        self.calls_beyond_limit
            .fetch_add(callees, Ordering::Relaxed);
    }

    /// Names that were counted under `_other`.
    pub(super) fn beyond(&self) -> Beyond {
        let mut beyond = Beyond::default();
        for kind in NameKind::ALL {
            beyond.set(kind, self.beyond[kind as usize].load(Ordering::Relaxed));
        }
        beyond
    }

    /// Numbers of commits that took at most as long as each of [`COMMIT_TIMES`].
    pub(super) fn commit_times(&self) -> [u64; COMMIT_TIMES.len()] {
        let mut sum = 0;
        std::array::from_fn(|place| {
            sum += self.commit_times[place].load(Ordering::Relaxed);
            sum
        })
    }

    /// Counts events that a commit failed to store; whether this trouble is a new one.
    pub(super) fn failed(&self, events: u64, error: &StoreError) -> bool {
        self.failed_events.fetch_add(events, Ordering::Relaxed);
        let before = self.set_trouble(Some(error.clone()));
        before.is_none_or(|before| before.reason() != error.reason())
    }

    /// Notes whether a write that is no telemetry came through: a full disk may have room again, and nobody may send
    /// events to learn it.
    pub(super) fn probed(&self, wrote: &Result<(), StoreError>) {
        self.set_trouble(wrote.as_ref().err().cloned());
    }

    /// Notes since when another process keeps the log from being emptied.
    pub(super) fn set_pinned(&self, since: Option<Instant>) {
        *self.pinned.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    pub(super) fn pinned(&self) -> Option<Duration> {
        let since = *self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed())
    }

    /// Notes that there is no writer any more.
    pub(super) fn closed(&self) {
        self.set_trouble(Some(StoreError::Closed));
    }

    /// Counts any change of the data; returns the data version that it made.
    pub(super) fn changed(&self) -> u64 {
        self.data_version.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Returns what was the trouble before.
    fn set_trouble(&self, trouble: Option<StoreError>) -> Option<StoreError> {
        let mut current = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, trouble)
    }

    pub(super) fn trouble(&self) -> Option<StoreError> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone()
    }
}
