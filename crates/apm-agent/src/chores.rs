//! What the agent's thread does besides sending: turns captured errors into events, and reads metrics when they are due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::Inner;
use crate::config::Settings;
use crate::metrics::{Health, Metricset, SpanGroup, SystemMetrics, TransactionGroup};
use crate::own_log;
use crate::stacktrace::Resolver;

/// How soon errors are looked at again that wait for the name of their transaction.
const NAME_PATIENCE: Duration = Duration::from_millis(50);
/// The pause between two rounds of errors, however many there are: a storm of them must not take a processor.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// The state that only the agent's thread needs.
#[derive(Debug)]
pub(crate) struct Chores {
    resolver: Resolver,
    system: SystemMetrics,
    health: Health,
    /// How full the buffers were since the last report: least and most.
    fill: Option<(f64, f64)>,
    /// When metrics are due; `None` when they are switched off.
    metrics_at: Option<Instant>,
    /// When errors that wait for a name are looked at again.
    errors_at: Option<Instant>,
    /// When errors were last looked at.
    errors_done: Instant,
    overflow_told: bool,
}

impl Chores {
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
    pub(crate) fn next(&self, agent: &Inner) -> Option<Instant> {
        let many_errors = agent.errors.are_many();
        let due = [
            self.metrics_at,
            self.errors_at,
            self.resolver.unload_at(),
            many_errors.then(|| self.errors_done + ERROR_PAUSE),
        ];
        due.into_iter().flatten().min()
    }

    /// Does what is due. With `all`, errors do not wait for the names of their transactions.
    pub(crate) fn run(&mut self, agent: &Arc<Inner>, now: Instant, all: bool) {
        let settings = agent.config.snapshot();
        let waiting = agent
            .errors
            .process(agent, &mut self.resolver, &settings, now, all);
        agent
            .stacks
            .process(&mut self.resolver, &settings, &agent.buffers);
        self.errors_at = waiting.then(|| now + NAME_PATIENCE);
        self.errors_done = Instant::now();
        self.resolver.unload(now);
        let fill = agent.buffers.fill();
        self.fill = Some(self.fill.map_or((fill, fill), |(least, most)| {
            (least.min(fill), most.max(fill))
        }));
        if let Some(at) = self.metrics_at
            && now >= at
        {
            self.metrics_at = Some(now + settings.metrics_interval);
            self.report(agent);
        }
    }

    /// Reports all metrics now: at the end of the agent, and in tests.
    pub(crate) fn report(&mut self, agent: &Arc<Inner>) {
        let settings = agent.config.snapshot();
        // What was counted while nothing was to be recorded is forgotten.
        let (groups, overflowed) = agent.breakdown.take();
        if settings.metrics_interval.is_zero() || !agent.reports(&settings) {
            return;
        }
        let timestamp = agent.clock.micros(Instant::now());
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
            let micros = u64::try_from(time.sum.as_micros()).unwrap_or(u64::MAX);
            Metricset::breakdown(timestamp, transaction, span, time.count, micros)
        }));
        sets.extend(agent.metrics.report(timestamp, &settings));
        sets.extend(self.health.report(
            agent.buffers.counters.snapshot(),
            self.fill.take(),
            timestamp,
            &settings,
        ));
        for set in sets {
            let line = set.line();
            agent.buffers.append(1, |out| out.extend_from_slice(&line));
        }
        if overflowed && !std::mem::replace(&mut self.overflow_told, true) {
            own_log::warn(format_args!(
                "more than a thousand kinds of transactions and spans in one metrics interval: the breakdown leaves some out; \
                 put what varies in their names into labels"
            ));
        }
    }
}
