//! Adds what a batch counted to the rollup tables, in the same commit as the rows.

mod instances;
mod metrics;

use diesel::{QueryResult, SqliteConnection};

use super::insert::{Row, Rows, row};
use crate::rollup::{
    BinKey, CallKey, Cell, CellKey, CostSeries, EventCounts, LEVELS, Rollup, Series,
};

/// The levels to write.
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
        cost(conn, &rollup.cost, level)?;
        series::<DestinationCell, DestinationBin>(conn, &rollup.destination, level)?;
        all(conn, rollup.calls.cells(level), |(key, cell)| {
            Call::new(level, key, cell)
        })?;
        all(conn, rollup.vitals.bins(level), |(key, count)| VitalBin {
            level,
            group_id: key.group,
            bucket: key.bucket,
            vital: key.vital,
            rating: key.rating,
            bin: key.bin,
            count,
        })?;
        instances::add(conn, &rollup.instances, level)?;
        for metrics in [&rollup.metrics, &rollup.grown] {
            metrics::add(conn, metrics, level)?;
        }
        all(conn, rollup.errors(level), |((group, bucket), n)| {
            ErrorCount {
                level,
                group_id: group,
                bucket,
                n,
            }
        })?;
        all(conn, rollup.breakdown(level), |(key, (count, sum))| {
            SelfTime {
                level,
                tx_group_id: key.tx_group,
                bucket: key.bucket,
                span_type: key.span_type,
                subtype: key.subtype,
                count,
                sum,
            }
        })?;
        // Retention deletes a bucket by the time of its last arrival, not by its own time.
        all(conn, rollup.buckets(level), |bucket| Received {
            level,
            bucket,
            received,
        })?;
    }
    Ok(())
}

/// Writes how many events came, on all levels.
pub(super) fn add_events(conn: &mut SqliteConnection, events: &EventCounts) -> QueryResult<()> {
    for level in LEVELS {
        all(conn, events.of_level(level), |(key, n)| EventCount {
            level,
            kind: key.kind,
            bucket: key.bucket,
            service_id: key.service,
            outcome: key.outcome,
            n,
        })?;
    }
    Ok(())
}

/// Notes minutes that the coarser levels lack.
pub(super) fn add_behind(
    conn: &mut SqliteConnection,
    minutes: impl Iterator<Item = i64>,
) -> QueryResult<()> {
    all(conn, minutes.collect(), |bucket| Behind { bucket })
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

fn cost(conn: &mut SqliteConnection, cost: &CostSeries, level: i64) -> QueryResult<()> {
    all(conn, cost.cells(level), |(key, cell)| StatementCost {
        level,
        statement_id: key.statement,
        bucket: key.bucket,
        measured: cell.measured,
        steps: cell.steps,
        steps_max: cell.steps_max,
        scan_steps: cell.scan_steps,
        sorts: cell.sorts,
        autoindex_steps: cell.autoindex_steps,
        reprepares: cell.reprepares,
        rows_returned: cell.rows_returned,
        changing: cell.changing,
        rows_changed: cell.rows_changed,
        pages_read: cell.pages_read,
        pages_written: cell.pages_written,
    })?;
    all(conn, cost.bins(level), |(key, count)| StepsBin {
        level,
        statement_id: key.statement,
        bucket: key.bucket,
        bin: key.bin,
        count,
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

/// A row of one of the tables that hold cells, and of one that holds bins; `id`: whose they are.
macro_rules! series_rows {
    ($cell:ident in $cells:literal, $bin:ident in $bins:literal, $id:ident $(, $result:ident)?) => {
        row! {
            struct $cell in $cells {
                level: i64, $id: i64, bucket: i64, $($result: i64,)? outcome: i32,
                count: f64, n: i64, sum: f64, max: i64,
            } then "ON CONFLICT DO UPDATE SET count = count + excluded.count, n = n + excluded.n, \
                sum = sum + excluded.sum, max = max(max, excluded.max)" once [level, bucket]
        }

        impl From<(i64, CellKey, Cell)> for $cell {
            fn from((level, key, cell): (i64, CellKey, Cell)) -> Self {
                Self {
                    level,
                    $id: key.id,
                    bucket: key.bucket,
                    $($result: key.result,)?
                    outcome: key.outcome,
                    count: cell.count,
                    n: cell.n,
                    sum: cell.sum,
                    max: cell.max,
                }
            }
        }

        row! {
            struct $bin in $bins {
                level: i64, $id: i64, bucket: i64, outcome: i32, bin: i32, count: f64,
            } then "ON CONFLICT DO UPDATE SET count = count + excluded.count" once [level, bucket]
        }

        impl From<(i64, BinKey, f64)> for $bin {
            fn from((level, key, count): (i64, BinKey, f64)) -> Self {
                Self {
                    level,
                    $id: key.id,
                    bucket: key.bucket,
                    outcome: key.outcome,
                    bin: key.bin,
                    count,
                }
            }
        }
    };
}

series_rows! { TxCell in "roll_tx", TxBin in "roll_tx_hist", group_id, result_id }
series_rows! { StatementCell in "roll_statement", StatementBin in "roll_statement_hist", statement_id }
series_rows! { DestinationCell in "roll_destination", DestinationBin in "roll_destination_hist", destination_id }

row! {
    struct StatementCost in "roll_statement_cost" {
        level: i64,
        statement_id: i64,
        bucket: i64,
        measured: f64,
        steps: f64,
        steps_max: i64,
        scan_steps: f64,
        sorts: f64,
        autoindex_steps: f64,
        reprepares: f64,
        rows_returned: f64,
        changing: f64,
        rows_changed: f64,
        pages_read: f64,
        pages_written: f64,
    } then "ON CONFLICT DO UPDATE SET measured = measured + excluded.measured, steps = steps + excluded.steps, \
        steps_max = max(steps_max, excluded.steps_max), scan_steps = scan_steps + excluded.scan_steps, \
        sorts = sorts + excluded.sorts, autoindex_steps = autoindex_steps + excluded.autoindex_steps, \
        reprepares = reprepares + excluded.reprepares, rows_returned = rows_returned + excluded.rows_returned, \
        changing = changing + excluded.changing, rows_changed = rows_changed + excluded.rows_changed, \
        pages_read = pages_read + excluded.pages_read, pages_written = pages_written + excluded.pages_written"
}

row! {
    struct StepsBin in "roll_statement_steps" {
        level: i64,
        statement_id: i64,
        bucket: i64,
        bin: i32,
        count: f64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count" once [level, bucket]
}

row! {
    struct Call in "roll_call" {
        level: i64,
        destination_id: i64,
        bucket: i64,
        callee_id: i64,
        outcome: i32,
        count: f64,
        n: i64,
        sum: f64,
        max: i64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count, n = n + excluded.n, \
        sum = sum + excluded.sum, max = max(max, excluded.max)"
}

impl Call {
    fn new(level: i64, key: CallKey, cell: Cell) -> Self {
        Self {
            level,
            destination_id: key.destination,
            bucket: key.bucket,
            callee_id: key.callee,
            outcome: key.outcome,
            count: cell.count,
            n: cell.n,
            sum: cell.sum,
            max: cell.max,
        }
    }
}

row! {
    struct VitalBin in "roll_vital" {
        level: i64,
        group_id: i64,
        bucket: i64,
        vital: i32,
        rating: i32,
        bin: i32,
        count: f64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count"
}

row! {
    struct ErrorCount in "roll_error" {
        level: i64,
        group_id: i64,
        bucket: i64,
        n: i64,
    } then "ON CONFLICT DO UPDATE SET n = n + excluded.n"
}

row! {
    struct SelfTime in "roll_breakdown" {
        level: i64,
        tx_group_id: i64,
        bucket: i64,
        span_type: String,
        subtype: String,
        count: f64,
        sum: f64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum"
}

row! {
    struct Received in "roll_received" {
        level: i64,
        bucket: i64,
        received: i64,
    } then "ON CONFLICT DO UPDATE SET received = max(received, excluded.received)"
}

row! {
    struct Behind in "roll_behind" {
        bucket: i64,
    } then "ON CONFLICT DO NOTHING"
}

row! {
    struct EventCount in "event_count" {
        level: i64,
        kind: i32,
        bucket: i64,
        service_id: i64,
        outcome: i32,
        n: i64,
    } then "ON CONFLICT DO UPDATE SET n = n + excluded.n"
}
