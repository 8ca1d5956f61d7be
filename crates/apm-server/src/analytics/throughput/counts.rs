//! Numbers of transactions by result, cached from one question to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use crate::analytics::cache::{Files, Part};
use crate::analytics::scanned;
use crate::analytics::sql::Sql;

/// Group, result, how many transactions, of a stretch of buckets.
#[derive(Debug, Default)]
pub(super) struct Counts(Vec<(i64, i64, f64)>);

impl Counts {
    /// That of one request.
    pub(super) fn from_row(row: &scanned::Row) -> Self {
        Self(vec![(row.group_id, row.result, row.weight())])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64, f64)> {
        self.0.iter().copied()
    }
}

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    result: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

impl Part for Counts {
    type Row = Row;
    type Table = ();

    fn sql((): ()) -> Sql {
        Sql::new(include_str!("counts.sql"))
    }

    fn bucket(row: &Row) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &Row) {
        self.0.push((row.id, row.result, row.count));
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        let mut sums: BTreeMap<(i64, i64), f64> = BTreeMap::new();
        for (group, result, count) in parts.iter().flat_map(|part| part.iter()) {
            *sums.entry((group, result)).or_default() += count;
        }
        let row = |((group, result), count)| (group, result, count);
        Self(sums.into_iter().map(row).collect())
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Counts> = LazyLock::new(Mutex::default);
        &FILES
    }
}
