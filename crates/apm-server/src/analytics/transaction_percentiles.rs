//! Percentiles of transactions: of their values where they are few and all there, of their histograms where not.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

use super::cache::{Slice, Table};
use super::histograms;
use super::members::Members;
use super::percentile::{ByKey, Percentiles, nearest_rank};
use super::scanned::Scanned;
use super::sql::{Sql, column};

/// A row of every query for exact percentiles.
struct Row {
    id: i64,
    bucket: i64,
    value: i64,
}

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            id: column::<BigInt, _>(row, 0, "id")?,
            bucket: column::<BigInt, _>(row, 1, "bucket")?,
            value: column::<BigInt, _>(row, 2, "value")?,
        })
    }
}

/// Percentiles by key and bucket, of the values themselves; nothing where some of the `least` rows are gone.
fn exact(
    conn: &mut SqliteConnection,
    members: &Members,
    sql: &Sql,
    least: i64,
) -> QueryResult<Option<ByKey>> {
    let rows: Vec<Row> = sql.load(conn)?;
    if (rows.len() as i64) < least {
        return Ok(None);
    }
    let rows = rows.into_iter();
    Ok(Some(ranked(
        members,
        rows.map(|row| (row.id, row.bucket, row.value)),
    )))
}

/// The same of values, each of a group and a bucket.
fn ranked(members: &Members, rows: impl Iterator<Item = (i64, i64, i64)>) -> ByKey {
    let mut values: HashMap<(usize, i64), Vec<i64>> = HashMap::new();
    for (group, bucket, value) in rows {
        if let Some(place) = members.place(group) {
            values.entry((place, bucket)).or_default().push(value);
        }
    }
    let mut found = ByKey::new();
    for ((place, bucket), mut values) in values {
        values.sort_unstable();
        let at = |q| nearest_rank(&values, q).map(|micros| micros as f64);
        let Some(percentiles) = Percentiles::of(at) else {
            continue;
        };
        let key = Arc::clone(&members.keys()[place]);
        found.entry(key).or_default().insert(bucket, percentiles);
    }
    found
}

/// The same of requests that were read one by one.
fn of_requests(
    members: &Members,
    scanned: &Scanned,
    slices: &[Slice],
    interval: Option<i64>,
) -> ByKey {
    let rows = scanned.within(slices, interval);
    let rows = rows.map(|(bucket, row)| (row.group_id, bucket, row.duration));
    ranked(members, rows)
}

/// Percentiles of transactions: of their values where they are few and all there, of their histograms where not.
pub(super) fn read(
    conn: &mut SqliteConnection,
    rows: Option<i64>,
    members: &Members,
    exact: &Sql,
    (slices, interval): (&[Slice], Option<i64>),
) -> QueryResult<ByKey> {
    if let Some(scanned) = members.scanned() {
        return Ok(of_requests(members, scanned, slices, interval));
    }
    if let Some(rows) = rows
        && let Some(found) = self::exact(conn, members, exact, rows)?
    {
        return Ok(found);
    }
    histograms::percentiles(conn, Table::Transactions, members, slices, interval)
}

/// The percentiles of each key in a window, where those within 1 % do: of requests that were read one by one, else of
/// histograms.
pub(super) fn within_one_percent(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    slices: &[Slice],
) -> QueryResult<ByKey> {
    match members.scanned_for(table) {
        Some(scanned) => Ok(of_requests(members, scanned, slices, None)),
        None => histograms::percentiles(conn, table, members, slices, None),
    }
}
