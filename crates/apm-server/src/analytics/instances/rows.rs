//! Instances by the events that are stored here.

use std::collections::HashMap;

use apm_store::{StoreError, document};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::super::discover::points::rows;
use super::super::discover::{self, Limits, Request};
use super::super::gauge_names::{PROCESS_CPU, PROCESS_MEMORY, SYSTEM_CPU};
use super::super::percentile::bin;
use super::super::sql::Sql;
use super::super::weight::Weight;
use super::super::window::Window;
use super::super::{Scope, sender};
use super::{Part, Parts, Sums};

/// Samples of a metric that are read, the newest.
const SAMPLES: i64 = 200_000;

/// The place of a gauge among sums.
type Place = fn(&mut Sums) -> &mut (f64, f64);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    resource_id: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(embed)]
    weight: Weight,
}

#[derive(QueryableByName)]
struct Sampled {
    #[diesel(sql_type = BigInt)]
    resource_id: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Sums {
    fn add(&mut self, row: &Row) {
        let weight = row.weight.number();
        self.count += weight;
        self.sum += row.duration as f64 * weight;
        self.longest = self.longest.max(Some(row.duration));
        match row.outcome {
            0 => self.failed += weight,
            1 => self.succeeded += weight,
            _ => {}
        }
        *self.bins.entry(bin(row.duration)).or_default() += weight;
    }
}

/// The processes of a service that sent something in a window. There are none where the query asks for more than rows
/// tell.
///
/// # Errors
/// Those of SQLite.
pub(super) fn parts(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> Result<Parts, StoreError> {
    let range = window.range;
    let entries = kql::parse("processor.event: transaction", 0).unwrap_or(kql::Expr::All);
    let query = scope.query.clone().unwrap_or(kql::Expr::All);
    let request = Request {
        query: discover::all_of([entries, scope.chosen.query(), query]),
        range,
        size: 0,
        after: None,
        limits: Limits::default(),
    };
    let request = request.within(scope.service.as_deref(), scope.environment.as_deref());
    let mut sums: HashMap<i64, Sums> = HashMap::new();
    let columns = "r.resource_id, r.duration, r.outcome, r.sample_rate, r.weight";
    let read = rows(conn, &request, columns, |row: Row| {
        sums.entry(row.resource_id).or_default().add(&row);
    })?;
    // A query that rows cannot answer reads none of them.
    let mut complete = read.unwrap_or(false);
    for (metric, of) in [
        (PROCESS_CPU, (|sums| &mut sums.cpu) as Place),
        (SYSTEM_CPU, |sums| &mut sums.machine),
        (PROCESS_MEMORY, |sums| &mut sums.memory),
    ] {
        let found: Vec<Sampled> = scope
            .bind(Sql::new(include_str!("samples.sql")))
            .bind("metric", metric)
            .bind("from", range.from)
            .bind("to", range.to)
            .bind("most", SAMPLES)
            .load(conn)?;
        complete &= found.iter().map(|row| row.n).sum::<i64>() < SAMPLES;
        for row in found {
            // A sender without a request is an instance, too.
            *of(sums.entry(row.resource_id).or_default()) = (row.sum, row.n as f64);
        }
    }
    let ids: Vec<i64> = sums.keys().copied().collect();
    let parts = sender::read(conn, &ids)?.into_iter().map(|sender| Part {
        newest: sender.id,
        environment: sender.environment,
        of: document::instance(&sender.document),
        processes: Some(1),
        sums: sums.remove(&sender.id).unwrap_or_default(),
    });
    Ok(Parts {
        parts: parts.collect(),
        complete,
        counted_since: None,
        minutes: window.minutes,
    })
}
