//! The gate for CI: bounds on the telemetry since a moment, and what broke them.
//!
//! A bound that could not be judged has not passed: too few calls, no rows, no requests. The report names each reason.

pub mod baseline;
mod growing;
mod p95;
mod report;
mod verdict;

use std::collections::HashMap;

use apm_store::StoreError;
use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::finding::duration_words;
use super::observe::{Observer, Usage};
use super::repeats::{FINDING, Shape, Values, classify};
use super::{Files, marker};
use crate::analytics::Scope;
use crate::analytics::sql::Sql;
use crate::analytics::transactions;
use crate::analytics::window::Window;
use baseline::{Allowed, Baseline, Seen};

pub use p95::P95;
pub use verdict::{Outcome, Report, Verdict};

/// Fewer requests say too little of their 95th percentile.
const FEWEST_REQUESTS: f64 = 10.0;

/// The bounds that must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gate {
    /// Only this service.
    pub service: Option<String>,
    /// Most statements that one request may run.
    pub max_statements_per_request: Option<f64>,
    /// No statement may run 5 times or more in a request.
    pub no_repeats: bool,
    /// Bounds of p95.
    pub p95: Vec<P95>,
    /// No statement may get slower with its table.
    pub no_growth: bool,
    /// Most steps that a call of a statement may take.
    pub max_steps: Option<f64>,
    /// The baseline from a time that was good, and the differences from it that are allowed.
    pub baseline: Option<(Baseline, Allowed)>,
    /// The SQLite files of services, for plans.
    pub files: Files,
    /// Costs of statements on a copy, by their texts without literals, instead of those that agents counted.
    pub replayed: Option<HashMap<String, Replayed>>,
    /// A marker's name or number, or a time; else the last 15 minutes.
    pub since: Option<String>,
}

/// The cost of a statement on a copy of its database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// Steps of SQLite's virtual machine per call.
    pub steps: f64,
    /// The lines of its plan.
    pub plan: Vec<String>,
}

/// Why a gate could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// No bound was given.
    #[error(
        "nothing to check: give --max-statements-per-request, --no-repeats, --p95, --no-growth, --max-steps or \
         --baseline"
    )]
    Nothing,
    /// `since` is neither.
    #[error(
        "--since `{0}` is neither a marker nor a time: set one with POST /api/v1/markers, or write now-15m"
    )]
    Since(String),
    /// SQLite failed.
    #[error("the telemetry database did not answer")]
    Query(#[from] diesel::result::Error),
    /// Documents of spans cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    service: String,
}

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Text)]
    table_name: String,
}

impl Gate {
    /// Whether there is anything to check.
    ///
    /// # Errors
    /// [`CheckError::Nothing`] where there is not.
    pub fn has_bound(&self) -> Result<(), CheckError> {
        let has_bound = self.has_bound_on_requests() || self.needs_entries();
        has_bound.then_some(()).ok_or(CheckError::Nothing)
    }

    /// Whether it has a bound that needs nothing but requests, their times and the rows of tables.
    #[must_use]
    pub fn has_bound_on_requests(&self) -> bool {
        self.max_statements_per_request.is_some()
            || self.no_repeats
            || !self.p95.is_empty()
            || self.no_growth
    }

    /// Whether it has a bound on what each statement of each caller does.
    #[must_use]
    pub fn needs_entries(&self) -> bool {
        self.max_steps.is_some() || self.baseline.is_some()
    }
}

/// The work of requests since the gate's start. `now` in µs.
///
/// # Errors
/// See [`CheckError`].
pub fn seen(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<Seen, CheckError> {
    let since = since(conn, gate.since.as_deref(), 15 * 60 * SECOND, now)?;
    let usage = Observer::all(conn, since)?;
    let usage = named(conn, gate, usage)?;
    let statements = baseline::seen(conn, gate, &usage, since)?;
    let groups = groups(conn, gate, since, now)?;
    Ok(Seen::new(
        apm_time::rfc3339(since),
        requests(&groups),
        statements,
    ))
}

/// Checks a gate on the events themselves. `now` in µs.
///
/// # Errors
/// See [`CheckError`]. A broken bound is not an error: the report tells of it.
pub fn run(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<Report, CheckError> {
    gate.has_bound()?;
    let since = since(conn, gate.since.as_deref(), 15 * 60 * SECOND, now)?;
    let usage =
        if gate.max_statements_per_request.is_some() || gate.no_repeats || gate.needs_entries() {
            let usage = Observer::all(conn, since)?;
            named(conn, gate, usage)?
        } else {
            Vec::new()
        };
    let groups = groups(conn, gate, since, now)?;
    let seen = usage
        .iter()
        .filter(|(_, usage)| usage.statement == 0)
        .count();
    let unseen = || match seen {
        0 => vec![
            "no request was seen with its statements: agents send them for sampled requests only"
                .to_owned(),
        ],
        _ => Vec::new(),
    };
    let mut outcomes = Vec::new();
    if let Some(most) = gate.max_statements_per_request {
        let over = usage
            .iter()
            .filter(|(_, usage)| usage.statement == 0 && usage.most > most);
        let failures = over.map(|(name, usage)| {
            format!(
                "{name} ran {:.0} statements in one request, more than {most:.0} (trace {})",
                usage.most, usage.trace
            )
        });
        outcomes.push(Outcome::new(
            "max-statements-per-request",
            seen,
            failures.collect(),
            unseen(),
        ));
    }
    if gate.no_repeats {
        let mut failures = Vec::new();
        for (name, usage) in &usage {
            failures.extend(repeat(conn, name, usage)?);
        }
        outcomes.push(Outcome::new("no-repeats", seen, failures, unseen()));
    }
    for bound in &gate.p95 {
        outcomes.push(p95(bound, &groups));
    }
    if gate.needs_entries() {
        let statements = baseline::seen(conn, gate, &usage, since)?;
        let seen = Seen::new(String::new(), 0, statements);
        outcomes.extend(baseline::outcomes(gate, &seen.statements));
    }
    if gate.no_growth {
        outcomes.push(growing::outcome(conn, gate, since, now)?);
    }
    let requests = requests(&groups);
    outcomes.extend(unseen_requests(gate, requests, &apm_time::rfc3339(since)));
    Ok(Report::new(apm_time::rfc3339(since), requests, outcomes))
}

/// Checks the bounds on statements and the baseline on what a server has seen.
#[must_use]
pub fn judge(seen: &Seen, gate: &Gate) -> Report {
    let mut outcomes = baseline::outcomes(gate, &seen.statements);
    outcomes.extend(unseen_requests(gate, seen.requests, &seen.since));
    Report::new(seen.since.clone(), seen.requests, outcomes)
}

/// The groups of requests since the gate's start.
fn groups(
    conn: &mut SqliteConnection,
    gate: &Gate,
    since: i64,
    now: i64,
) -> Result<Vec<transactions::Transaction>, CheckError> {
    let scope = Scope {
        service: gate.service.clone(),
        ..Scope::default()
    };
    // A marker may be of this very moment, and a window is never empty.
    let range = Range {
        from: since,
        to: now.max(since + SECOND),
    };
    Ok(transactions::list(conn, &scope, &Window::new(range, now))?.transactions)
}

fn requests(groups: &[transactions::Transaction]) -> i64 {
    groups.iter().map(|group| group.count.round() as i64).sum()
}

/// The verdict where there was no request at all.
fn unseen_requests(gate: &Gate, requests: i64, since: &str) -> Option<Outcome> {
    if requests > 0 {
        return None;
    }
    let of = gate.service.as_deref();
    let of = of.map_or_else(String::new, |service| format!(" of the service {service}"));
    let why = format!("no request{of} was seen since {since}");
    Some(Outcome::new("requests", 0, Vec::new(), vec![why]))
}

/// The verdict on a bound of p95 for the transaction groups of its name, which may be of several types.
fn p95(bound: &P95, groups: &[transactions::Transaction]) -> Outcome {
    let check = format!("p95 {}", bound.name);
    let groups = groups.iter().filter(|group| group.name == bound.name);
    let groups: Vec<_> = groups
        .filter_map(|group| Some((group.count, group.latency?.p95)))
        .collect();
    // A bound that is broken is told, however few requests there were.
    let over = groups.iter().filter(|(_, p95)| *p95 > bound.within);
    let failures: Vec<String> = over
        .map(|(_, p95)| {
            format!(
                "95 % of {} finish within {}, not {}",
                bound.name,
                duration_words(*p95),
                duration_words(bound.within)
            )
        })
        .collect();
    let most = groups.iter().map(|(count, _)| *count).reduce(f64::max);
    if !failures.is_empty() || most.is_some_and(|most| most >= FEWEST_REQUESTS) {
        return Outcome::new(&check, 1, failures, Vec::new());
    }
    let why = match most {
        Some(most) => format!(
            "too few requests named {}: {most:.0} of the {FEWEST_REQUESTS:.0} that a percentile needs",
            bound.name
        ),
        None => format!("no request named {} was seen", bound.name),
    };
    Outcome::new(&check, 0, Vec::new(), vec![why])
}

/// The start of what is looked at, µs: a marker, a time, or some time before now.
pub(super) fn since(
    conn: &mut SqliteConnection,
    text: Option<&str>,
    before: i64,
    now: i64,
) -> Result<i64, CheckError> {
    let Some(text) = text else {
        return Ok(now - before);
    };
    if let Some(marker) = marker::find(conn, text)? {
        return Ok(marker.at * SECOND);
    }
    apm_time::parse("since", text, now, apm_time::Round::Down)
        .map_err(|_| CheckError::Since(text.to_owned()))
}

/// Usage with the names of its transaction groups, of the gate's service only, in order.
fn named(
    conn: &mut SqliteConnection,
    gate: &Gate,
    usage: Vec<Usage>,
) -> QueryResult<Vec<(String, Usage)>> {
    let mut ids: Vec<i64> = usage.iter().map(|usage| usage.group).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    let groups: Vec<Group> = Sql::new(include_str!("callers/names.sql"))
        .bind("ids", ids)
        .load(conn)?;
    let of_gate = |service: &String| gate.service.as_ref().is_none_or(|only| only == service);
    let groups = groups.into_iter().filter(|group| of_gate(&group.service));
    let names: HashMap<i64, String> = groups.map(|group| (group.id, group.name)).collect();
    // Of a group that is gone meanwhile nothing can be said.
    let named = usage
        .into_iter()
        .filter_map(|usage| Some((names.get(&usage.group)?.clone(), usage)));
    let mut out: Vec<_> = named.collect();
    // Sums come from a hash map: without an order, two reports on the same requests would differ.
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.statement.cmp(&b.1.statement)));
    Ok(out)
}

fn repeat(conn: &mut SqliteConnection, name: &str, usage: &Usage) -> QueryResult<Option<String>> {
    let per_request = usage.looped / usage.requests.max(1) as f64;
    if usage.statement == 0 || per_request < FINDING {
        return Ok(None);
    }
    let statement: Vec<Statement> =
        Sql::new("SELECT normalized, verb, table_name FROM statement WHERE id = :id")
            .bind("id", usage.statement)
            .load(conn)?;
    Ok(statement.into_iter().next().and_then(|statement| {
        let shape = Shape {
            verb: &statement.verb,
            table: &statement.table_name,
            normalized: &statement.normalized,
        };
        let pattern = classify(shape, usage.follows > 0, Values::Unknown)?;
        Some(format!(
            "{name} ran {} {per_request:.0} times per request (trace {}). {}",
            statement.normalized,
            usage.trace,
            pattern.remedy()
        ))
    }))
}

#[cfg(test)]
mod tests;
