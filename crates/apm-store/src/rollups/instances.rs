//! Rows of the rollups of instances.

use diesel::{QueryResult, SqliteConnection};

use super::all;
use crate::insert::row;
use crate::rollup::InstanceSeries;

/// Writes one level.
pub(super) fn add(
    conn: &mut SqliteConnection,
    instances: &InstanceSeries,
    level: i64,
) -> QueryResult<()> {
    all(conn, instances.cells(level), |(key, cell)| {
        let [
            count,
            failed,
            succeeded,
            sum,
            cpu_n,
            cpu_sum,
            machine_n,
            machine_sum,
            memory_n,
            memory_sum,
            used_n,
            used_sum,
        ] = cell.sums;
        InstanceRow {
            level,
            instance_id: key.instance,
            bucket: key.bucket,
            count,
            failed,
            succeeded,
            sum,
            cpu_n,
            cpu_sum,
            machine_n,
            machine_sum,
            memory_n,
            memory_sum,
            used_n,
            used_sum,
            used_min: cell.used.map(|used| used.0),
            used_max: cell.used.map(|used| used.1),
            longest: cell.longest,
        }
    })?;
    all(conn, instances.bins(level), |(key, count)| InstanceBinRow {
        level,
        instance_id: key.instance,
        bucket: key.bucket,
        bin: key.bin,
        count,
    })
}

// `min` and `max` of SQLite are null where one of two values is: the longest of some that are not known is not known.
row! {
    struct InstanceRow in "roll_instance" {
        level: i64,
        instance_id: i64,
        bucket: i64,
        count: f64,
        failed: f64,
        succeeded: f64,
        sum: f64,
        cpu_n: f64,
        cpu_sum: f64,
        machine_n: f64,
        machine_sum: f64,
        memory_n: f64,
        memory_sum: f64,
        used_n: f64,
        used_sum: f64,
        used_min: Option<f64>,
        used_max: Option<f64>,
        longest: Option<i64>,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count, failed = failed + excluded.failed, \
        succeeded = succeeded + excluded.succeeded, sum = sum + excluded.sum, cpu_n = cpu_n + excluded.cpu_n, \
        cpu_sum = cpu_sum + excluded.cpu_sum, machine_n = machine_n + excluded.machine_n, \
        machine_sum = machine_sum + excluded.machine_sum, memory_n = memory_n + excluded.memory_n, \
        memory_sum = memory_sum + excluded.memory_sum, used_n = used_n + excluded.used_n, \
        used_sum = used_sum + excluded.used_sum, \
        used_min = coalesce(min(used_min, excluded.used_min), used_min, excluded.used_min), \
        used_max = coalesce(max(used_max, excluded.used_max), used_max, excluded.used_max), \
        longest = CASE WHEN count = 0 THEN excluded.longest WHEN excluded.count = 0 THEN longest \
        ELSE max(longest, excluded.longest) END"
}

row! {
    struct InstanceBinRow in "roll_instance_hist" {
        level: i64,
        instance_id: i64,
        bucket: i64,
        bin: i32,
        count: f64,
    } then "ON CONFLICT DO UPDATE SET count = count + excluded.count" once [level, bucket]
}
