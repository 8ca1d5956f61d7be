//! Calls whose callee is known: for each destination, the services that answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::cache::{self, Files, Part, Slice};
use super::sql::Sql;
use super::totals::Total;
use crate::sort_rows::SortRows as _;

/// The services that answered the calls of each destination, with most calls first.
pub(super) type Callees = HashMap<i64, Vec<Callee>>;

/// The calls of one destination that one service answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Callee {
    /// The name of the service; its environments are counted together.
    pub(super) service: Arc<str>,
    pub(super) total: Total,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The callees of all destinations.
pub(super) fn of_window(conn: &mut SqliteConnection, slices: &[Slice]) -> QueryResult<Callees> {
    let mut sums: BTreeMap<(i64, i64), Total> = BTreeMap::new();
    for (_, cells) in cache::read::<Cells>(conn, (), slices, None)? {
        for (destination, callee, total) in &cells.0 {
            sums.entry((*destination, *callee)).or_default().add(total);
        }
    }
    if sums.is_empty() {
        return Ok(Callees::new());
    }
    let names: Vec<Name> = Sql::new("SELECT id, name FROM service").load(conn)?;
    let names: HashMap<i64, Arc<str>> = names
        .into_iter()
        .map(|row| (row.id, row.name.into()))
        .collect();
    let mut callees = Callees::new();
    for ((destination, callee), total) in sums {
        // A service of which nothing is stored any more has no name.
        let Some(service) = names.get(&callee) else {
            continue;
        };
        let known = callees.entry(destination).or_default();
        match known.iter_mut().find(|known| known.service == *service) {
            Some(known) => known.total.add(&total),
            None => known.push(Callee {
                service: Arc::clone(service),
                total,
            }),
        }
    }
    for known in callees.values_mut() {
        sort(known);
    }
    Ok(callees)
}

/// Those of several destinations together.
pub(super) fn together(callees: &Callees, destinations: &[i64]) -> Vec<Callee> {
    let mut all: Vec<Callee> = Vec::new();
    let found = destinations.iter().filter_map(|id| callees.get(id));
    for callee in found.flatten() {
        match all.iter_mut().find(|known| known.service == callee.service) {
            Some(known) => known.total.add(&callee.total),
            None => all.push(callee.clone()),
        }
    }
    sort(&mut all);
    all
}

fn sort(callees: &mut [Callee]) {
    callees.sort_rows_by(|a, b| {
        let most = b.total.count.total_cmp(&a.total.count);
        most.then_with(|| a.service.cmp(&b.service))
    });
}

/// Destination, callee and their numbers, of a stretch of buckets.
#[derive(Debug, Default)]
struct Cells(Vec<(i64, i64, Total)>);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    callee: i64,
    #[diesel(embed)]
    total: Total,
}

impl Part for Cells {
    type Row = Row;
    type Table = ();

    fn sql((): ()) -> Sql {
        Sql::new(include_str!("calls/calls.sql"))
    }

    fn bucket(row: &Row) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &Row) {
        self.0.push((row.id, row.callee, row.total));
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        let mut sums: BTreeMap<(i64, i64), Total> = BTreeMap::new();
        for (destination, callee, total) in parts.iter().flat_map(|part| &part.0) {
            sums.entry((*destination, *callee)).or_default().add(total);
        }
        let row = |((destination, callee), total)| (destination, callee, total);
        Self(sums.into_iter().map(row).collect())
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Cells> = LazyLock::new(Mutex::default);
        &FILES
    }
}
