//! Deletes that stay in their place: ranges of the newest-last tables, buckets of the rollups.

use std::time::Instant;

use apm_time::now;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{delete, sql_query};

use super::super::block::SLOTS;
use super::super::kept;
use super::super::number::number;
use super::super::schema::{block, event_count, metric_series, metricset, roll_received, trace_at};
use super::super::statement::Run as _;
use super::super::trace_index;

/// Keys of `trace_at` per step.
const KEYS: i64 = 20_000;

/// A bucket of the callers.
#[derive(QueryableByName)]
struct Bucket {
    #[diesel(sql_type = BigInt)]
    level: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
}

/// Deletes the counts of which nothing is left.
pub(super) fn forget_counts(conn: &mut SqliteConnection) -> QueryResult<()> {
    delete(event_count::table.filter(event_count::n.eq(0)))
        .run(conn)
        .map(drop)
}

/// Adds the events of a range to the counts, `times` times.
pub(super) fn count(
    conn: &mut SqliteConnection,
    first: i64,
    last: i64,
    times: i64,
) -> QueryResult<()> {
    sql_query(include_str!("count.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(times)
        .run(conn)
        .map(drop)
}

/// Numbers as a list of JSON.
pub(super) fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers
        .into_iter()
        .map(|number| number.to_string())
        .collect();
    format!("[{}]", numbers.join(","))
}

/// Deletes the rows of the events of a range, but for those whose numbers are in a list of JSON.
pub(super) fn events(
    conn: &mut SqliteConnection,
    first: i64,
    last: i64,
    stay: &str,
) -> QueryResult<()> {
    samples(conn, first, last)?;
    for table in ["tx", "span_row", "error", "log", "metricset", "sent_time"] {
        sql_query(format!(
            "DELETE FROM {table} WHERE seq BETWEEN ?1 AND ?2 AND seq NOT IN (SELECT value FROM json_each(?3))"
        ))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .bind::<Text, _>(stay)
        .run(conn)?;
    }
    shared_ids(conn, first, last)
}

/// Deletes the ids of a range of whole blocks that no span shares any more.
pub(super) fn shared_ids(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<()> {
    sql_query(
        "DELETE FROM span_trace WHERE id BETWEEN ?1 AND ?2 AND id NOT IN ( \
            SELECT seq / 128 * 128 + transaction_id FROM span_row WHERE seq BETWEEN ?1 AND ?2 AND trace_id = x'')",
    )
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(last)
    .run(conn)
    .map(drop)
}

/// The samples of a range of metricsets, which are kept by name and not by number: a probe per metricset and name, or
/// where there are many names a look per name at the time that the metricsets span.
fn samples(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<()> {
    const BY_METRICSET: &str = include_str!("delete/samples_by_metricset.sql");
    const BY_NAME: &str = include_str!("delete/samples_by_name.sql");
    let any: Option<i64> = metricset::table
        .filter(metricset::seq.between(first, last))
        .select(metricset::seq)
        .get_result(conn)
        .optional()?;
    if any.is_none() {
        return Ok(());
    }
    let names = "SELECT count(*) AS n FROM (SELECT 1 FROM metric_name LIMIT 1000)";
    let which = if number(conn, names)? < 1000 {
        BY_METRICSET
    } else {
        BY_NAME
    };
    sql_query(format!(
        "DELETE FROM metric_sample WHERE (service_id, name_id, ts, seq) IN ({which})"
    ))
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(last)
    .run(conn)?;
    Ok(())
}

/// The key from which on trace keys are needed: that of the oldest segment that has a block left.
fn first_needed_key(conn: &mut SqliteConnection) -> QueryResult<i64> {
    let whole = kept::first_whole_block(conn)?;
    let oldest: Option<i64> = block::table
        .filter(block::id.ge(whole))
        .order(block::id.asc())
        .select(block::id)
        .get_result(conn)
        .optional()?;
    Ok(oldest.map_or(i64::MAX, |block| {
        trace_index::first_key(trace_index::segment(block * SLOTS))
    }))
}

/// Whether there are trace keys of segments that have no block left.
pub(super) fn has_stale_keys(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let end = first_needed_key(conn)?;
    let first: Option<i64> = trace_at::table
        .filter(trace_at::key.ge(0))
        .order(trace_at::key.asc())
        .select(trace_at::key)
        .get_result(conn)
        .optional()?;
    Ok(first.is_some_and(|first| first < end))
}

/// Deletes trace keys of segments that have no block left; whether there are more of them.
pub(super) fn trace_keys(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let end = first_needed_key(conn)?;
    let step_end = format!(
        "SELECT coalesce((SELECT key FROM trace_at WHERE key >= 0 ORDER BY key LIMIT 1 OFFSET {KEYS}), {}) AS n",
        i64::MAX
    );
    let until = number(conn, &step_end)?.min(end);
    delete(trace_at::table.filter(trace_at::key.ge(0).and(trace_at::key.lt(until)))).run(conn)?;
    Ok(until < end)
}

/// Deletes the trace keys of the oldest segment whose blocks are gone: reads the whole segment, some 10 ms.
pub(super) fn trim_trace_keys(conn: &mut SqliteConnection, oldest: i64) -> QueryResult<()> {
    let segment = trace_index::segment(oldest * SLOTS);
    let keys = trace_at::key
        .ge(trace_index::first_key(segment))
        .and(trace_at::key.lt(trace_index::first_key(segment + 1)));
    delete(
        trace_at::table
            .filter(keys)
            .filter(trace_at::block.lt(oldest)),
    )
    .run(conn)?;
    Ok(())
}

/// Deletes the oldest callers of the level whose oldest bucket ended first; returns how many are gone.
pub(super) fn callers(conn: &mut SqliteConnection, count: i64) -> QueryResult<usize> {
    let gone: Vec<Bucket> = sql_query(
        "DELETE FROM roll_caller WHERE (level, bucket, tx_group_id, statement_id) IN ( \
            SELECT r.level, r.bucket, r.tx_group_id, r.statement_id FROM roll_caller r \
            WHERE r.level = (SELECT l.value FROM json_each('[60, 600, 3600]') l \
                ORDER BY (SELECT min(bucket) + level FROM roll_caller WHERE level = l.value) NULLS LAST LIMIT 1) \
            ORDER BY r.bucket, r.tx_group_id, r.statement_id LIMIT +?) \
        RETURNING level, bucket",
    )
    .bind::<BigInt, _>(count)
    .load(conn)?;
    let mut buckets: Vec<(i64, i64)> = gone.iter().map(|row| (row.level, row.bucket)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    for (level, bucket) in buckets {
        sql_query("DELETE FROM roll_caller_written WHERE level = ? AND bucket = ?")
            .bind::<BigInt, _>(level)
            .bind::<BigInt, _>(bucket)
            .run(conn)?;
        // Of the last bucket, some may be left.
        sql_query(
            "INSERT INTO roll_caller_written \
             SELECT level, bucket, ? FROM roll_caller WHERE level = ? AND bucket = ? LIMIT 1",
        )
        .bind::<BigInt, _>(now())
        .bind::<BigInt, _>(level)
        .bind::<BigInt, _>(bucket)
        .run(conn)?;
    }
    Ok(gone.len())
}

/// Deletes rollup buckets until the deadline; returns how many are gone.
pub(super) fn rollups(
    conn: &mut SqliteConnection,
    buckets: &[(i32, i64)],
    deadline: Instant,
) -> QueryResult<usize> {
    /// Each table is led by its level and its id: a probe per id.
    const TABLES: [(&str, &str, &str); 16] = [
        ("roll_tx", "group_id", "tx_group"),
        ("roll_tx_hist", "group_id", "tx_group"),
        ("roll_statement", "statement_id", "statement"),
        ("roll_statement_hist", "statement_id", "statement"),
        ("roll_statement_cost", "statement_id", "statement"),
        ("roll_statement_steps", "statement_id", "statement"),
        ("roll_destination", "destination_id", "destination"),
        ("roll_destination_hist", "destination_id", "destination"),
        ("roll_call", "destination_id", "destination"),
        ("roll_error", "group_id", "error_group"),
        ("roll_breakdown", "tx_group_id", "tx_group"),
        ("roll_vital", "group_id", "tx_group"),
        ("roll_metric", "series_id", "metric_series"),
        ("roll_metric_hist", "series_id", "metric_series"),
        ("roll_instance", "instance_id", "instance"),
        ("roll_instance_hist", "instance_id", "instance"),
    ];
    for (gone, (level, bucket)) in buckets.iter().enumerate() {
        // At least one bucket goes, however slow the disk is, or a step would never get on.
        if gone > 0 && Instant::now() >= deadline {
            return Ok(gone);
        }
        for (table, id, of) in TABLES {
            sql_query(format!(
                "DELETE FROM {table} WHERE level = ? AND {id} IN (SELECT id FROM {of}) AND bucket = ?"
            ))
            .bind::<Integer, _>(level)
            .bind::<BigInt, _>(bucket)
            .run(conn)?;
        }
        for table in ["roll_caller", "roll_caller_written"] {
            sql_query(format!(
                "DELETE FROM {table} WHERE level = ? AND bucket = ?"
            ))
            .bind::<Integer, _>(level)
            .bind::<BigInt, _>(bucket)
            .run(conn)?;
        }
        delete(roll_received::table.find((level, bucket))).run(conn)?;
    }
    Ok(buckets.len())
}

/// Deletes instances that were last heard of before a time, with all that was counted of them. Each deployment brings
/// new ones: kept as long as the rollups of services, they would use up the limit of a service within weeks.
///
/// Longer stretches of an instance go with its minutes, so that what is there of a time is there of all its instances.
pub(super) fn instances(conn: &mut SqliteConnection, before: i64) -> QueryResult<()> {
    for table in ["roll_instance", "roll_instance_hist"] {
        sql_query(format!(
            "DELETE FROM {table} WHERE level IN (600, 3600) AND instance_id IN (SELECT id FROM instance) \
             AND bucket < (SELECT min(bucket) / 3600 * 3600 FROM roll_received WHERE level = 60)"
        ))
        .run(conn)?;
        sql_query(format!(
            "DELETE FROM {table} WHERE level IN (60, 600, 3600) \
             AND instance_id IN (SELECT id FROM instance WHERE last_seen < ?)"
        ))
        .bind::<BigInt, _>(before)
        .run(conn)?;
    }
    sql_query("DELETE FROM instance WHERE last_seen < ?")
        .bind::<BigInt, _>(before)
        .run(conn)
        .map(drop)
}

/// Deletes the rows of dictionaries that nothing refers to: last used before `now` and before all that is left.
pub(super) fn unused(conn: &mut SqliteConnection, now: i64) -> QueryResult<()> {
    use super::super::dictionary::HOUR;

    let whole = kept::first_whole_block(conn)?;
    let block = kept::received_since(conn, whole)?;
    let rollup: Option<i64> = roll_received::table
        .select(diesel::dsl::min(roll_received::received))
        .get_result(conn)?;
    // `last_seen` may be an hour behind.
    let events = block.map_or(now, |received| received - 2 * HOUR).min(now);
    let all = rollup
        .map_or(now, |received| received - 2 * HOUR)
        .min(events);
    // The table, its number in `kept_name`, and the time before which it was last used.
    for (table, dictionary, before) in [
        ("stack", 8, events),
        ("span_group", 3, events),
        ("resource", 1, events),
        ("tx_group", 5, all),
        ("statement", 6, all),
        ("destination", 4, all),
        ("error_group", 7, all),
        ("result", 2, all),
    ] {
        sql_query(format!(
            "DELETE FROM {table} WHERE last_seen < ? \
             AND NOT EXISTS (SELECT 1 FROM kept_name k WHERE k.dictionary = ? AND k.id = {table}.id)"
        ))
        .bind::<BigInt, _>(before)
        .bind::<Integer, _>(dictionary)
        .run(conn)?;
    }
    delete(metric_series::table.filter(metric_series::last_seen.lt(all))).run(conn)?;
    // Rollups of its series may outlive its samples.
    sql_query(
        "DELETE FROM metric_name WHERE last_seen < ? AND id NOT IN (SELECT name_id FROM metric_series)",
    )
    .bind::<BigInt, _>(events)
    .run(conn)?;
    // Of a process that has been silent for a day there is nothing to go on from.
    sql_query(
        "DELETE FROM metric_state WHERE ts < ? OR series_id NOT IN (SELECT id FROM metric_series)",
    )
    .bind::<BigInt, _>((now - 24 * HOUR).saturating_mul(1_000_000))
    .run(conn)?;
    // Its hour may have begun before that of one of its names, which is then deleted the next time.
    sql_query(
        "DELETE FROM service WHERE last_seen < ? \
            AND NOT EXISTS (SELECT 1 FROM resource r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM tx_group r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM span_group r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM destination r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM statement r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM error_group r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM metric_series r WHERE r.service_id = service.id) \
            AND NOT EXISTS (SELECT 1 FROM instance r WHERE r.service_id = service.id)",
    )
    .bind::<BigInt, _>(all)
    .run(conn)?;
    Ok(())
}
