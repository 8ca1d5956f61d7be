//! The work of requests since a time, as entries of a baseline.
//!
//! An entry is a statement of a caller. It has a part for each transaction group and database: a service may run it in
//! several environments, and on several files. Each part has its own calls, steps and plan; the entry has the most of
//! them, so that it does not depend on how many calls each part had.

use std::collections::HashMap;

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Entry, MOST, Most, Seen, in_order};
use crate::analytics::sql::Sql;
use crate::insight::check::requests::Requests;
use crate::insight::check::{CheckError, Gate};
use crate::insight::observe::{Usage, Work};
use crate::insight::plan::{self, history};
use crate::sort_rows::SortRows as _;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    caller: String,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    instance: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    sample: String,
}

/// The lines of a plan, where it is known.
type Plan = Option<Vec<String>>;

/// An entry whose parts are still being added.
struct Merged {
    entry: Entry,
    requests: i64,
    /// The plans of its parts.
    plans: Vec<Plan>,
}

/// The statements of all callers, of the gate's service only. `since` in µs.
pub(in crate::insight::check) fn seen(
    conn: &mut SqliteConnection,
    gate: &Gate,
    requests: &Requests,
    since: i64,
) -> Result<Seen, CheckError> {
    let usage = requests.usage.iter().map(|(_, usage)| usage);
    let (statements, left_out) = entries(conn, gate, usage.collect(), since)?;
    Ok(Seen {
        since: String::new(),
        requests: 0,
        statements: in_order(statements),
        incomplete: requests.incomplete().collect(),
        left_out,
    })
}

/// The entries of those with most calls, and the number of those that found no place.
fn entries(
    conn: &mut SqliteConnection,
    gate: &Gate,
    mut usage: Vec<&Usage>,
    since: i64,
) -> Result<(Vec<Entry>, u64), CheckError> {
    usage.retain(|usage| usage.statement != 0);
    usage.sort_rows_by(|a, b| {
        b.calls
            .total_cmp(&a.calls)
            .then((a.group, a.statement).cmp(&(b.group, b.statement)))
    });
    let mut plans: HashMap<i64, Plan> = HashMap::new();
    let mut merged: Vec<Merged> = Vec::new();
    let mut left_out = 0;
    // Places in the list by service, caller and statement.
    let mut places: HashMap<(String, String, String), usize> = HashMap::new();
    for usage in usage {
        let row: Option<Row> = Sql::new(include_str!("seen.sql"))
            .bind("group", usage.group)
            .bind("statement", usage.statement)
            .load(conn)?
            .pop();
        let Some(row) = row else { continue };
        let key = (
            row.service.clone(),
            row.caller.clone(),
            row.normalized.clone(),
        );
        let place = places.get(&key).copied();
        if place.is_none() && merged.len() >= MOST {
            left_out += 1;
            continue;
        }
        let plan = match plans.get(&usage.statement) {
            Some(plan) => plan.clone(),
            None => {
                let plan = plan_of(conn, gate, &row, since)?;
                plans.insert(usage.statement, plan.clone());
                plan
            }
        };
        let part = part(gate, row, usage);
        match place {
            Some(place) => merged[place].add(part, usage.requests, plan),
            None => {
                places.insert(key, merged.len());
                merged.push(Merged {
                    entry: part,
                    requests: usage.requests,
                    plans: vec![plan],
                });
            }
        }
    }
    let entries = merged.into_iter().map(Merged::into_entry).collect();
    Ok((entries, left_out))
}

/// The calls of a statement in one database by one transaction group, as an entry without its plan.
fn part(gate: &Gate, row: Row, usage: &Usage) -> Entry {
    let (median, most) = match &gate.replayed {
        // A cost that was measured on a copy takes the place of those that agents counted.
        Some(replayed) => {
            let found = replayed.get(&row.normalized);
            let median = found.map(|found| (found.steps, found.rows_scanned));
            (median, found.map(Most::from))
        }
        None => (usage.work.median(), most(&usage.work)),
    };
    Entry {
        service: row.service,
        caller: row.caller,
        statement: row.normalized,
        calls_per_request: usage.calls / usage.requests.max(1) as f64,
        steps_per_call: median.map(|(steps, _)| steps),
        rows_scanned_per_call: median.map(|(_, rows)| rows),
        plan: None,
        most,
    }
}

fn most(work: &Work) -> Option<Most> {
    let most = work.most()?;
    Some(Most {
        steps: most.steps.0,
        steps_trace: most.steps.1.to_string(),
        rows_scanned: most.rows_scanned.0,
        rows_scanned_trace: most.rows_scanned.1.to_string(),
        not_measured: work.not_measured,
    })
}

impl Merged {
    fn add(&mut self, part: Entry, requests: i64, plan: Plan) {
        let (entry, all) = (&mut self.entry, self.requests + requests);
        entry.calls_per_request = (entry.calls_per_request * self.requests as f64
            + part.calls_per_request * requests as f64)
            / all.max(1) as f64;
        self.requests = all;
        // A figure is known where that of each part is.
        let larger = |a: Option<f64>, b: Option<f64>| Some(a?.max(b?));
        entry.steps_per_call = larger(entry.steps_per_call, part.steps_per_call);
        entry.rows_scanned_per_call =
            larger(entry.rows_scanned_per_call, part.rows_scanned_per_call);
        entry.most = entry
            .most
            .take()
            .zip(part.most)
            .map(|(known, most)| known.and(most));
        self.plans.push(plan);
    }

    fn into_entry(self) -> Entry {
        let mut plans: Option<Vec<Vec<String>>> = self.plans.into_iter().collect();
        if let Some(plans) = &mut plans {
            plans.sort();
            plans.dedup();
        }
        Entry {
            plan: plans.map(|plans| plans.join(&"or".to_owned())),
            ..self.entry
        }
    }
}

impl Most {
    fn and(self, other: Self) -> Self {
        let (steps, steps_trace) = match other.steps > self.steps {
            true => (other.steps, other.steps_trace),
            false => (self.steps, self.steps_trace),
        };
        let (rows_scanned, rows_scanned_trace) = match other.rows_scanned > self.rows_scanned {
            true => (other.rows_scanned, other.rows_scanned_trace),
            false => (self.rows_scanned, self.rows_scanned_trace),
        };
        Self {
            steps,
            steps_trace,
            rows_scanned,
            rows_scanned_trace,
            not_measured: self.not_measured + other.not_measured,
        }
    }
}

/// The plan that was measured on a copy, else that of the service's file, else that which its agent sent since then.
fn plan_of(
    conn: &mut SqliteConnection,
    gate: &Gate,
    row: &Row,
    since: i64,
) -> Result<Plan, CheckError> {
    if let Some(replayed) = &gate.replayed {
        let found = replayed.get(&row.normalized);
        return Ok(found.map(|found| found.plan.clone()));
    }
    let of_file =
        gate.files
            .get(&row.service)
            .and_then(|file| match plan::explain(file, &row.sample) {
                Ok(explained) => {
                    let steps = explained.plan.all();
                    Some(steps.map(|step| step.detail.clone()).collect())
                }
                Err(error) => {
                    log::debug!("no plan from {}: {error}", file.display());
                    None
                }
            });
    if let Some(plan) = of_file {
        return Ok(Some(plan));
    }
    let of = history::Of {
        service: &row.service,
        environment: &row.environment,
        instance: &row.instance,
        fingerprint: row.fingerprint,
    };
    Ok(history::newest(conn, of, since.div_euclid(SECOND))?)
}

#[cfg(test)]
mod tests;
