//! Metrics of a made-up service: of its system and process, and the self time of its routes.

use super::wire::{self, Line, Sample};
use super::{Body, route_name};
use crate::generate::world::{Route, SERVICES};

impl Body {
    /// `load`: 0 to 1.
    pub(in crate::generate) fn metrics(&mut self, ts: i64, load: f64, noise: f64) {
        let total = (16_u64 << 30) as f64;
        let size = (180.0 + 40.0 * noise).trunc() * 1_048_576.0;
        let rounded = |share: f64| (share * 1e4).round() / 1e4;
        self.metricset(
            ts,
            None,
            None,
            [
                ("system.cpu.total.norm.pct", rounded(load)),
                ("system.process.cpu.total.norm.pct", rounded(load / 3.0)),
                ("system.memory.total", total),
                (
                    "system.memory.actual.free",
                    (total * (0.5 - load / 4.0)).trunc(),
                ),
                ("system.process.memory.size", size),
                ("system.process.memory.rss.bytes", size / 2.0),
            ],
        );
    }

    /// Self time of a route's parts, roughly as its steps would have it.
    pub(in crate::generate) fn breakdown(&mut self, ts: i64, route: &Route) {
        let app = route.own_us * 20.0;
        let (database, _) = SERVICES[route.service].database;
        let own = (
            wire::SpanRef {
                kind: "app",
                subtype: None,
            },
            20.0,
            app,
        );
        let db = (
            wire::SpanRef {
                kind: "db",
                subtype: Some(database),
            },
            40.0,
            app * 1.5,
        );
        for (span, count, sum) in [own]
            .into_iter()
            .chain((!route.steps.is_empty()).then_some(db))
        {
            let transaction = wire::TransactionRef {
                name: &route_name(route),
                kind: "request",
                sampled: None,
            };
            self.metricset(
                ts,
                Some(transaction),
                Some(span),
                [
                    ("span.self_time.count", count),
                    ("span.self_time.sum.us", sum),
                ],
            );
        }
    }

    fn metricset<const N: usize>(
        &mut self,
        timestamp: i64,
        transaction: Option<wire::TransactionRef<'_>>,
        span: Option<wire::SpanRef>,
        samples: [(&'static str, f64); N],
    ) {
        let samples = samples.map(|(name, value)| (name, Sample { value })).into();
        self.write(&Line::Metricset(wire::Metricset {
            timestamp,
            transaction,
            span,
            samples,
        }));
    }
}
