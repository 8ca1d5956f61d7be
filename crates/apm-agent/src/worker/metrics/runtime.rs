//! The work of Tokio's runtimes: their tasks, and the time for which their workers are busy.
//!
//! Only what Tokio tells without `tokio_unstable` is read, so that no service has to be built in another way.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;

use super::Metricset;
use crate::config::Settings;
use crate::util::{Mutex, lock};

/// Runtimes that are observed. Further ones are not: a service has one, or one for each of its workers.
const MOST: usize = 256;

/// Runtimes of the service. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runtimes(Arc<Mutex<Vec<Observed>>>);

#[derive(Debug)]
struct Observed {
    id: Id,
    runtime: Handle,
    last: Worked,
    /// A task that ends at once. A runtime that has ended cancels it.
    probe: Option<JoinHandle<()>>,
}

/// The work of a runtime's workers since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Worked {
    busy: Duration,
    parks: u64,
}

impl Runtimes {
    /// Observes a runtime from now on, once.
    pub(crate) fn add(&self, runtime: &Handle) {
        let mut known = lock(&self.0);
        let id = runtime.id();
        if known.len() >= MOST || known.iter().any(|one| one.id == id) {
            return;
        }
        known.push(Observed {
            id,
            last: worked(runtime),
            runtime: runtime.clone(),
            probe: None,
        });
    }

    /// One metric set of all runtimes together; nothing where none is observed.
    pub(crate) fn report(&self, timestamp: u64, settings: &Settings) -> Option<Metricset> {
        let mut known = lock(&self.0);
        known.retain_mut(|one| !one.has_ended());
        if known.is_empty() {
            return None;
        }
        let (mut alive, mut queued, mut workers) = (0, 0, 0);
        let mut added = Worked::default();
        for one in known.iter_mut() {
            let metrics = one.runtime.metrics();
            // The task of a look is none of the service's.
            let own = usize::from(one.probe.as_ref().is_some_and(|probe| !probe.is_finished()));
            alive += metrics.num_alive_tasks().saturating_sub(own);
            queued += metrics.global_queue_depth().saturating_sub(own);
            workers += metrics.num_workers();
            let now = worked(&one.runtime);
            added.busy += now.busy.saturating_sub(one.last.busy);
            added.parks += now.parks.saturating_sub(one.last.parks);
            one.last = now;
        }
        drop(known);
        let mut set = Metricset::new(timestamp);
        set.gauge("tokio.tasks.alive", alive as f64);
        set.gauge("tokio.tasks.queued", queued as f64);
        set.gauge("tokio.workers", workers as f64);
        let busy = u64::try_from(added.busy.as_nanos()).unwrap_or(u64::MAX);
        for (name, added) in [
            ("tokio.workers.busy.ns", busy),
            ("tokio.workers.parks", added.parks),
        ] {
            if added > 0 {
                set.counter(name, added);
            }
        }
        set.without(&settings.disable_metrics)
    }
}

impl Observed {
    /// Whether the runtime was dropped. Its handle would hold what it needs, and its place, for ever. Tokio does not
    /// say so: a runtime that has no task and did nothing since the last look gets one, which is cancelled at once if
    /// it has ended. No more than one waits, for a runtime that nobody drives keeps it.
    fn has_ended(&mut self) -> bool {
        let idles =
            self.runtime.metrics().num_alive_tasks() == 0 && worked(&self.runtime) == self.last;
        let mut probe = match self.probe.take() {
            Some(probe) => probe,
            None if idles => self.runtime.spawn(async {}),
            None => return false,
        };
        match Pin::new(&mut probe).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome.is_err_and(|error| error.is_cancelled()),
            Poll::Pending => {
                self.probe = Some(probe);
                false
            }
        }
    }
}

/// The sums of a runtime's workers. Tokio counts them where the machine has atomic integers of 64 bits.
#[cfg(target_has_atomic = "64")]
fn worked(runtime: &Handle) -> Worked {
    let metrics = runtime.metrics();
    let workers = 0..metrics.num_workers();
    Worked {
        busy: workers
            .clone()
            .map(|worker| metrics.worker_total_busy_duration(worker))
            .sum(),
        parks: workers
            .map(|worker| metrics.worker_park_count(worker))
            .sum(),
    }
}

#[cfg(not(target_has_atomic = "64"))]
fn worked(_: &Handle) -> Worked {
    Worked::default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::Value;

    use super::*;
    use crate::config::{Config, LocalSources};

    fn samples(runtimes: &Runtimes, disabled: &str) -> Option<Value> {
        let code = vec![("disable_metrics".to_owned(), disabled.to_owned())];
        let (config, _) = Config::resolve(LocalSources {
            code,
            ..LocalSources::default()
        });
        let set = runtimes.report(7, &config.load())?;
        let line: Value = serde_json::from_slice(&set.line()).expect("JSON");
        Some(line["metricset"]["samples"].clone())
    }

    #[test]
    fn tasks_and_busy_workers_of_all_runtimes_are_counted_once() {
        let one = || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime")
        };
        let (first, second) = (one(), one());
        let runtimes = Runtimes::default();
        assert_eq!(samples(&runtimes, ""), None);
        for runtime in [&first, &second, &first] {
            runtimes.add(runtime.handle());
        }
        let waits = first.spawn(std::future::pending::<()>());
        let found = samples(&runtimes, "").expect("samples");
        assert_eq!(found["tokio.workers"]["value"], 2.0);
        assert_eq!(found["tokio.tasks.alive"]["value"], 1.0);
        assert_eq!(found["tokio.tasks.alive"]["type"], "gauge");
        waits.abort();
        // A runtime says how long it was busy when it waits again.
        let begun = Instant::now();
        let busy = loop {
            second
                .block_on(async {
                    let until = Instant::now() + Duration::from_millis(2);
                    tokio::spawn(async move { while Instant::now() < until {} }).await
                })
                .expect("it ends");
            let found = samples(&runtimes, "").expect("samples");
            let busy = found["tokio.workers.busy.ns"].clone();
            if !busy.is_null() {
                break busy;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{found}");
        };
        assert_eq!(busy["type"], "counter");
        let nanos = busy["value"].as_u64().expect("a number");
        assert!(Duration::from_nanos(nanos) <= begun.elapsed(), "{nanos}");
        assert_eq!(samples(&runtimes, "tokio.*"), None);
    }

    /// Reports until so many runtimes are left.
    fn wait_for(runtimes: &Runtimes, left: usize) {
        let begun = Instant::now();
        while lock(&runtimes.0).len() != left {
            samples(runtimes, "");
            let known = lock(&runtimes.0).len();
            assert!(begun.elapsed() < Duration::from_secs(20), "{known}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_runtime_that_has_ended_makes_room_and_one_that_idles_stays() {
        let current = || tokio::runtime::Builder::new_current_thread().build();
        let several = || {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
        };
        let runtimes = Runtimes::default();
        let idle = [current().expect("a runtime"), several().expect("a runtime")];
        for runtime in &idle {
            runtimes.add(runtime.handle());
        }
        // More than there are places for, one after the other.
        for round in 0..3 {
            for number in 0..MOST - idle.len() {
                // One of many has workers of its own, for these are threads.
                let runtime = if number % 64 == 0 {
                    several()
                } else {
                    current()
                };
                let runtime = runtime.expect("a runtime");
                runtime.block_on(async {});
                runtimes.add(runtime.handle());
            }
            assert_eq!(lock(&runtimes.0).len(), MOST, "round {round}");
            wait_for(&runtimes, idle.len());
        }
        for _ in 0..10 {
            samples(&runtimes, "");
        }
        assert_eq!(lock(&runtimes.0).len(), idle.len());
        // Nobody has driven this one: it has one task that waits, however often it was looked at.
        assert_eq!(idle[0].metrics().num_alive_tasks(), 1);
        assert_eq!(idle[0].block_on(async { 7 }), 7);
        drop(idle);
        wait_for(&runtimes, 0);
        assert_eq!(samples(&runtimes, ""), None);
    }
}
