//! The cost of statements in SQLite, by the calls that were measured.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::cache::{self, Files, Part, Slice};
use crate::analytics::mean;
use crate::analytics::sql::Sql;

/// The cost of a call of a statement in SQLite: means over the calls that were measured.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "StatementCost")]
pub struct Cost {
    /// Calls that were measured.
    pub measured: f64,
    /// Instructions of SQLite's virtual machine.
    pub steps: f64,
    /// The most instructions of one call.
    pub steps_max: i64,
    /// Steps from one row to the next in full scans of tables.
    pub scan_steps: f64,
    /// Sorts.
    pub sorts: f64,
    /// Steps from one row to the next while SQLite filled indexes for the call alone.
    pub autoindex_steps: f64,
    /// Times that the statement was prepared again.
    pub reprepares: f64,
    /// Rows that the call returned.
    pub rows_returned: f64,
    /// Rows that the call changed; null where that is not known of any.
    pub rows_changed: Option<f64>,
    /// Pages that were read from the file.
    pub pages_read: f64,
    /// Pages that were written.
    pub pages_written: f64,
}

/// Sums over calls, as the rollups have them.
#[derive(Debug, Clone, Copy, Default, QueryableByName)]
pub(super) struct Sums {
    #[diesel(sql_type = Double)]
    measured: f64,
    #[diesel(sql_type = Double)]
    steps: f64,
    #[diesel(sql_type = BigInt)]
    steps_max: i64,
    #[diesel(sql_type = Double)]
    scan_steps: f64,
    #[diesel(sql_type = Double)]
    sorts: f64,
    #[diesel(sql_type = Double)]
    autoindex_steps: f64,
    #[diesel(sql_type = Double)]
    reprepares: f64,
    #[diesel(sql_type = Double)]
    rows_returned: f64,
    #[diesel(sql_type = Double)]
    changing: f64,
    #[diesel(sql_type = Double)]
    rows_changed: f64,
    #[diesel(sql_type = Double)]
    pages_read: f64,
    #[diesel(sql_type = Double)]
    pages_written: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.measured += other.measured;
        self.steps += other.steps;
        self.steps_max = self.steps_max.max(other.steps_max);
        self.scan_steps += other.scan_steps;
        self.sorts += other.sorts;
        self.autoindex_steps += other.autoindex_steps;
        self.reprepares += other.reprepares;
        self.rows_returned += other.rows_returned;
        self.changing += other.changing;
        self.rows_changed += other.rows_changed;
        self.pages_read += other.pages_read;
        self.pages_written += other.pages_written;
    }

    fn per_call(&self) -> Option<Cost> {
        let each = |sum: f64| mean(sum, self.measured);
        Some(Cost {
            measured: self.measured,
            steps: each(self.steps)?,
            steps_max: self.steps_max,
            scan_steps: each(self.scan_steps)?,
            sorts: each(self.sorts)?,
            autoindex_steps: each(self.autoindex_steps)?,
            reprepares: each(self.reprepares)?,
            rows_returned: each(self.rows_returned)?,
            rows_changed: mean(self.rows_changed, self.changing),
            pages_read: each(self.pages_read)?,
            pages_written: each(self.pages_written)?,
        })
    }
}

/// The costs of a window, by the ids of statements.
pub(super) struct Costs(HashMap<i64, Sums>);

impl Costs {
    /// Reads those of some ids, or of all.
    pub(super) fn read(
        conn: &mut SqliteConnection,
        slices: &[Slice],
        wanted: Option<&[i64]>,
    ) -> QueryResult<Self> {
        let mut all: HashMap<i64, Sums> = HashMap::new();
        for (_, cells) in cache::read::<Cells>(conn, (), slices, None)? {
            for (id, sums) in cells.of(wanted) {
                all.entry(*id).or_default().add(sums);
            }
        }
        Ok(Self(all))
    }

    /// The cost of a call of a statement, which is several in the store; none where no call was measured.
    pub(super) fn per_call(&self, ids: &[i64]) -> Option<Cost> {
        let mut sums = Sums::default();
        for own in ids.iter().filter_map(|id| self.0.get(id)) {
            sums.add(own);
        }
        sums.per_call()
    }
}

/// The sums of a stretch of buckets, for all ids that were measured, in order of ids.
#[derive(Debug, Default)]
struct Cells(Vec<(i64, Sums)>);

impl Cells {
    /// Those of some ids, or of all. A page of one statement does not add up those of a thousand others.
    fn of(&self, wanted: Option<&[i64]>) -> Vec<&(i64, Sums)> {
        let Some(wanted) = wanted else {
            return self.0.iter().collect();
        };
        let place = |id: &i64| self.0.binary_search_by_key(id, |(own, _)| *own).ok();
        wanted
            .iter()
            .filter_map(place)
            .map(|at| &self.0[at])
            .collect()
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(embed)]
    sums: Sums,
}

impl Part for Cells {
    type Row = Row;
    type Table = ();

    fn sql((): ()) -> Sql {
        Sql::new(include_str!("cost.sql"))
    }

    fn bucket(row: &Row) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &Row) {
        self.0.push((row.id, row.sums));
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        let mut sums: BTreeMap<i64, Sums> = BTreeMap::new();
        for (id, own) in parts.iter().flat_map(|part| &part.0) {
            sums.entry(*id).or_default().add(own);
        }
        Self(sums.into_iter().collect())
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<(i64, Sums)>()
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Cells> = LazyLock::new(Mutex::default);
        &FILES
    }
}
