//! Numbers that an output tells of itself.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use apm_store::output::State;

/// The time over which the throughput is measured.
const WINDOW: Duration = Duration::from_secs(30);

/// A look at an output.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The addresses of the engine.
    pub hosts: Vec<String>,
    /// The name and version of the engine; none before it has answered.
    pub engine: Option<String>,
    /// The last part of the names of data streams.
    pub namespace: String,
    /// Documents that the engine took, since the output was first switched on.
    pub documents: u64,
    /// Documents that it had already.
    pub repeated: u64,
    /// Documents that it refused for good.
    pub refused: u64,
    /// Events that were deleted before they were sent, or could not be read.
    pub lost: u64,
    /// Documents that had to be sent again since the start.
    pub retried: u64,
    /// Requests with documents since the start.
    pub requests: u64,
    /// Bytes of them, compressed.
    pub bytes: u64,
    /// Documents per second, over half a minute.
    pub per_second: f64,
    /// The events that wait.
    pub lag: Lag,
    /// Whether they wait longer than is told to be worth a warning.
    pub is_behind: bool,
    /// The reason why nothing can be sent now.
    pub trouble: Option<String>,
    /// The words for the age at which the engine deletes documents, where that was asked for.
    pub retention: Option<String>,
}

/// Events that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Their number, at most.
    pub events: u64,
    /// The time for which the first of them has waited.
    pub time: Duration,
}

/// The numbers that the worker keeps.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    stats: Mutex<Stats>,
    seen: Mutex<VecDeque<(Instant, u64)>>,
}

impl Shared {
    pub(crate) fn look(&self) -> Stats {
        self.lock().clone()
    }

    /// Changes numbers.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.lock());
    }

    /// Notes why nothing can be sent. The first trouble is logged, and no other until documents are sent again.
    pub(crate) fn trouble(&self, words: &str) {
        let before = self.lock().trouble.replace(words.to_owned());
        if before.is_none() {
            log::warn!("the output waits: {words}; events are kept until they can be sent");
        }
    }

    /// Documents were sent.
    pub(crate) fn is_well(&self) {
        if self.lock().trouble.take().is_some() {
            log::info!("the output goes on");
        }
    }

    /// Notes the place in the store, and the events behind it.
    pub(crate) fn place(&self, state: &State, refused: u64, lag: Lag, warning: Duration) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let mut stats = self.lock();
        stats.documents = count(state.documents);
        stats.repeated = count(state.repeated);
        stats.refused = refused;
        stats.lag = lag;
        let is_behind = lag.time > warning;
        if is_behind && !stats.is_behind {
            log::warn!(
                "the output is behind: {} events wait, the first of them for {} s",
                lag.events,
                lag.time.as_secs()
            );
        }
        stats.is_behind = is_behind;
        let lost = count(state.lost);
        if lost > stats.lost {
            log::warn!(
                "{} events were deleted before they were sent: the engine was away for longer than the store has \
                 room for",
                lost - stats.lost
            );
        }
        stats.lost = lost;
        stats.per_second = self.per_second(stats.documents);
    }

    fn per_second(&self, documents: u64) -> f64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        seen.push_back((now, documents));
        // The first look stays until the second one is as old as the window.
        while seen.len() > 2 && seen[1].0.elapsed() >= WINDOW {
            seen.pop_front();
        }
        let (then, before) = seen[0];
        let seconds = now.duration_since(then).as_secs_f64();
        match seconds > 0.0 {
            true => documents.saturating_sub(before) as f64 / seconds,
            false => 0.0,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
