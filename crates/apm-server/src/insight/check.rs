//! The gate for CI: bounds on the telemetry since a moment, and what broke them.
//!
//! A bound that could not be judged has not passed: too few calls, no rows, no requests, spans that were dropped. It is
//! judged only where all of it was (ADR 505). The report names each reason.

pub mod baseline;
mod growing;
mod p95;
mod report;
mod requests;
mod verdict;

use std::collections::HashMap;

use apm_store::StoreError;
use apm_time::{Range, SECOND};
use diesel::prelude::*;

use super::finding::duration_words;
use super::{Files, marker};
use crate::analytics::Scope;
use crate::analytics::transactions;
use crate::analytics::window::Window;
use baseline::{Allowed, Baseline, Seen};
use requests::Requests;

pub use growing::NoGrowth;
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
    pub no_growth: Option<NoGrowth>,
    /// Most steps that a call of a statement may take.
    pub max_steps: Option<f64>,
    /// Most rows that a call of a statement may read in full scans of tables.
    pub max_rows_scanned: Option<f64>,
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
    /// Rows read in full scans of tables, per call.
    pub rows_scanned: f64,
    /// The lines of its plan.
    pub plan: Vec<String>,
}

/// Why a gate could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// No bound was given.
    #[error(
        "nothing to check: give --max-statements-per-request, --no-repeats, --p95, --no-growth, --max-steps, \
         --max-rows-scanned or --baseline"
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
            || self.no_growth.is_some()
    }

    /// Whether it has a bound on what each statement of each caller does.
    #[must_use]
    pub fn needs_entries(&self) -> bool {
        self.max_steps.is_some() || self.max_rows_scanned.is_some() || self.baseline.is_some()
    }
}

/// The work of requests since the gate's start. `now` in µs.
///
/// # Errors
/// See [`CheckError`].
pub fn seen(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<Seen, CheckError> {
    let since = since(conn, gate.since.as_deref(), 15 * 60 * SECOND, now)?;
    let requests = Requests::read(conn, gate, since)?;
    let groups = groups(conn, gate, since, now)?;
    let mut seen = baseline::seen(conn, gate, &requests, since)?;
    seen.since = apm_time::rfc3339(since);
    seen.requests = count(&groups);
    Ok(seen)
}

/// Checks a gate on the events themselves. `now` in µs.
///
/// # Errors
/// See [`CheckError`]. A broken bound is not an error: the report tells of it.
pub fn run(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<Report, CheckError> {
    gate.has_bound()?;
    let since = since(conn, gate.since.as_deref(), 15 * 60 * SECOND, now)?;
    let requests = match gate.max_statements_per_request.is_some()
        || gate.no_repeats
        || gate.needs_entries()
    {
        true => Requests::read(conn, gate, since)?,
        false => Requests::default(),
    };
    let groups = groups(conn, gate, since, now)?;
    let mut outcomes = Vec::new();
    if let Some(most) = gate.max_statements_per_request {
        outcomes.push(requests.most_statements(most));
    }
    if gate.no_repeats {
        outcomes.push(requests.no_repeats(conn)?);
    }
    for bound in &gate.p95 {
        outcomes.push(p95(bound, &groups));
    }
    if gate.needs_entries() {
        let seen = baseline::seen(conn, gate, &requests, since)?;
        outcomes.extend(baseline::outcomes(gate, &seen));
    }
    if let Some(bound) = gate.no_growth {
        outcomes.push(growing::outcome(conn, gate, bound, since, now)?);
    }
    let requests = count(&groups);
    outcomes.extend(unseen_requests(gate, requests, &apm_time::rfc3339(since)));
    Ok(Report::new(apm_time::rfc3339(since), requests, outcomes))
}

/// Checks the bounds on statements and the baseline on what a server has seen.
#[must_use]
pub fn judge(seen: &Seen, gate: &Gate) -> Report {
    let mut outcomes = baseline::outcomes(gate, seen);
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

fn count(groups: &[transactions::Transaction]) -> i64 {
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

#[cfg(test)]
mod tests;
