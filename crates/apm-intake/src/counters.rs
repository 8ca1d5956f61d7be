//! Counters of the intake, since the start.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use apm_store::event::Kind;
use serde::Serialize;

use super::refused::Reason;

/// Number of offending lines that are remembered.
const REMEMBERED: usize = 10;

/// Counters of one server.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: [AtomicU64; Kind::ALL.len()],
    rejected: [AtomicU64; Reason::ALL.len()],
    ignored: AtomicU64,
    requests: AtomicU64,
    failed_requests: AtomicU64,
    bytes: AtomicU64,
    offending: Mutex<VecDeque<Offending>>,
}

/// A line that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Offending {
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// The mistake.
    pub message: String,
    /// Its head.
    pub document: String,
    /// The service that sent it, where that is known.
    pub service: Option<String>,
}

impl Counters {
    /// Events that were committed.
    pub(crate) fn accept(&self, kind: Kind, events: u64) {
        self.accepted[kind as usize].fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn reject(&self, reason: Reason, offending: Offending) {
        self.rejected[reason as usize].fetch_add(1, Ordering::Relaxed);
        let mut all = self
            .offending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.truncate(REMEMBERED - 1);
        all.push_front(offending);
    }

    /// A metricset that nobody wants.
    pub(crate) fn ignore(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that was answered. `bytes`: of its body, as sent.
    pub(crate) fn answer(&self, status: u16, bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.failed_requests
            .fetch_add(u64::from(status >= 400), Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A look at all of them.
    pub fn look(&self) -> Look {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Look {
            accepted: Kind::ALL.map(|kind| (kind.as_str(), load(&self.accepted[kind as usize]))),
            rejected: Reason::ALL
                .map(|reason| (reason.as_str(), load(&self.rejected[reason as usize]))),
            ignored: load(&self.ignored),
            requests: load(&self.requests),
            failed_requests: load(&self.failed_requests),
            bytes: load(&self.bytes),
            offending: self
                .offending
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .cloned()
                .collect(),
        }
    }
}

/// The counters at one moment.
#[derive(Clone, Debug)]
pub struct Look {
    /// By kind.
    pub accepted: [(&'static str, u64); Kind::ALL.len()],
    /// By reason.
    pub rejected: [(&'static str, u64); Reason::ALL.len()],
    pub ignored: u64,
    pub requests: u64,
    pub failed_requests: u64,
    pub bytes: u64,
    /// The newest first.
    pub offending: Vec<Offending>,
}
