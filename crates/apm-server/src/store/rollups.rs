//! Adds what a batch counted to the rollup tables, in the same commit as the rows.

use diesel::sql_types::{BigInt, Double, Integer, Text};
use diesel::{QueryResult, SqliteConnection};

use super::insert::{Row, Rows, Values};
use crate::rollup::{BinKey, BreakdownKey, Cell, CellKey, LEVELS, Rollup, Series};

/// Which levels to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Levels {
    /// The finest one.
    Minute,
    /// All others.
    Coarse,
}

/// Writes what was counted. `received`: when the last of it arrived, seconds since the epoch.
pub(super) fn add(
    conn: &mut SqliteConnection,
    rollup: &Rollup,
    received: i64,
    levels: Levels,
) -> QueryResult<()> {
    let levels = match levels {
        Levels::Minute => &LEVELS[..1],
        Levels::Coarse => &LEVELS[1..],
    };
    for level in levels.iter().copied() {
        series::<TxCell, TxBin>(conn, &rollup.tx, level)?;
        series::<StatementCell, StatementBin>(conn, &rollup.statement, level)?;
        series::<DestinationCell, DestinationBin>(conn, &rollup.destination, level)?;
        all(conn, rollup.errors(level), |((group, bucket), n)| {
            ErrorCount {
                level,
                group,
                bucket,
                n,
            }
        })?;
        all(conn, rollup.breakdown(level), |(key, (count, sum))| {
            SelfTime {
                level,
                key,
                count,
                sum,
            }
        })?;
        all(conn, rollup.buckets(level), |bucket| Received {
            level,
            bucket,
            received,
        })?;
    }
    Ok(())
}

/// Notes minutes that the coarser levels lack.
pub(super) fn add_behind(
    conn: &mut SqliteConnection,
    minutes: impl Iterator<Item = i64>,
) -> QueryResult<()> {
    all(conn, minutes.collect(), Behind)
}

fn series<C, B>(conn: &mut SqliteConnection, series: &Series, level: i64) -> QueryResult<()>
where
    C: Row + From<(i64, CellKey, Cell)>,
    B: Row + From<(i64, BinKey, f64)>,
{
    all(conn, series.cells(level), |(key, cell)| {
        C::from((level, key, cell))
    })?;
    all(conn, series.bins(level), |(key, count)| {
        B::from((level, key, count))
    })
}

fn all<T, R: Row>(
    conn: &mut SqliteConnection,
    items: Vec<T>,
    row: impl Fn(T) -> R,
) -> QueryResult<()> {
    let mut rows = Rows::new();
    for item in items {
        rows.push(conn, row(item))?;
    }
    rows.flush(conn)
}

/// A row of one of the tables that hold cells, and of one that holds bins.
macro_rules! series_rows {
    ($cell:ident: $cell_into:literal, $cell_then:literal, $with_result:literal; $bin:ident: $bin_into:literal, $bin_then:literal) => {
        #[derive(Debug)]
        struct $cell {
            level: i64,
            key: CellKey,
            cell: Cell,
        }

        impl From<(i64, CellKey, Cell)> for $cell {
            fn from((level, key, cell): (i64, CellKey, Cell)) -> Self {
                Self { level, key, cell }
            }
        }

        impl Row for $cell {
            type Statement = Self;
            const INTO: &'static str = $cell_into;
            const THEN: &'static str = $cell_then;

            fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
                values.push::<BigInt, _>(&self.level)?;
                values.push::<BigInt, _>(&self.key.id)?;
                values.push::<BigInt, _>(&self.key.bucket)?;
                if $with_result {
                    values.push::<BigInt, _>(&self.key.result)?;
                }
                values.push::<Integer, _>(&self.key.outcome)?;
                values.push::<Double, _>(&self.cell.count)?;
                values.push::<BigInt, _>(&self.cell.n)?;
                values.push::<Double, _>(&self.cell.sum)?;
                values.push::<BigInt, _>(&self.cell.max)
            }
        }

        #[derive(Debug)]
        struct $bin {
            level: i64,
            key: BinKey,
            count: f64,
        }

        impl From<(i64, BinKey, f64)> for $bin {
            fn from((level, key, count): (i64, BinKey, f64)) -> Self {
                Self { level, key, count }
            }
        }

        impl Row for $bin {
            type Statement = Self;
            const INTO: &'static str = $bin_into;
            const THEN: &'static str = $bin_then;

            fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
                values.push::<BigInt, _>(&self.level)?;
                values.push::<BigInt, _>(&self.key.id)?;
                values.push::<BigInt, _>(&self.key.bucket)?;
                values.push::<Integer, _>(&self.key.outcome)?;
                values.push::<Integer, _>(&self.key.bin)?;
                values.push::<Double, _>(&self.count)
            }
        }
    };
}

series_rows! {
    TxCell:
        "INSERT OR FAIL INTO roll_tx (level, group_id, bucket, result_id, outcome, count, n, sum, max) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count, n = n + excluded.n, sum = sum + excluded.sum, \
         max = max(max, excluded.max)",
        true;
    TxBin:
        "INSERT OR FAIL INTO roll_tx_hist (level, group_id, bucket, outcome, bin, count) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count"
}

series_rows! {
    StatementCell:
        "INSERT OR FAIL INTO roll_statement (level, statement_id, bucket, outcome, count, n, sum, max) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count, n = n + excluded.n, sum = sum + excluded.sum, \
         max = max(max, excluded.max)",
        false;
    StatementBin:
        "INSERT OR FAIL INTO roll_statement_hist (level, statement_id, bucket, outcome, bin, count) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count"
}

series_rows! {
    DestinationCell:
        "INSERT OR FAIL INTO roll_destination (level, destination_id, bucket, outcome, count, n, sum, max) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count, n = n + excluded.n, sum = sum + excluded.sum, \
         max = max(max, excluded.max)",
        false;
    DestinationBin:
        "INSERT OR FAIL INTO roll_destination_hist (level, destination_id, bucket, outcome, bin, count) VALUES",
        "ON CONFLICT DO UPDATE SET count = count + excluded.count"
}

#[derive(Debug)]
struct ErrorCount {
    level: i64,
    group: i64,
    bucket: i64,
    n: i64,
}

impl Row for ErrorCount {
    type Statement = Self;
    const INTO: &'static str = "INSERT OR FAIL INTO roll_error (level, group_id, bucket, n) VALUES";
    const THEN: &'static str = "ON CONFLICT DO UPDATE SET n = n + excluded.n";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.level)?;
        values.push::<BigInt, _>(&self.group)?;
        values.push::<BigInt, _>(&self.bucket)?;
        values.push::<BigInt, _>(&self.n)
    }
}

#[derive(Debug)]
struct SelfTime {
    level: i64,
    key: BreakdownKey,
    count: f64,
    sum: f64,
}

impl Row for SelfTime {
    type Statement = Self;
    const INTO: &'static str = "INSERT OR FAIL INTO roll_breakdown (level, tx_group_id, bucket, span_type, subtype, count, sum) VALUES";
    const THEN: &'static str =
        "ON CONFLICT DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.level)?;
        values.push::<BigInt, _>(&self.key.tx_group)?;
        values.push::<BigInt, _>(&self.key.bucket)?;
        values.push::<Text, _>(&self.key.span_type)?;
        values.push::<Text, _>(&self.key.subtype)?;
        values.push::<Double, _>(&self.count)?;
        values.push::<Double, _>(&self.sum)
    }
}

#[derive(Debug)]
struct Received {
    level: i64,
    bucket: i64,
    received: i64,
}

impl Row for Received {
    type Statement = Self;
    const INTO: &'static str = "INSERT OR FAIL INTO roll_received (level, bucket, received) VALUES";
    const THEN: &'static str =
        "ON CONFLICT DO UPDATE SET received = max(received, excluded.received)";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.level)?;
        values.push::<BigInt, _>(&self.bucket)?;
        values.push::<BigInt, _>(&self.received)
    }
}

#[derive(Debug)]
struct Behind(i64);

impl Row for Behind {
    type Statement = Self;
    const INTO: &'static str = "INSERT OR IGNORE INTO roll_behind (bucket) VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.0)
    }
}
