//! Series of metrics, and the readings of what counts from a start.

use diesel::QueryResult;

use super::super::exact::Exact;
use super::super::names::Table;
use super::Packer;
use crate::rollup::{LEVELS, Reading, Rollup};

/// Bytes that a reading counts as for the size of a delta: another server reads and writes a row for each, all of a
/// delta in one commit.
const READING: usize = 256;

/// Bytes of a bar.
const BAR: usize = 16;

impl Packer<'_> {
    pub(super) fn metrics(&mut self, rollup: &Rollup) -> QueryResult<()> {
        for (key, cell) in rollup.metrics.cells(LEVELS[0]) {
            if let Some(at) = self.row(Table::Series, key.series)? {
                let row = (
                    at, key.bucket, cell.n, cell.count, cell.sum, cell.min, cell.max,
                );
                self.delta.metric.push(row);
            }
        }
        for (key, count) in rollup.metrics.bins(LEVELS[0]) {
            if let Some(at) = self.row(Table::Series, key.series)? {
                let row = (at, key.bucket, key.bin, count);
                self.delta.metric_bins.push(row);
            }
        }
        for Reading { owner, point } in &rollup.readings {
            let Some(at) = self.row(Table::Series, owner.series)? else {
                continue;
            };
            self.bytes += READING + point.bins.len() * BAR;
            self.delta.readings.push((
                at,
                owner.process,
                point.start,
                point.ts,
                Exact(point.count),
                Exact(point.sum),
                point.bins.clone(),
            ));
        }
        Ok(())
    }
}
