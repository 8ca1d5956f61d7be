//! Counts by minute, and what is counted behind the intake.

use diesel::QueryResult;

use super::super::delta::{self, Delta};
use super::super::names::Table;
use super::Packer;
use super::behind::{CallerRow, ErrorVersionRow};
use crate::rollup::{BinKey, Cell, CellKey, LEVELS, Rollup, Series};

impl Packer<'_> {
    pub(super) fn rollup(&mut self, rollup: &Rollup) -> QueryResult<()> {
        let level = LEVELS[0];
        self.series(Table::Transaction, &rollup.tx, |delta| {
            (&mut delta.tx, &mut delta.tx_bins)
        })?;
        self.series(Table::Statement, &rollup.statement, |delta| {
            (&mut delta.statement, &mut delta.statement_bins)
        })?;
        self.series(Table::Destination, &rollup.destination, |delta| {
            (&mut delta.destination, &mut delta.destination_bins)
        })?;
        for (key, cell) in rollup.cost.cells(level) {
            if let Some(at) = self.row(Table::Statement, key.statement)? {
                let row = (at, key.bucket, cell.steps_max, cell.sums().to_vec());
                self.delta.cost.push(row);
            }
        }
        for (key, count) in rollup.cost.bins(level) {
            if let Some(at) = self.row(Table::Statement, key.statement)? {
                let row = (at, key.bucket, key.bin, count);
                self.delta.cost_bins.push(row);
            }
        }
        for (key, cell) in rollup.calls.cells(level) {
            let Some(at) = self.row(Table::Destination, key.destination)? else {
                continue;
            };
            if let Some(callee) = self.place(Table::Service, key.callee)? {
                let Cell { count, n, sum, max } = cell;
                let row = (at, callee, key.bucket, key.outcome, count, n, sum, max);
                self.delta.calls.push(row);
            }
        }
        for (key, count) in rollup.vitals.bins(level) {
            if let Some(at) = self.row(Table::Transaction, key.group)? {
                let row = (at, key.bucket, key.vital, key.rating, key.bin, count);
                self.delta.vitals.push(row);
            }
        }
        for ((group, bucket), n) in rollup.errors(level) {
            if let Some(at) = self.row(Table::Error, group)? {
                self.delta.error.push((at, bucket, n));
            }
        }
        for (key, (count, sum)) in rollup.breakdown(level) {
            if let Some(at) = self.row(Table::Transaction, key.tx_group)? {
                let row = (at, key.bucket, key.span_type, key.subtype, count, sum);
                self.delta.breakdown.push(row);
            }
        }
        self.instances(rollup)?;
        self.metrics(rollup)
    }

    fn series(
        &mut self,
        table: Table,
        series: &Series,
        rows: impl Fn(&mut Delta) -> (&mut Vec<delta::Cell>, &mut Vec<delta::Bin>),
    ) -> QueryResult<()> {
        for (key, cell) in series.cells(LEVELS[0]) {
            let CellKey {
                id,
                bucket,
                result,
                outcome,
            } = key;
            let Some(at) = self.row(table, id)? else {
                continue;
            };
            let result = match result {
                0 => 0,
                // A result whose name is gone counts as none: the request itself is still one.
                result => self
                    .place(Table::Result, result)?
                    .map_or(0, |place| place + 1),
            };
            let Cell { count, n, sum, max } = cell;
            rows(&mut self.delta)
                .0
                .push((at, bucket, result, outcome, count, n, sum, max));
        }
        for (key, count) in series.bins(LEVELS[0]) {
            let BinKey {
                id,
                bucket,
                outcome,
                bin,
            } = key;
            if let Some(at) = self.row(table, id)? {
                rows(&mut self.delta)
                    .1
                    .push((at, bucket, outcome, bin, count));
            }
        }
        Ok(())
    }

    fn instances(&mut self, rollup: &Rollup) -> QueryResult<()> {
        for (key, cell) in rollup.instances.cells(LEVELS[0]) {
            if let Some(at) = self.row(Table::Instance, key.instance)? {
                let mut sums = cell.sums.to_vec();
                sums.extend(cell.longest.map(|longest| longest as f64));
                self.delta.instance.push((at, key.bucket, sums, cell.used));
            }
        }
        for (key, count) in rollup.instances.bins(LEVELS[0]) {
            if let Some(at) = self.row(Table::Instance, key.instance)? {
                let row = (at, key.bucket, key.bin, count);
                self.delta.instance_bins.push(row);
            }
        }
        Ok(())
    }

    pub(super) fn caller(&mut self, caller: &CallerRow) -> QueryResult<()> {
        let Some(transaction) = self.row(Table::Transaction, caller.tx_group_id)? else {
            return Ok(());
        };
        let statement = match caller.statement_id {
            0 => 0,
            id => match self.place(Table::Statement, id)? {
                Some(place) => place + 1,
                None => return Ok(()),
            },
        };
        self.delta.callers.push(delta::Caller {
            transaction,
            statement,
            minute: caller.bucket,
            requests: caller.requests,
            follows: caller.follows,
            sums: [
                caller.calls,
                caller.most,
                caller.sum,
                caller.tx_sum,
                caller.looped,
            ],
            trace: caller.trace_id.to_string(),
        });
        Ok(())
    }

    pub(super) fn error_version(&mut self, row: ErrorVersionRow) -> QueryResult<()> {
        if let Some(at) = self.row(Table::Error, row.group_id)? {
            self.bytes += row.version.len();
            let row = (at, row.version, row.first_ts, row.last_ts, row.occurrences);
            self.delta.error_versions.push(row);
        }
        Ok(())
    }
}
