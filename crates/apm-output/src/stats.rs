//! Numbers that an output tells of itself.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use apm_store::output::State;

/// The time over which the throughput is measured.
const WINDOW: Duration = Duration::from_secs(30);

/// The time between two warnings that nothing can be sent. An engine that takes some documents and not others is in
/// trouble and well many times a second.
const QUIET: Duration = Duration::from_secs(60);

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
    /// Whether that was asked for, and is not set.
    pub lacks_retention: bool,
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
    told: Mutex<Told>,
    losses: Mutex<Losses>,
}

/// The troubles that the log tells of.
#[derive(Debug, Default)]
struct Told {
    /// When the last warning was written.
    at: Option<Instant>,
    /// Whether the end of that trouble is still to be told.
    is_open: bool,
}

/// Events that are lost, as the log tells of them: once when that begins, and once when it is over.
#[derive(Debug, Default)]
struct Losses {
    /// The number at the last look; none before the first. What was lost before the start was told of then.
    seen: Option<u64>,
    /// The number before the loss that goes on, and when it last grew.
    open: Option<(u64, Instant)>,
}

/// A line of the log.
#[derive(Debug, PartialEq, Eq)]
enum Loss {
    Begins(u64),
    Ends(u64),
}

impl Losses {
    /// `lost`: all that were ever lost.
    fn look(&mut self, lost: u64, now: Instant) -> Option<Loss> {
        let before = self.seen.replace(lost).unwrap_or(lost);
        if lost > before {
            let begins = self.open.is_none();
            let (start, _) = self.open.unwrap_or((before, now));
            self.open = Some((start, now));
            return begins.then_some(Loss::Begins(lost - before));
        }
        if lost < before {
            // Everything was deleted, the number too.
            self.open = None;
        }
        let (start, at) = self.open?;
        if now.duration_since(at) < QUIET {
            return None;
        }
        self.open = None;
        Some(Loss::Ends(lost - start))
    }
}

impl Told {
    /// A trouble; whether the log is to tell of it.
    fn begins(&mut self, now: Instant) -> bool {
        let is_quiet = self.at.is_some_and(|at| now.duration_since(at) < QUIET);
        if self.is_open || is_quiet {
            return false;
        }
        self.at = Some(now);
        self.is_open = true;
        true
    }

    /// The end of a trouble; whether the log is to tell of it.
    fn ends(&mut self) -> bool {
        std::mem::take(&mut self.is_open)
    }
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
        self.lock().trouble = Some(words.to_owned());
        if self.told().begins(Instant::now()) {
            log::warn!("the output waits: {words}; events are kept until they can be sent");
        }
    }

    /// Documents were sent.
    pub(crate) fn is_well(&self) {
        if self.lock().trouble.take().is_some() && self.told().ends() {
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
        stats.lost = count(state.lost);
        match self.losses().look(stats.lost, Instant::now()) {
            Some(Loss::Begins(events)) => log::warn!(
                "{events} events never reach the engine, and more may follow: they could not be read, or were deleted \
                 because the engine was away for longer than the store has room for"
            ),
            Some(Loss::Ends(events)) => {
                log::warn!("no more events are lost; they were {events} in all");
            }
            None => {}
        }
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

    fn lock(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn losses(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_are_lost_are_told_of_when_that_begins_and_when_it_is_over() {
        let mut losses = Losses::default();
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        // Those from before the start are no news.
        assert_eq!(losses.look(7, at(0)), None);
        assert_eq!(losses.look(7, at(1)), None);
        assert_eq!(losses.look(9, at(2)), Some(Loss::Begins(2)));
        for second in 3..1000 {
            assert_eq!(losses.look(second + 10, at(second)), None);
        }
        let over = 999 + QUIET.as_secs();
        assert_eq!(losses.look(1009, at(over - 1)), None);
        assert_eq!(losses.look(1009, at(over)), Some(Loss::Ends(1002)));
        assert_eq!(losses.look(1009, at(over + 1)), None);
        assert_eq!(losses.look(1010, at(over + 2)), Some(Loss::Begins(1)));
        // Everything was deleted.
        assert_eq!(losses.look(0, at(over + 3)), None);
        assert_eq!(losses.look(0, at(over + 300)), None);
    }

    #[test]
    fn an_engine_that_is_in_trouble_and_well_in_turn_is_told_of_once_a_minute() {
        let mut told = Told::default();
        let start = Instant::now();
        let lines = (0..1000).filter(|second| {
            let now = start + Duration::from_secs(*second);
            let begins = told.begins(now);
            // It is tried again, and takes something at last.
            assert!(!told.begins(now));
            told.ends();
            begins
        });
        assert_eq!(lines.count(), 17);
        // A trouble that began within the minute and stays is told of when that is over.
        let begins = start + Duration::from_secs(1000);
        assert!(!told.begins(begins));
        assert!(told.begins(begins + QUIET));
        assert!(told.ends() && !told.ends());
    }
}
