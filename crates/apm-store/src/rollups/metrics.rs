//! Rows of the rollups of metrics.

use diesel::{QueryResult, SqliteConnection};

use super::all;
use crate::insert::row;
use crate::rollup::MetricRollup;

/// Writes one level.
pub(super) fn add(
    conn: &mut SqliteConnection,
    metrics: &MetricRollup,
    level: i64,
) -> QueryResult<()> {
    all(conn, metrics.cells(level), |(key, cell)| MetricCellRow {
        level,
        series_id: key.series,
        bucket: key.bucket,
        n: cell.n,
        count: cell.count,
        sum: cell.sum,
        min: cell.min,
        max: cell.max,
    })?;
    all(conn, metrics.bins(level), |(key, count)| MetricBinRow {
        level,
        series_id: key.series,
        bucket: key.bucket,
        bin: key.bin,
        count,
    })
}

// `min` and `max` of SQLite are null where one of two values is.
row! {
    struct MetricCellRow in "roll_metric" {
        level: i64,
        series_id: i64,
        bucket: i64,
        n: i64,
        count: f64,
        sum: f64,
        min: Option<f64>,
        max: Option<f64>,
    } then "ON CONFLICT DO UPDATE SET n = n + excluded.n, count = count + excluded.count, \
        sum = sum + excluded.sum, min = coalesce(min(min, excluded.min), min, excluded.min), \
        max = coalesce(max(max, excluded.max), max, excluded.max)" once [level, bucket]
}

row! {
    struct MetricBinRow in "roll_metric_hist" {
        level: i64,
        series_id: i64,
        bucket: i64,
        bin: i32,
        count: f64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count" once [level, bucket]
}
