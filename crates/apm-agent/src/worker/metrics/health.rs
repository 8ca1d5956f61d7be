//! The agent's health: what became of its events and requests since the last report.

use std::collections::BTreeMap;

use super::Metricset;
use crate::config::Settings;
use crate::recording::stats::{DropReason, Stats};

/// Remembers the last report's totals: only what was added since is sent.
#[derive(Debug, Default)]
pub(crate) struct Health {
    last: Stats,
}

impl Health {
    /// One metric set per label, without zeros. `queue_fill` is how full the buffers were since the last report, as
    /// shares from 0 to 1: the least, and the most.
    pub(crate) fn report(
        &mut self,
        stats: Stats,
        queue_fill: Option<(f64, f64)>,
        timestamp: u64,
        settings: &Settings,
    ) -> Vec<Metricset> {
        let last = std::mem::replace(&mut self.last, stats);
        let now = &self.last;
        let mut sets = Vec::new();
        let mut add = |label: Option<(&str, &str)>, counters: &[(&str, u64)]| {
            let tags: BTreeMap<_, _> = label
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let mut set = Metricset::new(timestamp).with_tags(tags);
            counters
                .iter()
                .filter(|(_, added)| *added > 0)
                .for_each(|(name, added)| set.counter(name, *added));
            sets.extend(set.without(&settings.disable_metrics));
        };
        add(
            None,
            &[(
                "agent.events.total",
                now.recorded.saturating_sub(last.recorded),
            )],
        );
        for reason in DropReason::ALL {
            let dropped = now.dropped(reason).saturating_sub(last.dropped(reason));
            // The specification knows two reasons; ours say more, and are told apart by a label of their own.
            add(
                Some(("reason", reason.as_str())),
                &[("agent.events.dropped", dropped)],
            );
        }
        let failed = now.requests_failed.saturating_sub(last.requests_failed);
        add(
            Some(("success", "false")),
            &[("agent.events.requests.count", failed)],
        );
        let succeeded = now.requests_ok.saturating_sub(last.requests_ok);
        add(
            Some(("success", "true")),
            &[("agent.events.requests.count", succeeded)],
        );
        add(
            None,
            &[(
                "agent.events.requests.bytes",
                now.bytes_sent.saturating_sub(last.bytes_sent),
            )],
        );
        if let Some((least, most)) = queue_fill {
            let tags = BTreeMap::from([("queue_name".to_owned(), "generic".to_owned())]);
            let mut set = Metricset::new(timestamp).with_tags(tags);
            set.gauge("agent.events.queue.min_size.pct", least);
            set.gauge("agent.events.queue.max_size.pct", most);
            sets.extend(set.without(&settings.disable_metrics));
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, LocalSources};
    use crate::recording::stats::Counters;

    #[test]
    fn only_what_was_added_since_the_last_report_is_sent() {
        let (config, _) = Config::resolve(LocalSources::default());
        let (counters, mut health) = (Counters::default(), Health::default());
        let mut report = |fill| {
            let sets = health.report(counters.snapshot(), fill, 7, &config.load());
            sets.iter()
                .map(|set| String::from_utf8(set.line()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(report(None), [""; 0]);

        counters.recorded(5);
        counters.dropped(DropReason::QueueFull, 2);
        counters.request(true);
        counters.sent(3, 700);
        let sets = report(Some((0.0, 1.0)));
        let has = |part: &str| {
            assert!(
                sets.iter().any(|line| line.contains(part)),
                "{part} is not in {sets:#?}"
            )
        };
        has(
            r#""samples":{"agent.events.total":{"value":5,"type":"counter","temporality":"delta"}}"#,
        );
        has(
            r#""tags":{"reason":"queue_full"},"samples":{"agent.events.dropped":{"value":2,"type":"counter""#,
        );
        has(
            r#""tags":{"success":"true"},"samples":{"agent.events.requests.count":{"value":1,"type":"counter""#,
        );
        has(r#""agent.events.requests.bytes":{"value":700,"#);
        has(r#""agent.events.queue.max_size.pct":{"value":1,"#);
        assert_eq!(sets.len(), 5);

        counters.recorded(1);
        assert_eq!(report(None).len(), 1);
    }
}
