//! A sample in the rollup of its series.

use std::collections::BTreeMap;

use serde_json::Value;

use super::growth::{Point, added, since};
use super::state::{Owner, load, save};
use crate::apply::{Pass, Sender};
use crate::dictionary::MetricSeries;
use crate::error::StoreError;
use crate::event::{Measured, MetricKind, Metricset, Sample};
use crate::limits::NameKind;
use crate::rollup::{Increase, value_bin};

/// Bytes of the labels of a series. A sample with more stays in its document alone.
const MAX_LABELS: usize = 4096;

/// The label of a quantile's series.
const QUANTILE: &str = "quantile";

/// Characters of a unit that are kept.
const MAX_UNIT: usize = 32;

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
            resource: sender.resource,
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
        match (sample.kind, &sample.value) {
            (MetricKind::Gauge | MetricKind::Quantile, Measured::Number(value)) => {
                self.rollup.metrics.value(series, ts, *value);
            }
            (MetricKind::UpDown, Measured::Number(value)) if !sample.is_delta => {
                self.rollup.metrics.value(series, ts, *value);
            }
            (MetricKind::UpDown, Measured::Number(value)) => {
                // Its value is the sum of all that came.
                let last = load(self.conn, owner, 0)?;
                if last.as_ref().is_some_and(|last| ts <= last.ts) {
                    return Ok(());
                }
                let sum = last.as_ref().map_or(0.0, |last| last.sum) + value;
                let now = Point {
                    ts,
                    sum,
                    ..Point::default()
                };
                save(self.conn, owner, &now, last.is_none())?;
                self.rollup.metrics.value(series, ts, sum);
            }
            (_, Measured::Number(value)) => {
                let now = Point {
                    start: sample.start.unwrap_or_default(),
                    ts,
                    sum: *value,
                    ..Point::default()
                };
                if let Some(increase) = self.grown(owner, &now, sample.is_delta)? {
                    self.rollup.metrics.increase(series, ts, &increase);
                }
            }
            (_, Measured::Distribution(values)) => {
                let now = Point {
                    start: sample.start.unwrap_or_default(),
                    ts,
                    count: values.count,
                    sum: values.sum.unwrap_or_default(),
                    bins: bins(&values.bins),
                };
                if let Some(mut increase) = self.grown(owner, &now, sample.is_delta)? {
                    if sample.is_delta {
                        (increase.min, increase.max) = (values.min, values.max);
                    }
                    self.rollup.metrics.distribution(series, ts, &increase);
                }
            }
        }
        Ok(())
    }

    /// The growth since the last value, which the present one takes the place of.
    fn grown(
        &mut self,
        owner: Owner,
        now: &Point,
        is_delta: bool,
    ) -> Result<Option<Increase>, StoreError> {
        // A delta tells its start, so that only one without it needs the last report.
        if is_delta && now.start > 0 {
            return Ok(added(None, now));
        }
        let last = load(self.conn, owner, now.start)?;
        let increase = if is_delta {
            added(last.as_ref(), now)
        } else {
            since(last.as_ref(), now)
        };
        // A value that came late or twice is not the last one.
        if last.as_ref().is_none_or(|last| now.ts > last.ts) {
            let kept = Point {
                bins: if is_delta {
                    Vec::new()
                } else {
                    now.bins.clone()
                },
                ..*now
            };
            save(self.conn, owner, &kept, last.is_none())?;
        }
        Ok(increase)
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
