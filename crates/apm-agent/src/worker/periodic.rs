//! The work of the agent's thread besides sending: it turns captured errors into events, and reads metrics when they
//! are due.

use std::time::{Duration, Instant};

use crate::config::Settings;
use crate::recording::recorder::Recorder;
use crate::util::clock::Moment;
use crate::util::own_log;
use crate::worker::errors;
use crate::worker::metrics::{Health, Metricset, SpanGroup, SystemMetrics, TransactionGroup};
use crate::worker::shared::Shared;
use crate::worker::stacktrace::Resolver;

/// The time after which errors that wait for a name are looked at again.
const NAME_PATIENCE: Duration = Duration::from_millis(50);
/// The pause between two rounds of errors, however many there are: a storm of them must not take a processor.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// The state that only the agent's thread needs.
#[derive(Debug)]
pub(crate) struct PeriodicWork {
    resolver: Resolver,
    system: SystemMetrics,
    health: Health,
    /// The filling of the buffers since the last report: least and most.
    fill: Option<(f64, f64)>,
    /// When metrics are due; `None` when they are switched off.
    metrics_at: Option<Instant>,
    /// When errors that wait for a name are looked at again.
    errors_at: Option<Instant>,
    /// When errors were last looked at.
    errors_done: Instant,
    overflow_told: bool,
}

impl PeriodicWork {
    pub(crate) fn new(settings: &Settings) -> Self {
        let interval = settings.metrics_interval;
        Self {
            resolver: Resolver::new(settings),
            system: SystemMetrics::new(),
            health: Health::default(),
            fill: None,
            metrics_at: (!interval.is_zero()).then(|| Instant::now() + interval),
            errors_at: None,
            errors_done: Instant::now(),
            overflow_told: false,
        }
    }

    /// When it wants to run next.
    pub(crate) fn next(&self, recorder: &Recorder) -> Option<Instant> {
        let many_errors = recorder.errors.are_many();
        let due = [
            self.metrics_at,
            self.errors_at,
            self.resolver.unload_at(),
            many_errors.then(|| self.errors_done + ERROR_PAUSE),
        ];
        due.into_iter().flatten().min()
    }

    /// Does what is due. With `all`, errors do not wait for the names of their transactions.
    pub(crate) fn run(&mut self, shared: &Shared, now: Instant, all: bool) {
        let recorder = &shared.recorder;
        let settings = recorder.config.snapshot();
        let waiting = errors::process(recorder, &mut self.resolver, &settings, now, all);
        errors::process_stacks(recorder, &mut self.resolver, &settings);
        self.errors_at = waiting.then(|| now + NAME_PATIENCE);
        self.errors_done = Instant::now();
        self.resolver.unload(now);
        let fill = recorder.buffers.fill();
        self.fill = Some(self.fill.map_or((fill, fill), |(least, most)| {
            (least.min(fill), most.max(fill))
        }));
        if let Some(at) = self.metrics_at
            && now >= at
        {
            self.metrics_at = Some(now + settings.metrics_interval);
            self.report(shared);
        }
    }

    /// Reports all metrics now: at the end of the agent, and in tests.
    pub(crate) fn report(&mut self, shared: &Shared) {
        let recorder = &shared.recorder;
        let settings = recorder.config.snapshot();
        // Counts from a time in which nothing was to be recorded are forgotten.
        let (groups, overflowed) = recorder.breakdown.take();
        if settings.metrics_interval.is_zero() || !recorder.reports(&settings) {
            return;
        }
        let timestamp = recorder.clock.micros(Moment::now());
        let mut sets: Vec<Metricset> = self
            .system
            .report(timestamp, &settings)
            .into_iter()
            .collect();
        sets.extend(groups.into_iter().map(|(group, time)| {
            let transaction = TransactionGroup {
                name: group.transaction_name,
                kind: group.transaction_type,
            };
            let span = SpanGroup {
                kind: group.span_type,
                subtype: group.span_subtype,
            };
            Metricset::breakdown(timestamp, transaction, span, time.count, time.micros())
        }));
        sets.extend(shared.metrics.report(timestamp, &settings));
        sets.extend(self.health.report(
            recorder.buffers.counters.snapshot(),
            self.fill.take(),
            timestamp,
            &settings,
        ));
        for set in sets {
            let line = set.line();
            recorder
                .buffers
                .append(1, |out| out.extend_from_slice(&line));
        }
        if overflowed && !std::mem::replace(&mut self.overflow_told, true) {
            own_log::warn(format_args!(
                "more than a thousand kinds of transactions and spans in one metrics interval: \
                 the breakdown leaves some out; put what varies in their names into labels"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, LocalSources};
    use crate::recording::captured::{CAPACITY, MANY, What};
    use crate::recording::error::{Stack, capture};
    use crate::recording::stats::DropReason;

    #[test]
    fn many_errors_do_not_wait_for_the_next_sending() {
        let code = vec![("metrics_interval".to_owned(), "0s".to_owned())];
        let (config, _) = Config::resolve(LocalSources {
            code,
            ..LocalSources::default()
        });
        let shared = Shared::new(config, None);
        let recorder = &shared.recorder;
        let mut work = PeriodicWork::new(&recorder.config.load());
        let what = || What::Log {
            message: "disk full".to_owned(),
            template: None,
            level: "error",
            logger: None,
        };
        // Eight times what the queue holds, in groups that fit.
        for _ in 0..16 {
            assert_eq!(work.next(recorder), None);
            for _ in 0..MANY {
                capture(recorder, None, what, None, None, Stack::Left);
            }
            let at = work.next(recorder).expect("the agent's thread comes early");
            assert!(at <= Instant::now() + Duration::from_millis(100));
            work.run(&shared, at, false);
        }
        assert_eq!(recorder.buffers.counters.snapshot().dropped_total(), 0);
        for _ in 0..2 * CAPACITY {
            capture(recorder, None, what, None, None, Stack::Left);
        }
        let stats = recorder.buffers.counters.snapshot();
        assert_eq!(stats.dropped(DropReason::QueueFull), CAPACITY as u64);
    }
}
