//! The work of requests since a time, as entries of a baseline.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Entry;
use crate::analytics::sql::Sql;
use crate::insight::check::{CheckError, Gate};
use crate::insight::observe::Usage;
use crate::insight::{plan, values};
use crate::sort_rows::SortRows as _;

/// Spans of a statement that are looked at for its steps.
const SPANS: i64 = 200;

/// Statements that are looked at, those with most calls.
const STATEMENTS: usize = 2_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    caller: String,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    sample: String,
}

/// Steps and plan of a statement.
type Cost = (Option<f64>, Option<Vec<String>>);

/// The statements of all callers, of the gate's service only. `since` in µs.
pub(in crate::insight::check) fn seen(
    conn: &mut SqliteConnection,
    gate: &Gate,
    usage: &[(String, Usage)],
    since: i64,
) -> Result<Vec<Entry>, CheckError> {
    let mut usage: Vec<&Usage> = usage
        .iter()
        .map(|(_, usage)| usage)
        .filter(|usage| usage.statement != 0)
        .collect();
    usage.sort_rows_by(|a, b| {
        b.calls
            .total_cmp(&a.calls)
            .then(a.statement.cmp(&b.statement))
    });
    let mut costs: HashMap<i64, Cost> = HashMap::new();
    let mut entries: Vec<(Entry, i64)> = Vec::new();
    // Places in the list by service, caller and statement.
    let mut places: HashMap<(String, String, String), usize> = HashMap::new();
    for usage in usage {
        let row: Option<Row> = Sql::new(include_str!("seen.sql"))
            .bind("group", usage.group)
            .bind("statement", usage.statement)
            .load(conn)?
            .pop();
        let Some(row) = row else { continue };
        if !costs.contains_key(&usage.statement) {
            if costs.len() >= STATEMENTS {
                continue;
            }
            costs.insert(
                usage.statement,
                cost(conn, gate, &row, usage.statement, since)?,
            );
        }
        let (steps, plan) = costs.get(&usage.statement).cloned().unwrap_or_default();
        let calls = usage.calls / usage.requests.max(1) as f64;
        let key = (
            row.service.clone(),
            row.caller.clone(),
            row.normalized.clone(),
        );
        match places.get(&key) {
            // The same in another environment, or on another database.
            Some(place) => {
                let (entry, requests) = &mut entries[*place];
                let all = *requests + usage.requests;
                entry.calls_per_request = (entry.calls_per_request * *requests as f64
                    + calls * usage.requests as f64)
                    / all.max(1) as f64;
                // Steps and plan may be known of one of them alone.
                entry.steps_per_call = entry.steps_per_call.or(steps);
                entry.plan = entry.plan.take().or(plan);
                *requests = all;
            }
            None => {
                places.insert(key, entries.len());
                let entry = Entry {
                    service: row.service,
                    caller: row.caller,
                    statement: row.normalized,
                    calls_per_request: calls,
                    steps_per_call: steps,
                    plan,
                };
                entries.push((entry, usage.requests));
            }
        }
    }
    Ok(entries.into_iter().map(|(entry, _)| entry).collect())
}

/// The cost that was measured on a copy, else the steps of spans, and the plan of the service's file or of its agent.
fn cost(
    conn: &mut SqliteConnection,
    gate: &Gate,
    row: &Row,
    statement: i64,
    since: i64,
) -> Result<Cost, CheckError> {
    if let Some(replayed) = &gate.replayed {
        let found = replayed.get(&row.normalized);
        return Ok(found.map_or((None, None), |found| {
            (Some(found.steps), Some(found.plan.clone()))
        }));
    }
    let steps = values::steps::per_call(conn, statement, since, SPANS)?;
    let plan =
        gate.files
            .get(&row.service)
            .and_then(|file| match plan::explain(file, &row.sample) {
                Ok(explained) => Some(
                    explained
                        .plan
                        .all()
                        .map(|step| step.detail.clone())
                        .collect(),
                ),
                Err(error) => {
                    log::debug!("no plan from {}: {error}", file.display());
                    None
                }
            });
    let plan = match plan {
        Some(plan) => Some(plan),
        None => plan::history::newest(conn, &row.service, row.fingerprint)?,
    };
    Ok((steps, plan))
}
