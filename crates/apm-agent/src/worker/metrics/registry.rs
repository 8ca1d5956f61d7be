//! Gauges and counters of the service itself.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Metricset;
use super::runtime::Runtimes;
use crate::config::Settings;
use crate::util::{Mutex, MutexGuard, lock, own_log};

/// More metrics are refused, with a line in the log: each is sent again and again.
const MAX_METRICS: usize = 1_000;

/// The service's own metrics, reported every `metrics_interval`. Clones are the same registry.
///
/// A name and a set of labels make a metric: asked for twice, it is the same one. In names and label keys `*` and `"`
/// become `_`. Metrics can be registered at any time, but no more than a thousand.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    registered: Arc<Mutex<Registered>>,
    runtimes: Runtimes,
}

type Labels = BTreeMap<String, String>;

#[derive(Debug, Default)]
struct Registered {
    by_labels: BTreeMap<Labels, BTreeMap<String, Source>>,
    count: usize,
    refused: bool,
}

/// The source of a metric's value.
#[derive(Clone)]
enum Source {
    Gauge(Gauge),
    Counter(Counter),
    Observed(Arc<dyn Fn() -> f64 + Send + Sync>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gauge(gauge) => gauge.fmt(f),
            Self::Counter(counter) => counter.fmt(f),
            Self::Observed(_) => f.write_str("Observed"),
        }
    }
}

/// A value that goes up and down, such as a number of rows. The last one that was set is reported.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the value. Until it is set, and after it was set to what is no finite number, nothing is reported.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(f64::NAN.to_bits())))
    }
}

/// A number of things that happened. What was added since the last report is reported; zero is not.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts `more` things.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

impl Metrics {
    /// The gauge of this name, without labels.
    pub fn gauge(&self, name: &str) -> Gauge {
        self.gauge_with(name, &[])
    }

    /// The gauge of this name with these labels.
    pub fn gauge_with(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        match self.register(name, labels, || Source::Gauge(Gauge::default())) {
            Some(Source::Gauge(gauge)) => gauge,
            _ => Gauge::default(),
        }
    }

    /// The counter of this name, without labels.
    pub fn counter(&self, name: &str) -> Counter {
        self.counter_with(name, &[])
    }

    /// The counter of this name with these labels.
    pub fn counter_with(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        match self.register(name, labels, || Source::Counter(Counter::default())) {
            Some(Source::Counter(counter)) => counter,
            _ => Counter::default(),
        }
    }

    /// Asks `value` for the gauge's value at each report. It is called on the agent's thread, and should be quick: a
    /// pool's state, not a query. What is no finite number is not reported. A name that was observed before gets the
    /// new function.
    pub fn observe(&self, name: &str, value: impl Fn() -> f64 + Send + Sync + 'static) {
        let value: Arc<dyn Fn() -> f64 + Send + Sync> = Arc::new(value);
        let source = Source::Observed(value);
        if let Some(Source::Observed(_)) = self.register(name, &[], || source.clone()) {
            let mut registered = self.lock();
            let place = registered
                .by_labels
                .get_mut(&Labels::new())
                .and_then(|named| named.get_mut(&clean(name)));
            // The function before is dropped once the lock is free: what it holds is the service's.
            let before = place.map(|place| std::mem::replace(place, source));
            drop(registered);
            drop(before);
        }
    }

    /// Reports what a runtime of Tokio does: `tokio.tasks.alive`, `tokio.tasks.queued`, `tokio.workers`, and as
    /// counters `tokio.workers.busy.ns` and `tokio.workers.parks`. Several runtimes, such as those of actix-web's
    /// workers, add up.
    ///
    /// It takes what Tokio tells in any build; no `tokio_unstable` is needed.
    ///
    /// ```
    /// # async fn example(agent: &apm_agent::Agent) {
    /// agent.metrics().observe_tokio(&tokio::runtime::Handle::current());
    /// # }
    /// ```
    pub fn observe_tokio(&self, runtime: &tokio::runtime::Handle) {
        self.runtimes.add(runtime);
    }

    /// The metric that is registered under this name; a new one if there is none, and room for it.
    fn register(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        new: impl FnOnce() -> Source,
    ) -> Option<Source> {
        let mut registered = self.lock();
        let labels: Labels = labels
            .iter()
            .map(|(key, value)| (clean(key).replace('.', "_"), (*value).to_owned()))
            .collect();
        let name = clean(name);
        let known = registered
            .by_labels
            .get(&labels)
            .and_then(|named| named.get(&name));
        if let Some(known) = known {
            return Some(known.clone());
        }
        if registered.count >= MAX_METRICS {
            let told = std::mem::replace(&mut registered.refused, true);
            // The service's logger may count its lines in a metric.
            drop(registered);
            if !told {
                own_log::warn(format_args!(
                    "there are {MAX_METRICS} metrics; {name} and all further ones are not reported"
                ));
            }
            return None;
        }
        registered.count += 1;
        let source = new();
        registered
            .by_labels
            .entry(labels)
            .or_default()
            .insert(name, source.clone());
        Some(source)
    }

    /// One metric set per set of labels that has something to say.
    pub(crate) fn report(&self, timestamp: u64, settings: &Settings) -> Vec<Metricset> {
        // Observers are the service's code: they run outside of the lock, as they may use this registry.
        let sources = self.lock().by_labels.clone();
        let mut sets: Vec<Metricset> = self
            .runtimes
            .report(timestamp, settings)
            .into_iter()
            .collect();
        for (labels, named) in sources {
            let mut set = Metricset::new(timestamp).with_tags(labels);
            for (name, source) in named {
                match source {
                    Source::Gauge(gauge) => {
                        set.gauge(&name, f64::from_bits(gauge.0.load(Ordering::Relaxed)))
                    }
                    Source::Observed(observe) => {
                        // A panic of the service's function costs only its sample.
                        let value = std::panic::catch_unwind(AssertUnwindSafe(|| observe()));
                        set.gauge(&name, value.unwrap_or(f64::NAN));
                    }
                    Source::Counter(counter) => match counter.0.swap(0, Ordering::Relaxed) {
                        0 => {}
                        added => set.counter(&name, added),
                    },
                }
            }
            sets.extend(set.without(&settings.disable_metrics));
        }
        sets
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        lock(&self.registered)
    }
}

/// The server takes no sample names that hold `*` or `"`.
fn clean(name: &str) -> String {
    name.replace(['*', '"'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, LocalSources};

    fn report(metrics: &Metrics) -> Vec<String> {
        let (config, _) = Config::resolve(LocalSources::default());
        let sets = metrics.report(7, &config.load());
        sets.iter()
            .map(|set| String::from_utf8(set.line()).unwrap().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn gauges_keep_their_value_and_counters_start_again() {
        let metrics = Metrics::default();
        let (rows, orders) = (metrics.gauge("people.rows"), metrics.counter("orders"));
        metrics.observe("pool.idle", || 3.0);
        assert_eq!(
            report(&metrics),
            [r#"{"metricset":{"timestamp":7,"samples":{"pool.idle":{"value":3,"type":"gauge"}}}}"#]
        );
        rows.set(12.0);
        orders.add(2);
        metrics.counter("orders").add(3);
        assert_eq!(
            report(&metrics),
            [
                "{\"metricset\":{\"timestamp\":7,\"samples\":{\"orders\":{\"value\":5,\"type\":\"counter\",\
              \"temporality\":\"delta\"},\
              \"people.rows\":{\"value\":12,\"type\":\"gauge\"},\"pool.idle\":{\"value\":3,\"type\":\"gauge\"}}}}"
            ]
        );
        assert!(
            report(&metrics)[0].contains("people.rows") && !report(&metrics)[0].contains("orders")
        );
    }

    #[test]
    fn labels_make_sets_of_their_own() {
        let metrics = Metrics::default();
        metrics.counter_with("jobs", &[("queue", "mail")]).add(1);
        metrics.counter_with("jobs", &[("queue", "print")]).add(2);
        metrics.gauge_with("odd*\"name", &[("a.b", "c")]).set(0.5);
        assert_eq!(
            report(&metrics),
            [
                concat!(
                    r#"{"metricset":{"timestamp":7,"tags":{"a_b":"c"},"#,
                    r#""samples":{"odd__name":{"value":0.5,"type":"gauge"}}}}"#
                ),
                concat!(
                    r#"{"metricset":{"timestamp":7,"tags":{"queue":"mail"},"#,
                    r#""samples":{"jobs":{"value":1,"type":"counter","temporality":"delta"}}}}"#
                ),
                concat!(
                    r#"{"metricset":{"timestamp":7,"tags":{"queue":"print"},"#,
                    r#""samples":{"jobs":{"value":2,"type":"counter","temporality":"delta"}}}}"#
                ),
            ]
        );
    }

    #[test]
    fn an_observer_may_panic_use_the_registry_and_be_replaced() {
        let metrics = Metrics::default();
        let inner = metrics.clone();
        metrics.observe("bad", || std::panic::resume_unwind(Box::new("bad")));
        metrics.observe("nested", move || {
            inner.counter("asked").add(1);
            1.0
        });
        metrics.observe("replaced", || 1.0);
        metrics.observe("replaced", || 2.0);
        let lines = report(&metrics);
        assert!(
            lines[0].contains(r#""nested":{"value":1,"#)
                && lines[0].contains(r#""replaced":{"value":2,"#),
            "{lines:?}"
        );
        assert!(!lines[0].contains("bad"));
        assert!(report(&metrics)[0].contains(r#""asked":{"value":1,"#));
    }

    #[test]
    fn the_number_of_metrics_is_bounded_and_late_ones_are_harmless() {
        let metrics = Metrics::default();
        for index in 0..2 * MAX_METRICS {
            metrics.gauge(&format!("gauge.{index}")).set(1.0);
        }
        assert_eq!(metrics.lock().count, MAX_METRICS);
        metrics.gauge("gauge.0").set(2.0);
        assert!(report(&metrics)[0].contains(r#""gauge.0":{"value":2,"#));
    }
}
