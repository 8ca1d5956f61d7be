//! The gate for CI: bounds that the telemetry since a moment must keep, and what broke them.

mod report;

use std::str::FromStr;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::{Deserialize, Serialize};

use super::finding::{count_words, duration_words};
use super::growth::{self, Subject};
use super::marker;
use super::observe::{Observer, Usage};
use super::repeats::{FINDING, Values, classify};
use crate::analytics::Scope;
use crate::analytics::sql::Sql;
use crate::analytics::transactions;
use crate::analytics::window::Window;
use crate::time::{self, Range, SECOND};

/// Statements whose growth is looked at.
const STATEMENTS: i64 = 100;

/// `GET /sql-group<50ms`: 95 % of the transactions of a name must finish within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct P95 {
    /// `transaction.name`
    pub name: String,
    /// µs
    pub within: f64,
}

impl FromStr for P95 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not NAME<TIME, such as 'GET /people<50ms'");
        let (name, time) = text.rsplit_once('<').ok_or_else(wrong)?;
        let (name, time) = (name.trim(), time.trim_start_matches('=').trim());
        let digits = time.trim_end_matches(|c: char| c.is_alphabetic() || c == 'µ');
        let value: f64 = digits.trim().parse().map_err(|_| wrong())?;
        let unit = match &time[digits.len()..] {
            "us" | "µs" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            _ => return Err(wrong()),
        };
        if name.is_empty() || !value.is_finite() || value <= 0.0 {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            within: value * unit,
        })
    }
}

/// What must hold.
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
    /// A marker's name or number, or a time; else the last 15 minutes.
    pub since: Option<String>,
}

/// One bound, and how it was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The option, such as `no-repeats`.
    pub check: String,
    /// What broke it, a sentence each; empty where it was kept.
    pub failures: Vec<String>,
}

/// How all bounds were kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether every bound was kept.
    pub passed: bool,
    /// Start of what was looked at, RFC 3339.
    pub since: String,
    /// Requests that were looked at.
    pub requests: i64,
    /// In the order of the options.
    pub outcomes: Vec<Outcome>,
}

/// Why a gate could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// No bound was given.
    #[error(
        "nothing to check: give --max-statements-per-request, --no-repeats, --p95 or --no-growth"
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
}

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    service: String,
}

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    service_id: i64,
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
        let has_bound = self.max_statements_per_request.is_some()
            || self.no_repeats
            || !self.p95.is_empty()
            || self.no_growth;
        has_bound.then_some(()).ok_or(CheckError::Nothing)
    }
}

/// Checks a gate on the events themselves. `now` in µs.
///
/// # Errors
/// See [`CheckError`]; a bound that was not kept is none.
pub fn run(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<Report, CheckError> {
    gate.has_bound()?;
    let since = since(conn, gate, now)?;
    let usage = if gate.max_statements_per_request.is_some() || gate.no_repeats {
        let usage = Observer::all(conn, since)?;
        named(conn, gate, usage)?
    } else {
        Vec::new()
    };
    let scope = Scope {
        service: gate.service.clone(),
        ..Scope::default()
    };
    let range = Range {
        from: since,
        to: now.max(since + SECOND),
    };
    let groups = transactions::list(conn, &scope, &Window::new(range, now))?.transactions;
    let mut outcomes = Vec::new();
    let mut add = |check: &str, failures| {
        outcomes.push(Outcome {
            check: check.to_owned(),
            failures,
        });
    };
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
        add("max-statements-per-request", failures.collect());
    }
    if gate.no_repeats {
        let mut failures = Vec::new();
        for (name, usage) in &usage {
            failures.extend(repeat(conn, name, usage)?);
        }
        add("no-repeats", failures);
    }
    for bound in &gate.p95 {
        let found = groups.iter().find(|group| group.name == bound.name);
        let failure = match found.and_then(|group| group.latency) {
            None => Some(format!("no request named {} was seen", bound.name)),
            Some(latency) if latency.p95 > bound.within => Some(format!(
                "95 % of {} finish within {}, not {}",
                bound.name,
                duration_words(latency.p95),
                duration_words(bound.within)
            )),
            Some(_) => None,
        };
        add(
            &format!("p95 {}", bound.name),
            failure.into_iter().collect(),
        );
    }
    if gate.no_growth {
        add("no-growth", growing(conn, gate, since, now)?);
    }
    let requests = groups.iter().map(|group| group.count.round() as i64).sum();
    if requests == 0 {
        let of = gate.service.as_deref();
        let of = of.map_or_else(String::new, |service| format!(" of the service {service}"));
        let failure = format!("no request{of} was seen: there is nothing to judge by");
        add("requests", vec![failure]);
    }
    Ok(Report {
        passed: outcomes.iter().all(|outcome| outcome.failures.is_empty()),
        since: time::rfc3339(since),
        requests,
        outcomes,
    })
}

fn since(conn: &mut SqliteConnection, gate: &Gate, now: i64) -> Result<i64, CheckError> {
    let Some(text) = gate.since.as_deref() else {
        return Ok(now - 15 * 60 * SECOND);
    };
    if let Some(marker) = marker::find(conn, text)? {
        return Ok(marker.at * SECOND);
    }
    time::parse("since", text, now, time::Round::Down)
        .map_err(|_| CheckError::Since(text.to_owned()))
}

/// Usage with the names of its transaction groups, of the gate's service only, in order.
fn named(
    conn: &mut SqliteConnection,
    gate: &Gate,
    usage: Vec<Usage>,
) -> QueryResult<Vec<(String, Usage)>> {
    let mut out = Vec::new();
    for usage in usage {
        let group: Vec<Group> =
            Sql::new("SELECT g.name, s.name AS service FROM tx_group g JOIN service s ON s.id = g.service_id WHERE g.id = :id")
                .bind("id", usage.group)
                .load(conn)?;
        for group in group {
            if gate
                .service
                .as_ref()
                .is_none_or(|service| *service == group.service)
            {
                out.push((group.name, usage.clone()));
            }
        }
    }
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.statement.cmp(&b.1.statement)));
    Ok(out)
}

fn repeat(conn: &mut SqliteConnection, name: &str, usage: &Usage) -> QueryResult<Option<String>> {
    let per_request = usage.calls / usage.requests.max(1) as f64;
    if usage.statement == 0 || per_request < FINDING {
        return Ok(None);
    }
    let statement: Vec<Statement> = Sql::new(
        "SELECT id, service_id, normalized, verb, table_name FROM statement WHERE id = :id",
    )
    .bind("id", usage.statement)
    .load(conn)?;
    Ok(statement.into_iter().next().and_then(|statement| {
        let pattern = classify(&statement.verb, usage.follows > 0, Values::Unknown)?;
        Some(format!(
            "{name} ran {} {per_request:.0} times per request (trace {}). {}",
            statement.normalized,
            usage.trace,
            pattern.remedy()
        ))
    }))
}

fn growing(
    conn: &mut SqliteConnection,
    gate: &Gate,
    since: i64,
    now: i64,
) -> QueryResult<Vec<String>> {
    let statements: Vec<Statement> = Sql::new(include_str!("check/statements.sql"))
        .bind("service", &gate.service)
        .bind("from", since.div_euclid(60 * SECOND) * 60)
        .bind("limit", STATEMENTS)
        .load(conn)?;
    let mut failures = Vec::new();
    for statement in statements {
        let subject = Subject {
            statement: statement.id,
            service: statement.service_id,
            table: &statement.table_name,
        };
        let growth = growth::read(conn, subject, now / SECOND)?;
        let Some(growth) = growth else { continue };
        if let Some((regime, fit)) = growth
            .growing()
            .and_then(|regime| Some((regime, regime.fit?)))
        {
            failures.push(format!(
                "{} takes {} more per 1,000 rows of {}, R² {:.2}, at {} rows now",
                statement.normalized,
                duration_words(fit.per_row * 1_000.0),
                growth.table,
                fit.r_squared,
                count_words(regime.rows_max)
            ));
        }
    }
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::tests::empty;

    #[test]
    fn bounds_of_p95_are_read_with_their_unit() {
        for (text, expected) in [
            ("GET /sql-group<50ms", Some(("GET /sql-group", 50_000.0))),
            ("GET /a<b < 1.5s", Some(("GET /a<b", 1_500_000.0))),
            ("x<=800us", Some(("x", 800.0))),
            ("x<800µs", Some(("x", 800.0))),
            ("x<50", None),
            ("<50ms", None),
            ("x", None),
            ("x<-1ms", None),
            ("x<infs", None),
            ("", None),
        ] {
            let found = text.parse::<P95>().ok();
            assert_eq!(
                found.as_ref().map(|p| (p.name.as_str(), p.within)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_gate_without_bounds_or_with_an_unknown_start_is_an_error() {
        let conn = &mut empty();
        assert!(matches!(
            run(conn, &Gate::default(), SECOND),
            Err(CheckError::Nothing)
        ));
        let gate = Gate {
            no_growth: true,
            since: Some("release".to_owned()),
            ..Gate::default()
        };
        let error = run(conn, &gate, SECOND).unwrap_err().to_string();
        assert!(
            error.contains("release") && error.contains("marker"),
            "{error}"
        );
    }

    #[test]
    fn what_was_never_seen_does_not_pass_for_fast() {
        let conn = &mut empty();
        let gate = Gate {
            no_repeats: true,
            p95: vec!["GET /a<5ms".parse().unwrap()],
            ..Gate::default()
        };
        let report = run(conn, &gate, 1_800_000_000 * SECOND).unwrap();
        assert!(!report.passed);
        assert!(report.outcomes[0].failures.is_empty());
        assert_eq!(
            report.outcomes[1].failures,
            ["no request named GET /a was seen"]
        );
        assert_eq!(
            report.outcomes[2].failures,
            ["no request was seen: there is nothing to judge by"]
        );
    }
}
