//! The work of Tokio's runtimes: their tasks, and the time for which their workers are busy.
//!
//! Only what Tokio tells without `tokio_unstable` is read, so that no service has to be built in another way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::{Handle, Id};

use super::Metricset;
use crate::config::Settings;
use crate::util::lock;

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
}

/// The work of a runtime's workers since it began.
#[derive(Clone, Copy, Debug, Default)]
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
        });
    }

    /// One metric set of all runtimes together; nothing where none is observed.
    pub(crate) fn report(&self, timestamp: u64, settings: &Settings) -> Option<Metricset> {
        let mut known = lock(&self.0);
        if known.is_empty() {
            return None;
        }
        let (mut alive, mut queued, mut workers) = (0, 0, 0);
        let mut added = Worked::default();
        for one in known.iter_mut() {
            let metrics = one.runtime.metrics();
            alive += metrics.num_alive_tasks();
            queued += metrics.global_queue_depth();
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
}
