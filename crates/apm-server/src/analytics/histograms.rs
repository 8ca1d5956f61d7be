//! Percentiles of many keys at once, from the rollups' log histograms.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Double};
use diesel::sqlite::Sqlite;

use super::cache::{self, Files, Part, Slice, Table};
use super::members::Members;
use super::percentile::{ByKey, Percentiles, representative};
use super::sql::{Sql, column};

/// Keys whose bins are added up at once: those of one may take some kilobytes.
const TOGETHER: usize = 1_000;

/// Percentiles by key and bucket. `interval`: the width of the buckets in seconds; one bucket 0 for
/// everything where there is none.
pub(super) fn percentiles(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    slices: &[Slice],
    interval: Option<i64>,
) -> QueryResult<ByKey> {
    let parts = cache::read::<Bins>(conn, table, slices, interval)?;
    let mut found = ByKey::new();
    for first in (0..members.keys().len()).step_by(TOGETHER) {
        let together = first..first + TOGETHER;
        let mut sums: HashMap<(usize, i64), Vec<f64>> = HashMap::new();
        for (bucket, bins) in &parts {
            for (id, bins) in bins.of_ids() {
                let place = members.place(id).filter(|place| together.contains(place));
                let Some(place) = place else { continue };
                add(sums.entry((place, *bucket)).or_default(), bins);
            }
        }
        for ((place, bucket), sum) in sums {
            if let Some(percentiles) = at_ranks(&sum) {
                let key = &members.keys()[place];
                found
                    .entry(Arc::clone(key))
                    .or_default()
                    .insert(bucket, percentiles);
            }
        }
    }
    Ok(found)
}

/// Adds bins to a sum, in which the place of a bin is its number.
pub(super) fn add(sum: &mut Vec<f64>, bins: &[(u16, f32)]) {
    let end = bins.iter().map(|(bin, _)| usize::from(*bin) + 1).max();
    if end.is_some_and(|end| sum.len() < end) {
        sum.resize(end.unwrap_or_default(), 0.0);
    }
    for (bin, count) in bins {
        sum[usize::from(*bin)] += f64::from(*count);
    }
}

/// The percentiles: walks the bins once, and stops at the rank of each.
pub(super) fn at_ranks(bins: &[f64]) -> Option<Percentiles> {
    let total: f64 = bins.iter().sum();
    let (mut upto, mut walked) = (0.0, 0);
    Percentiles::of(|q| {
        // Sums of weights are rounded: a hair less keeps a rank from slipping into the next bin.
        let rank = q * (total - total * 1e-9);
        while upto < rank || upto <= 0.0 {
            upto += bins.get(walked)?;
            walked += 1;
        }
        Some(representative(i64::try_from(walked).ok()? - 1))
    })
}

/// The bins of a stretch of buckets, for all ids.
#[derive(Debug, Default)]
struct Bins {
    /// Id, and where its bins end.
    ids: Vec<(i64, usize)>,
    bins: Vec<(u16, f32)>,
}

struct BinRow {
    id: i64,
    bucket: i64,
    bin: i64,
    count: f64,
}

impl QueryableByName<Sqlite> for BinRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            id: column::<BigInt, _>(row, 0, "id")?,
            bucket: column::<BigInt, _>(row, 1, "bucket")?,
            bin: column::<BigInt, _>(row, 2, "bin")?,
            count: column::<Double, _>(row, 3, "count")?,
        })
    }
}

impl Bins {
    fn of_ids(&self) -> impl Iterator<Item = (i64, &[(u16, f32)])> {
        let starts = std::iter::once(0).chain(self.ids.iter().map(|(_, end)| *end));
        self.ids
            .iter()
            .zip(starts)
            .map(|((id, end), start)| (*id, &self.bins[start..*end]))
    }
}

impl Part for Bins {
    type Row = BinRow;
    type Table = Table;

    fn sql(table: Table) -> Sql {
        Sql::new(match table {
            Table::Transactions => include_str!("histograms/transactions.sql"),
            Table::Statements => include_str!("histograms/statements.sql"),
            Table::Destinations => include_str!("histograms/destinations.sql"),
        })
    }

    fn bucket(row: &BinRow) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &BinRow) {
        // Rows come in the order of ids, so that the bins of each lie together.
        if self.ids.last().is_none_or(|(id, _)| *id != row.id) {
            self.ids.push((row.id, self.bins.len()));
        }
        let bin = u16::try_from(row.bin).unwrap_or(u16::MAX);
        self.bins.push((bin, row.count as f32));
        if let Some((_, end)) = self.ids.last_mut() {
            *end = self.bins.len();
        }
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        // Those of one id at a time: side by side, the sums of many ids would take a hundred times as much memory as
        // the bins that have something in them.
        let mut all: Vec<(i64, &[(u16, f32)])> =
            parts.iter().flat_map(|part| part.of_ids()).collect();
        all.sort_by_key(|(id, _)| *id);
        let mut out = Self::default();
        let mut sum = Vec::new();
        for own in all.chunk_by(|(a, _), (b, _)| a == b) {
            sum.clear();
            for (_, bins) in own {
                add(&mut sum, bins);
            }
            let bins = (0..).zip(&sum).filter(|(_, count)| **count > 0.0);
            out.bins
                .extend(bins.map(|(bin, count)| (bin, *count as f32)));
            out.ids.push((own[0].0, out.bins.len()));
        }
        out
    }

    fn bytes(&self) -> usize {
        16 * self.ids.len() + 8 * self.bins.len()
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Bins> = LazyLock::new(Mutex::default);
        &FILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_kept_by_id() {
        let mut kept = Bins::default();
        for (id, bin, count) in [(1, 5, 1.0), (1, 6, 2.0), (7, 5, 3.0)] {
            let row = BinRow {
                id,
                bucket: 0,
                bin,
                count,
            };
            kept.push(&row);
        }
        let found: Vec<(i64, usize)> = kept.of_ids().map(|(id, bins)| (id, bins.len())).collect();
        assert_eq!(found, [(1, 2), (7, 1)]);
    }

    #[test]
    fn bins_of_several_buckets_are_added_up_by_id() {
        let part = |ids: Vec<(i64, usize)>, bins| Arc::new(Bins { ids, bins });
        let one = part(vec![(1, 2), (7, 3)], vec![(5, 1.0), (6, 2.0), (5, 3.0)]);
        let other = part(vec![(1, 1), (9, 2)], vec![(6, 0.5), (300, 1.0)]);
        let sum = Bins::sum(&[one, other]);
        let found: Vec<(i64, &[(u16, f32)])> = sum.of_ids().collect();
        let expected: [(i64, &[(u16, f32)]); 3] = [
            (1, &[(5, 1.0), (6, 2.5)]),
            (7, &[(5, 3.0)]),
            (9, &[(300, 1.0)]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn ranks_are_those_of_nearest_rank() {
        let mut counts = vec![0.0; 500];
        counts[100] = 94.0;
        counts[200] = 5.0;
        counts[300] = 1.0;
        let found = at_ranks(&counts).unwrap();
        assert_eq!(
            (found.p50, found.p95, found.p99),
            (
                representative(100),
                representative(200),
                representative(200)
            )
        );
        let highest = (found.p75, found.p90, found.p999);
        let bin = |bin| representative(bin);
        assert_eq!(highest, (bin(100), bin(100), bin(300)));
        assert_eq!(at_ranks(&[0.0; 3]), None);
        assert_eq!(at_ranks(&[]), None);
    }
}
