//! Captured errors on their way to the agent's thread.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::agent::Inner;
use crate::config::Settings;
use crate::error::{Captured, What};
use crate::model;
use crate::stacktrace::Resolver;
use crate::stats::{Counters, DropReason};
use crate::transport::buffers::lock;

/// Errors that wait to be resolved.
const CAPACITY: usize = 256;
/// The agent's thread comes early for so many.
const MANY: usize = CAPACITY / 2;
/// How long an error waits for the name of its transaction, which is only known once the handler has run.
const NAME_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct ErrorQueue(Mutex<VecDeque<(Instant, Captured)>>);

impl ErrorQueue {
    /// Keeps an error; drops it and counts that when the queue is full. What was not handled is sent at once.
    ///
    /// The queue is bounded by number, so it must not wait for the next sending: with half of it full, the agent's thread is woken.
    pub(crate) fn push(&self, agent: &Inner, capture: impl FnOnce() -> Captured) {
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
                    agent.buffers.urgent.store(true, Ordering::Relaxed);
                }
                if unhandled || queue.len() == MANY {
                    agent.buffers.wake.notify_one();
                }
            }
            full
        };
        agent.buffers.counters.recorded(1);
        if full {
            agent.buffers.counters.dropped(DropReason::QueueFull, 1);
        }
    }

    /// Resolves and encodes what waits; with `all`, also errors whose transaction has no name yet. `true` if some are left for that.
    pub(crate) fn process(
        &self,
        agent: &Inner,
        resolver: &mut Resolver,
        settings: &Settings,
        now: Instant,
        all: bool,
    ) -> bool {
        let waiting = std::mem::take(&mut *lock(&self.0));
        let mut left = false;
        for (since, captured) in waiting {
            let too_early = !all
                && now.saturating_duration_since(since) < NAME_WAIT
                && captured
                    .within
                    .as_ref()
                    .is_some_and(|within| lock(&within.core.state).name.get().is_none());
            if too_early {
                left = true;
                lock(&self.0).push_back((since, captured));
                continue;
            }
            let line = model::error::line(&captured, resolver, settings);
            agent
                .buffers
                .append_error(|out| out.extend_from_slice(&line));
        }
        left
    }

    /// Whether there are so many that they should not wait for the next sending.
    pub(crate) fn are_many(&self) -> bool {
        lock(&self.0).len() >= MANY
    }

    /// Counts everything that waits as lost.
    pub(crate) fn drop_all(&self, counters: &Counters) {
        let waiting = std::mem::take(&mut *lock(&self.0));
        counters.dropped(DropReason::Shutdown, waiting.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chores::Chores;
    use crate::config::{Config, LocalSources};
    use crate::error::{Stack, capture};

    #[test]
    fn many_errors_do_not_wait_for_the_next_sending() {
        let code = vec![("metrics_interval".to_owned(), "0s".to_owned())];
        let (config, _) = Config::resolve(LocalSources {
            code,
            ..LocalSources::default()
        });
        let agent = std::sync::Arc::new(Inner::new(config));
        let mut chores = Chores::new(&agent.config.load());
        let what = || What::Log {
            message: "disk full".to_owned(),
            template: None,
            level: "error",
            logger: None,
        };
        // Eight times what the queue holds, in groups that fit.
        for _ in 0..16 {
            assert_eq!(chores.next(&agent), None);
            for _ in 0..MANY {
                capture(&agent, None, what, None, None, Stack::Left);
            }
            let at = chores.next(&agent).expect("the agent's thread comes early");
            assert!(at <= Instant::now() + Duration::from_millis(100));
            chores.run(&agent, at, false);
        }
        assert_eq!(agent.buffers.counters.snapshot().dropped_total(), 0);
        for _ in 0..2 * CAPACITY {
            capture(&agent, None, what, None, None, Stack::Left);
        }
        let stats = agent.buffers.counters.snapshot();
        assert_eq!(stats.dropped(DropReason::QueueFull), CAPACITY as u64);
    }
}
