//! The counts of a commit as bytes: what a commit adds to the rollups can be read again after a crash.
//!
//! Numbers of events ([`super::EventCounts`]) are left out: they are of what is stored here. Of metrics that count from
//! a start there are the readings, and not what they grew by (ADR 456).

mod instances;
mod metrics;

use super::cost::{CostBinKey, CostCell, CostKey};
use super::instances::InstanceSeries;
use super::vitals::VitalKey;
use super::{BinKey, BreakdownKey, CallKey, Cell, CellKey, CostSeries, LEVELS, Rollup, Series};

/// The first byte.
const FORMAT: u8 = 4;

/// Those of earlier versions, which had no longest transactions of instances, no instances, and no metrics either.
const WITHOUT_LONGEST: u8 = 3;
const WITHOUT_INSTANCES: u8 = 2;
const WITHOUT_METRICS: u8 = 1;

impl Rollup {
    /// Appends the counts by minute. Nothing where there are none.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.buckets(LEVELS[0]).is_empty() && self.readings.is_empty() {
            return;
        }
        let out = &mut Writer(out);
        out.0.push(FORMAT);
        // Minutes are enough: the coarser levels are made from them where they are read.
        for series in [&self.tx, &self.statement, &self.destination] {
            out.series(series);
        }
        out.costs(&self.cost);
        out.all(self.calls.cells(LEVELS[0]), |out, (key, cell)| {
            out.ints([key.destination, key.bucket, key.callee, key.outcome.into()]);
            out.cell(cell);
        });
        out.all(self.vitals.bins(LEVELS[0]), |out, (key, count)| {
            out.ints([
                key.group,
                key.bucket,
                key.vital.into(),
                key.rating.into(),
                key.bin.into(),
            ]);
            out.float(*count);
        });
        out.all(self.errors(LEVELS[0]), |out, ((group, bucket), n)| {
            out.ints([*group, *bucket, *n]);
        });
        out.all(self.breakdown(LEVELS[0]), |out, (key, (count, sum))| {
            out.ints([key.tx_group, key.bucket]);
            out.text(&key.span_type);
            out.text(&key.subtype);
            out.float(*count);
            out.float(*sum);
        });
        out.metrics(&self.metrics);
        out.readings(&self.readings);
        out.instances(&self.instances);
        out.longest(&self.instances);
    }

    /// Adds what was written; `None` where the bytes are of no such counts.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let Some((&format, bytes)) = bytes.split_first() else {
            return Some(());
        };
        if !(WITHOUT_METRICS..=FORMAT).contains(&format) {
            return None;
        }
        let from = &mut Reader(bytes);
        from.series(&mut self.tx)?;
        from.series(&mut self.statement)?;
        from.series(&mut self.destination)?;
        from.costs(&mut self.cost)?;
        from.all(|from| {
            let [destination, bucket, callee, outcome] = from.ints()?;
            let key = CallKey {
                destination,
                bucket,
                callee,
                outcome: outcome.try_into().ok()?,
            };
            self.calls.put(key, &from.cell()?);
            Some(())
        })?;
        from.all(|from| {
            let [group, bucket, vital, rating, bin] = from.ints()?;
            let key = VitalKey {
                group,
                bucket,
                vital: vital.try_into().ok()?,
                rating: rating.try_into().ok()?,
                bin: bin.try_into().ok()?,
            };
            self.vitals.put(key, from.float()?);
            Some(())
        })?;
        from.all(|from| {
            let [group, bucket, n] = from.ints()?;
            self.put_errors(group, bucket, n);
            Some(())
        })?;
        from.all(|from| {
            let [tx_group, bucket] = from.ints()?;
            let key = BreakdownKey {
                tx_group,
                bucket,
                span_type: from.text()?,
                subtype: from.text()?,
            };
            self.add_breakdown(key, from.float()?, from.float()?);
            Some(())
        })?;
        if format > WITHOUT_METRICS {
            from.metrics(&mut self.metrics)?;
            from.readings(&mut self.readings)?;
        }
        let mut instances = InstanceSeries::default();
        if format > WITHOUT_INSTANCES {
            from.instances(&mut instances)?;
        }
        if format > WITHOUT_LONGEST {
            from.longest(&mut instances)?;
        }
        self.instances.absorb(&instances);
        // Bytes that are left belong to no list that is known here, so the row is damaged.
        from.0.is_empty().then_some(())
    }
}

/// Writes numbers: small ones take few bytes.
struct Writer<'o>(&'o mut Vec<u8>);

impl Writer<'_> {
    fn all<T>(&mut self, items: Vec<T>, each: impl Fn(&mut Self, &T)) {
        self.int(items.len() as i64);
        for item in &items {
            each(self, item);
        }
    }

    fn series(&mut self, series: &Series) {
        self.all(series.cells(LEVELS[0]), |out, (key, cell)| {
            out.ints([key.id, key.bucket, key.result, key.outcome.into()]);
            out.cell(cell);
        });
        self.all(series.bins(LEVELS[0]), |out, (key, count)| {
            out.ints([key.id, key.bucket, key.outcome.into(), key.bin.into()]);
            out.float(*count);
        });
    }

    fn costs(&mut self, cost: &CostSeries) {
        self.all(cost.cells(LEVELS[0]), |out, (key, cell)| {
            out.ints([key.statement, key.bucket, cell.steps_max]);
            for sum in cell.sums() {
                out.float(sum);
            }
        });
        self.all(cost.bins(LEVELS[0]), |out, (key, count)| {
            out.ints([key.statement, key.bucket, key.bin.into()]);
            out.float(*count);
        });
    }

    fn cell(&mut self, cell: &Cell) {
        self.ints([cell.n, cell.max]);
        self.float(cell.count);
        self.float(cell.sum);
    }

    fn ints<const N: usize>(&mut self, numbers: [i64; N]) {
        for number in numbers {
            self.int(number);
        }
    }

    fn int(&mut self, number: i64) {
        // The sign becomes the lowest bit (zigzag): small numbers of either sign take one byte.
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// Most are whole.
    fn float(&mut self, number: f64) {
        const EXACT: f64 = (1_u64 << 52) as f64;
        if number.fract() == 0.0 && number.abs() < EXACT {
            self.0.push(0);
            self.int(number as i64);
        } else {
            self.0.push(1);
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.int(text.len() as i64);
        self.0.extend_from_slice(text.as_bytes());
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn all(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        // A number that is too large does no harm: each item takes bytes, and the bytes end first.
        for _ in 0..self.int()? {
            each(self)?;
        }
        Some(())
    }

    fn series(&mut self, series: &mut Series) -> Option<()> {
        self.all(|from| {
            let [id, bucket, result, outcome] = from.ints()?;
            let key = CellKey {
                id,
                bucket,
                result,
                outcome: outcome.try_into().ok()?,
            };
            series.put_cell(key, &from.cell()?);
            Some(())
        })?;
        self.all(|from| {
            let [id, bucket, outcome, bin] = from.ints()?;
            let key = BinKey {
                id,
                bucket,
                outcome: outcome.try_into().ok()?,
                bin: bin.try_into().ok()?,
            };
            series.put_bin(key, from.float()?);
            Some(())
        })
    }

    fn costs(&mut self, cost: &mut CostSeries) -> Option<()> {
        self.all(|from| {
            let [statement, bucket, steps_max] = from.ints()?;
            let mut sums = [0.0; CostCell::SUMS];
            for sum in &mut sums {
                *sum = from.float()?;
            }
            let cell = CostCell::from_sums(steps_max, sums);
            cost.put_cell(CostKey { statement, bucket }, &cell);
            Some(())
        })?;
        self.all(|from| {
            let [statement, bucket, bin] = from.ints()?;
            let key = CostBinKey {
                statement,
                bucket,
                bin: bin.try_into().ok()?,
            };
            cost.put_bin(key, from.float()?);
            Some(())
        })
    }

    fn cell(&mut self) -> Option<Cell> {
        let [n, max] = self.ints()?;
        Some(Cell {
            count: self.float()?,
            n,
            sum: self.float()?,
            max,
        })
    }

    fn ints<const N: usize>(&mut self) -> Option<[i64; N]> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.int()?;
        }
        Some(numbers)
    }

    fn int(&mut self) -> Option<i64> {
        let mut number = 0_u64;
        // Seven bits a byte, the lowest first; the highest bit says that another byte follows.
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        None
    }

    fn float(&mut self) -> Option<f64> {
        let (&kind, rest) = self.0.split_first()?;
        self.0 = rest;
        if kind == 0 {
            return self.int().map(|number| number as f64);
        }
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.int()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests;
