//! Series of metrics, and readings of what counts from a start.

use super::super::metrics::{MetricBinKey, MetricCell, MetricKey, MetricRollup};
use super::super::readings::{Owner, Point, Reading};
use super::{LEVELS, Reader, Writer};

impl Writer<'_> {
    pub(super) fn metrics(&mut self, metrics: &MetricRollup) {
        self.all(metrics.cells(LEVELS[0]), |out, (key, cell)| {
            out.ints([key.series, key.bucket, cell.n]);
            out.float(cell.count);
            out.float(cell.sum);
            out.some(cell.min);
            out.some(cell.max);
        });
        self.all(metrics.bins(LEVELS[0]), |out, (key, count)| {
            out.ints([key.series, key.bucket, key.bin.into()]);
            out.float(*count);
        });
    }

    pub(super) fn readings(&mut self, readings: &[Reading]) {
        self.int(readings.len() as i64);
        for Reading { owner, point } in readings {
            self.ints([owner.series, owner.process, point.start, point.ts]);
            self.float(point.count);
            self.float(point.sum);
            self.int(point.bins.len() as i64);
            for (bin, count) in &point.bins {
                self.int((*bin).into());
                self.float(*count);
            }
        }
    }

    pub(super) fn some(&mut self, number: Option<f64>) {
        self.int(number.is_some().into());
        if let Some(number) = number {
            self.float(number);
        }
    }
}

impl Reader<'_> {
    pub(super) fn metrics(&mut self, metrics: &mut MetricRollup) -> Option<()> {
        self.all(|from| {
            let [series, bucket, n] = from.ints()?;
            let cell = MetricCell {
                n,
                count: from.float()?,
                sum: from.float()?,
                min: from.some()?,
                max: from.some()?,
            };
            metrics.put_cell(MetricKey { series, bucket }, &cell);
            Some(())
        })?;
        self.all(|from| {
            let [series, bucket, bin] = from.ints()?;
            let key = MetricBinKey {
                series,
                bucket,
                bin: bin.try_into().ok()?,
            };
            metrics.put_bin(key, from.float()?);
            Some(())
        })
    }

    pub(super) fn readings(&mut self, readings: &mut Vec<Reading>) -> Option<()> {
        self.all(|from| {
            let [series, process, start, ts] = from.ints()?;
            let (count, sum) = (from.float()?, from.float()?);
            let mut bins = Vec::new();
            from.all(|from| {
                let bin: i32 = from.int()?.try_into().ok()?;
                bins.push((bin, from.float()?));
                Some(())
            })?;
            readings.push(Reading {
                owner: Owner { series, process },
                point: Point {
                    start,
                    ts,
                    count,
                    sum,
                    bins,
                },
            });
            Some(())
        })
    }

    pub(super) fn some(&mut self) -> Option<Option<f64>> {
        match self.int()? {
            0 => Some(None),
            1 => self.float().map(Some),
            _ => None,
        }
    }
}
