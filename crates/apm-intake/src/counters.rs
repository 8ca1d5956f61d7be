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
    wires: [OfWire; Wire::ALL.len()],
    offending: Mutex<VecDeque<Offending>>,
}

/// A way on which events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Elastic's intake v2.
    Elastic,
    /// OTLP over HTTP.
    OtlpHttp,
    /// OTLP over gRPC.
    OtlpGrpc,
    /// Elastic's intake for browsers.
    Browser,
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Elastic, Self::OtlpHttp, Self::OtlpGrpc, Self::Browser];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Elastic => "intake_v2",
            Self::OtlpHttp => "otlp_http",
            Self::OtlpGrpc => "otlp_grpc",
            Self::Browser => "intake_rum",
        }
    }
}

/// Counters of one wire.
#[derive(Debug, Default)]
struct OfWire {
    requests: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
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
    pub(crate) fn accept(&self, wire: Wire, kind: Kind, events: u64) {
        self.accepted[kind as usize].fetch_add(events, Ordering::Relaxed);
        let of_wire = &self.wires[wire as usize].accepted;
        of_wire.fetch_add(events, Ordering::Relaxed);
    }

    /// `count` events that were refused for the same reason, the first of which is remembered.
    pub(crate) fn reject(&self, wire: Wire, reason: Reason, count: u64, offending: Offending) {
        self.rejected[reason as usize].fetch_add(count, Ordering::Relaxed);
        let of_wire = &self.wires[wire as usize].rejected;
        of_wire.fetch_add(count, Ordering::Relaxed);
        let mut all = self
            .offending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.truncate(REMEMBERED - 1);
        all.push_front(offending);
    }

    /// A metricset that is not stored.
    pub(crate) fn ignore(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that was answered. `bytes`: of its body, as sent.
    pub(crate) fn answer(&self, wire: Wire, is_failed: bool, bytes: u64) {
        let of_wire = &self.wires[wire as usize];
        of_wire.requests.fetch_add(1, Ordering::Relaxed);
        let failed = u64::from(is_failed);
        of_wire.failed.fetch_add(failed, Ordering::Relaxed);
        of_wire.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A look at all of them.
    pub fn look(&self) -> Look {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let wires = Wire::ALL.map(|wire| {
            let counts = &self.wires[wire as usize];
            LookAtWire {
                wire,
                requests: load(&counts.requests),
                failed_requests: load(&counts.failed),
                bytes: load(&counts.bytes),
                accepted: load(&counts.accepted),
                rejected: load(&counts.rejected),
            }
        });
        let all = |count: fn(&LookAtWire) -> u64| wires.iter().map(count).sum();
        Look {
            accepted: Kind::ALL.map(|kind| (kind.as_str(), load(&self.accepted[kind as usize]))),
            rejected: Reason::ALL
                .map(|reason| (reason.as_str(), load(&self.rejected[reason as usize]))),
            ignored: load(&self.ignored),
            requests: all(|wire| wire.requests),
            failed_requests: all(|wire| wire.failed_requests),
            bytes: all(|wire| wire.bytes),
            wires,
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
    /// The same by wire.
    pub wires: [LookAtWire; Wire::ALL.len()],
    /// The newest first.
    pub offending: Vec<Offending>,
}

/// The counters of a wire at one moment.
#[derive(Clone, Copy, Debug)]
pub struct LookAtWire {
    /// On which.
    pub wire: Wire,
    /// Requests answered.
    pub requests: u64,
    /// Of these, with an error.
    pub failed_requests: u64,
    /// Bytes of their bodies, as sent.
    pub bytes: u64,
    /// Events committed.
    pub accepted: u64,
    /// Events refused.
    pub rejected: u64,
}
