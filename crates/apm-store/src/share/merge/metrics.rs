//! Series of metrics of other servers.

use std::collections::BTreeMap;

use diesel::SqliteConnection;
use serde_json::Value;

use super::super::delta::Delta;
use super::super::sum::{Ids, Sum, get, is_number, is_sum};
use super::are_names;
use crate::apply::{MAX_LABELS, MAX_UNIT, Memory, follow_reading};
use crate::dictionary::{MetricName, MetricSeries};
use crate::error::StoreError;
use crate::event::MetricKind;
use crate::limits::{Beyond, NameKind};
use crate::rollup::{
    LARGEST, LEVELS, MetricBinKey, MetricCell, MetricKey, Owner, Point, Reading, bucket, is_bin,
};

/// The id of a series, and the way in which its values are read; nothing for one that cannot be, or has no room.
pub(super) type Series = Option<(i64, MetricKind)>;

impl Memory {
    /// The series of a delta, in its order.
    pub(super) fn series(
        &mut self,
        conn: &mut SqliteConnection,
        (delta, ids): (&Delta, &Ids),
        now: i64,
        beyond: &mut Beyond,
    ) -> Result<Vec<Series>, StoreError> {
        let names = self.names();
        let mut found = Vec::with_capacity(delta.series.len());
        for one in &delta.series {
            let service = get(&ids.services, one.service);
            let kind = MetricKind::of_code(one.kind);
            let is_whole = are_names([&one.name])
                && one.unit.chars().count() <= MAX_UNIT
                && are_labels(&one.labels);
            let (Some(service), Some(kind), true) = (service, kind, is_whole) else {
                found.push(None);
                continue;
            };
            let name = MetricName {
                service: service.id,
                name: &one.name,
            };
            let name = names.metrics.given(conn, now, &name)?;
            if name.beyond {
                beyond.count(NameKind::Metric);
                found.push(None);
                continue;
            }
            let series = MetricSeries {
                service: service.id,
                name: name.id,
                kind,
                unit: &one.unit,
                labels: &one.labels,
            };
            let series = names.series.given(conn, now, &series)?;
            if series.beyond {
                beyond.count(NameKind::Series);
            }
            found.push((!series.beyond).then_some((series.id, kind)));
        }
        Ok(found)
    }
}

fn are_labels(text: &str) -> bool {
    text.len() <= MAX_LABELS && serde_json::from_str::<BTreeMap<String, Value>>(text).is_ok()
}

impl Sum {
    /// Adds what adds up.
    pub(super) fn metrics(&mut self, delta: &Delta, series: &[Series]) {
        for (at, bucket, n, count, sum, min, max) in &delta.metric {
            let values = [Some(*sum), *min, *max];
            let are_values = values.into_iter().flatten().all(is_value) && is_number(*n);
            if let Some((series, _)) = self.of_series(series, *at, (*bucket, *count), are_values) {
                let key = MetricKey {
                    series,
                    bucket: *bucket,
                };
                let cell = MetricCell {
                    n: *n,
                    count: *count,
                    sum: *sum,
                    min: *min,
                    max: *max,
                };
                self.rollup.metrics.put_cell(key, &cell);
            }
        }
        for (at, bucket, bin, count) in &delta.metric_bins {
            if let Some((series, _)) = self.of_series(series, *at, (*bucket, *count), is_bin(*bin))
            {
                let key = MetricBinKey {
                    series,
                    bucket: *bucket,
                    bin: *bin,
                };
                self.rollup.metrics.put_bin(key, *count);
            }
        }
    }

    /// Counts what readings grew by since the last one of the same process, from wherever it came.
    pub(super) fn readings(
        &mut self,
        conn: &mut SqliteConnection,
        delta: &Delta,
        series: &[Series],
    ) -> Result<(), StoreError> {
        for (at, process, start, ts, count, sum, bins) in &delta.readings {
            let are_values = is_value(sum.0)
                && (0..=*ts).contains(start)
                && bins.is_sorted_by(|(one, _), (other, _)| one < other)
                && bins
                    .iter()
                    .all(|(bin, count)| is_bin(*bin) && is_sum(*count));
            let minute = bucket(*ts, LEVELS[0]);
            let of = self.of_series(series, *at, (minute, count.0), are_values);
            let Some((series, kind)) = of else { continue };
            let reading = Reading {
                owner: Owner {
                    series,
                    process: *process,
                },
                point: Point {
                    start: *start,
                    ts: *ts,
                    count: count.0,
                    sum: sum.0,
                    bins: bins.clone(),
                },
            };
            follow_reading(conn, &mut self.rollup.grown, kind, &reading)?;
        }
        Ok(())
    }

    /// The series of a row that is taken. One that is not is counted: a count with values that cannot be is none.
    fn of_series(
        &mut self,
        series: &[Series],
        at: usize,
        (bucket, count): (i64, f64),
        are_values: bool,
    ) -> Series {
        self.id(
            series,
            at,
            bucket,
            if are_values { count } else { f64::NAN },
        )
    }
}

/// Whether a value of a metric can be one.
fn is_value(value: f64) -> bool {
    value.abs() <= LARGEST
}
