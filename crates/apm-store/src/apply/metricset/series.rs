//! A sample in the rollup of its series.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reading;
use super::state::load;
use crate::apply::{Pass, Sender};
use crate::dictionary::MetricSeries;
use crate::error::StoreError;
use crate::event::{Measured, MetricKind, Metricset, Sample};
use crate::limits::NameKind;
use crate::rollup::{Owner, Point, Reading, value_bin};

/// Bytes of the labels of a series. A sample with more stays in its document alone.
pub(crate) const MAX_LABELS: usize = 4096;

/// The label of a quantile's series.
const QUANTILE: &str = "quantile";

/// Characters of a unit that are kept.
pub(crate) const MAX_UNIT: usize = 32;

impl<'a> Pass<'_, 'a> {
    /// Counts a sample for its series. `name`: the id of its name.
    pub(super) fn series(
        &mut self,
        sender: Sender<'a>,
        (service, name): (i64, i64),
        event: &'a Metricset,
        sample: &'a Sample,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let labels = batch.opt(event.labels).unwrap_or("{}");
        if labels.len() > MAX_LABELS {
            self.beyond.count(NameKind::Series);
            return Ok(());
        }
        let unit = batch.opt(sample.unit).unwrap_or_default();
        let end = unit.char_indices().nth(MAX_UNIT).map(|(at, _)| at);
        let entry = MetricSeries {
            service,
            name,
            kind: sample.kind,
            unit: &unit[..end.unwrap_or(unit.len())],
            labels,
        };
        let series = &mut self.memory.names.series;
        let given = series.given(self.conn, received, &entry)?;
        if given.beyond {
            // Values of different series make no series. They stay in the event's document.
            self.beyond.count(NameKind::Series);
            return Ok(());
        }
        let owner = Owner {
            series: given.id,
            process: sender.process,
        };
        self.count_sample(owner, event.timestamp, sample)?;
        match &sample.value {
            Measured::Distribution(values) if !values.quantiles.is_empty() => {
                self.quantiles(received, &entry, event.timestamp, &values.quantiles)
            }
            _ => Ok(()),
        }
    }

    /// Counts the quantiles of a summary: each is a series of its own.
    fn quantiles(
        &mut self,
        received: i64,
        summary: &MetricSeries<'_>,
        ts: i64,
        quantiles: &[(f64, f64)],
    ) -> Result<(), StoreError> {
        let mut labels: BTreeMap<String, Value> =
            serde_json::from_str(summary.labels).unwrap_or_default();
        for (share, value) in quantiles {
            labels.insert(QUANTILE.to_owned(), share.to_string().into());
            let text = serde_json::json!(labels).to_string();
            let entry = MetricSeries {
                kind: MetricKind::Quantile,
                labels: &text,
                ..*summary
            };
            let given = self
                .memory
                .names
                .series
                .given(self.conn, received, &entry)?;
            if given.beyond {
                self.beyond.count(NameKind::Series);
            } else {
                self.rollup.metrics.value(given.id, ts, *value);
            }
        }
        Ok(())
    }

    fn count_sample(&mut self, owner: Owner, ts: i64, sample: &Sample) -> Result<(), StoreError> {
        let series = owner.series;
        let start = sample.start.unwrap_or_default();
        let (now, ends) = match (sample.kind, &sample.value) {
            (MetricKind::Gauge | MetricKind::Quantile, Measured::Number(value)) => {
                self.rollup.metrics.value(series, ts, *value);
                return Ok(());
            }
            (MetricKind::UpDown, Measured::Number(value)) if !sample.is_delta => {
                self.rollup.metrics.value(series, ts, *value);
                return Ok(());
            }
            (MetricKind::UpDown, Measured::Number(value)) => {
                return self.count_up_down(owner, ts, *value);
            }
            (_, Measured::Number(value)) => {
                let now = Point {
                    start,
                    ts,
                    sum: *value,
                    ..Point::default()
                };
                (now, (None, None))
            }
            (_, Measured::Distribution(values)) => {
                let now = Point {
                    start,
                    ts,
                    count: values.count,
                    sum: values.sum.unwrap_or_default(),
                    bins: bins(&values.bins),
                };
                (now, (values.min, values.max))
            }
        };
        if sample.is_delta {
            if let Some(mut increase) = reading::delta(self.conn, owner, &now)? {
                (increase.min, increase.max) = ends;
                let metrics = &mut self.rollup.metrics;
                reading::count(metrics, sample.kind, series, ts, &increase);
            }
            return Ok(());
        }
        let grown = &mut self.rollup.grown;
        if reading::grow(self.conn, grown, sample.kind, owner, &now)? {
            self.tell(owner, now);
        }
        Ok(())
    }

    /// Counts what an up-down counter sends as added: its value is the sum of all that came.
    fn count_up_down(&mut self, owner: Owner, ts: i64, value: f64) -> Result<(), StoreError> {
        let last = load(self.conn, owner, 0)?;
        let sum = last.as_ref().map_or(0.0, |last| last.sum) + value;
        let now = Point {
            ts,
            sum,
            ..Point::default()
        };
        if reading::keep(self.conn, owner, last.as_ref(), &now)? {
            self.rollup.metrics.value(owner.series, ts, sum);
            self.tell(owner, now);
        }
        Ok(())
    }

    /// Notes a value for servers that count the same process.
    fn tell(&mut self, owner: Owner, point: Point) {
        if point.is_finite() {
            self.rollup.readings.push(Reading { owner, point });
        }
    }
}

/// Counts by bin, ascending.
fn bins(values: &[(f64, f64)]) -> Vec<(i32, f64)> {
    let mut bins: Vec<(i32, f64)> = values
        .iter()
        .filter(|(_, count)| *count > 0.0)
        .map(|(value, count)| (value_bin(*value), *count))
        .collect();
    bins.sort_unstable_by_key(|(bin, _)| *bin);
    bins.dedup_by(|(bin, count), (kept, sum)| {
        let is_same = bin == kept;
        if is_same {
            *sum += *count;
        }
        is_same
    });
    bins
}
