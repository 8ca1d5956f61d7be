//! Numbers of many keys at once, in a window or in each bucket of a chart, from the rollups.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Double};
use diesel::sqlite::Sqlite;
use foldhash::HashSet;

use super::cache::{self, Files, Part, Slice, Table};
use super::members::Members;
use super::scanned::Row;
use super::sql::{Sql, column};
use super::window::Window;
use super::{failed_rate, mean};

/// Numbers that add up, as columns of a rollup; counts and sums are weighted, durations are µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, QueryableByName)]
pub(super) struct Total {
    #[diesel(sql_type = Double)]
    pub(super) count: f64,
    /// Rows.
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
    #[diesel(sql_type = Double)]
    pub(super) sum: f64,
    #[diesel(sql_type = BigInt)]
    pub(super) max: i64,
    #[diesel(sql_type = Double)]
    pub(super) failures: f64,
    #[diesel(sql_type = Double)]
    pub(super) successes: f64,
}

impl Total {
    /// A sum of one request.
    fn from_request(row: &Row) -> Self {
        let count = row.weight();
        let of = |outcome: i64| if row.outcome == outcome { count } else { 0.0 };
        Self {
            count,
            n: 1,
            sum: count * row.duration as f64,
            max: row.duration,
            failures: of(0),
            successes: of(1),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.n += other.n;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        self.failures += other.failures;
        self.successes += other.successes;
    }

    /// The mean duration.
    pub(super) fn mean(&self) -> Option<f64> {
        mean(self.sum, self.count)
    }

    pub(super) fn failed_rate(&self) -> Option<f64> {
        failed_rate(self.failures, self.successes)
    }
}

/// The numbers of one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sum {
    pub(super) total: Total,
    /// Those of its ids to which it happened.
    pub(crate) ids: Vec<i64>,
}

/// The sums of each of the members' keys, in the order of their places.
pub(super) fn of_window(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    slices: &[Slice],
) -> QueryResult<Vec<Sum>> {
    let mut sums = vec![Sum::default(); members.keys().len()];
    let mut seen = HashSet::default();
    if let Some(scanned) = members.scanned_for(table) {
        for (_, row) in scanned.within(slices, None) {
            let Some(place) = members.place(row.group_id) else {
                continue;
            };
            sums[place].total.add(&Total::from_request(row));
            if seen.insert(row.group_id) {
                sums[place].ids.push(row.group_id);
            }
        }
        return Ok(sums);
    }
    for (_, cells) in cache::read::<Cells>(conn, table, slices, None)? {
        for (id, total) in &cells.0 {
            let Some(place) = members.place(*id) else {
                continue;
            };
            sums[place].total.add(total);
            if seen.insert(*id) {
                sums[place].ids.push(*id);
            }
        }
    }
    Ok(sums)
}

/// The sums of each of the members' ids.
pub(super) fn by_id(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    slices: &[Slice],
) -> QueryResult<HashMap<i64, Total>> {
    let mut sums: HashMap<i64, Total> = HashMap::new();
    if let Some(scanned) = members.scanned_for(table) {
        for (_, row) in scanned.within(slices, None) {
            if members.place(row.group_id).is_some() {
                sums.entry(row.group_id)
                    .or_default()
                    .add(&Total::from_request(row));
            }
        }
        return Ok(sums);
    }
    for (_, cells) in cache::read::<Cells>(conn, table, slices, None)? {
        let own = cells
            .0
            .iter()
            .filter(|(id, _)| members.place(*id).is_some());
        for (id, total) in own {
            sums.entry(*id).or_default().add(total);
        }
    }
    Ok(sums)
}

/// The sums of each key in each of the chart's buckets; nothing for a key to which nothing happened.
pub(super) fn of_buckets(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
) -> QueryResult<Vec<Option<Vec<Total>>>> {
    let buckets = window.buckets();
    let first = buckets.first().map_or(0, |bucket| bucket.start);
    let mut series: Vec<Option<Vec<Total>>> = vec![None; members.keys().len()];
    let slices = window.series_slices();
    let mut add = |start: i64, id: i64, total: &Total| {
        let at = usize::try_from((start - first).div_euclid(window.interval)).ok();
        let (Some(at), Some(place)) = (at, members.place(id)) else {
            return;
        };
        let sums = series[place].get_or_insert_with(|| vec![Total::default(); buckets.len()]);
        if let Some(sum) = sums.get_mut(at) {
            sum.add(total);
        }
    };
    if let Some(scanned) = members.scanned_for(table) {
        for (start, row) in scanned.within(&slices, Some(window.interval)) {
            add(start, row.group_id, &Total::from_request(row));
        }
        return Ok(series);
    }
    for (start, cells) in cache::read::<Cells>(conn, table, &slices, Some(window.interval))? {
        for (id, total) in &cells.0 {
            add(start, *id, total);
        }
    }
    Ok(series)
}

/// The sums of a stretch of buckets, for all ids.
#[derive(Debug, Default)]
struct Cells(Vec<(i64, Total)>);

struct CellRow {
    id: i64,
    bucket: i64,
    total: Total,
}

impl QueryableByName<Sqlite> for CellRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            id: column::<BigInt, _>(row, 0, "id")?,
            bucket: column::<BigInt, _>(row, 1, "bucket")?,
            total: Total {
                count: column::<Double, _>(row, 2, "count")?,
                n: column::<BigInt, _>(row, 3, "n")?,
                sum: column::<Double, _>(row, 4, "sum")?,
                max: column::<BigInt, _>(row, 5, "max")?,
                failures: column::<Double, _>(row, 6, "failures")?,
                successes: column::<Double, _>(row, 7, "successes")?,
            },
        })
    }
}

impl Part for Cells {
    type Row = CellRow;
    type Table = Table;

    /// Of 100 000 names of each kind, which a database of before the limits of names may have: each list adds them up.
    const ROOM: usize = 24 << 20;

    fn sql(table: Table) -> Sql {
        Sql::new(match table {
            Table::Transactions => include_str!("totals/transactions.sql"),
            Table::Statements => include_str!("totals/statements.sql"),
            Table::Destinations => include_str!("totals/destinations.sql"),
        })
    }

    fn bucket(row: &CellRow) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &CellRow) {
        self.0.push((row.id, row.total));
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        let mut all: Vec<(i64, Total)> = parts.iter().flat_map(|part| &part.0).copied().collect();
        // Each part is in order already, which such a sort makes use of.
        all.sort_by_key(|(id, _)| *id);
        all.dedup_by(|(id, total), (known, sum)| {
            let is_same = id == known;
            if is_same {
                sum.add(total);
            }
            is_same
        });
        all.shrink_to_fit();
        Self(all)
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<(i64, Total)>()
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Cells> = LazyLock::new(Mutex::default);
        &FILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stands_for_those_that_were_not_sampled() {
        let total = Total::from_request(&Row {
            group_id: 1,
            ts: 0,
            duration: 10,
            outcome: 0,
            weight: Some(0.25).into(),
            result: 0,
        });
        assert_eq!((total.count, total.n, total.sum), (4.0, 1, 40.0));
        assert_eq!((total.failures, total.successes), (4.0, 0.0));
    }
    #[test]
    fn sums_of_several_buckets_are_added_up_by_id() {
        let part = |rows: &[(i64, f64, i64)]| {
            let row = |(id, count, max): &(i64, f64, i64)| {
                let total = Total {
                    count: *count,
                    max: *max,
                    ..Total::default()
                };
                (*id, total)
            };
            Arc::new(Cells(rows.iter().map(row).collect()))
        };
        let parts = [
            part(&[(1, 1.0, 5), (7, 2.0, 1)]),
            part(&[(2, 4.0, 3), (7, 8.0, 9)]),
            part(&[(1, 16.0, 2), (7, 32.0, 4)]),
        ];
        let sum = Cells::sum(&parts);
        let told: Vec<_> = (sum.0.iter())
            .map(|(id, total)| (*id, total.count, total.max))
            .collect();
        assert_eq!(told, [(1, 17.0, 5), (2, 4.0, 3), (7, 42.0, 9)]);
    }
}
