//! `/queries/{fingerprint}`: one statement, with its growth, its plan, its callers, and what was found about it.

mod parts;

use apm_time::{SECOND, rfc3339};
use schemars::JsonSchema;
use serde::Serialize;

use super::charts;
use super::parameter::Parameter;
use super::parameter::shared::FINGERPRINT;
use super::period::Period;
use super::queries::is_covered;
use super::sourced::Sourced;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::distribution::{Distribution, Scale};
use crate::analytics::filter::List;
use crate::analytics::latency::Latency;
use crate::analytics::samples::Durations;
use crate::analytics::series::Axis;
use crate::analytics::statement::{self, Call};
use crate::analytics::statements::Statement;
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};
use crate::insight::callers::{self, Caller, Wanted};
use crate::insight::finding::{self, Finding, Which};
use crate::insight::growth::Growth;
use crate::insight::plan::history::{self, Run};
pub(crate) use parts::{CallersParams, GrowthParams, PlanParams, Planned};

const INDEX: Parameter = Parameter::text("index", "A CREATE INDEX to try on a copy of the schema.");

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) fingerprint: u64,
    scope: Scope,
    period: Period,
    pub(crate) durations: Durations,
    scale: Scale,
    pub(crate) index: Option<String>,
    /// µs
    now: i64,
}

/// One statement.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatementDetail")]
pub(crate) struct Answer {
    /// The places where it runs: a row for each service and database, most time first.
    pub(crate) statements: Vec<Statement>,
    /// Number of further places, which have less time.
    pub(crate) left_out: usize,
    /// The buckets of their series.
    pub(crate) axis: Axis,
    /// The newest spans of it, at most 100.
    pub(crate) samples: Vec<Call>,
    pub(crate) latency: Sourced<Latency>,
    pub(crate) distribution: Sourced<Distribution>,
    /// The requests that run it, most time first, at most 1000.
    pub(crate) callers: Vec<Caller>,
    /// Its latency against the rows of its tables, at most three.
    pub(crate) growth: Vec<Growth>,
    /// Open insights about it.
    pub(crate) insights: Vec<Finding>,
    /// Its plan in SQLite; null where the service's database file is not known.
    pub(crate) plan: Option<Planned>,
    /// The plans that agents sent, newest first, at most 100.
    pub(crate) plans: Vec<Run>,
    /// The charts of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
}

/// The charts of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatementBefore")]
pub(crate) struct Previous {
    pub(crate) latency: Latency,
    pub(crate) distribution: Distribution,
    /// False if nothing happened in the first quarter of the earlier window: it may not be known whole.
    pub(crate) is_covered: bool,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/queries/{fingerprint}");
    const SUMMARY: &'static str = "One statement";
    // A plan comes from a file.
    const DEPENDS: super::Depends = super::Depends::Files;
    const TABLES: &'static [&'static str] = &[
        "callers",
        "samples",
        "statements",
        "latency",
        "distribution",
        "growth",
    ];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            fingerprint: arguments.segment_hash(&FINGERPRINT)?,
            scope: arguments.chosen_scope(List::Statements)?,
            period: Period::read(arguments)?,
            durations: charts::durations(arguments)?,
            scale: charts::scale(arguments)?,
            index: arguments.owned(&INDEX)?,
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, window) = (&self.scope, &period.window);
        let found = statement::detail(conn, scope, self.fingerprint, self.durations, window)?;
        let Some(first) = found.statements.first() else {
            return Err(not_run(self.fingerprint, &self.period));
        };
        // The plan is that of the place with most time.
        let plan = Planned::read(source.settings, first, self.index.as_deref());
        let previous = match &period.before {
            Some(window) => Some(self.previous(source, window)?),
            None => None,
        };
        let conn = &mut *source.conn;
        let of = Wanted::Statement(self.fingerprint);
        let fingerprint = format!("{:016x}", self.fingerprint);
        let which = Which {
            fingerprint: Some(&fingerprint),
            ..Which::default()
        };
        Ok(Answer {
            latency: Sourced::read(conn, |conn| {
                statement::trend(conn, scope, self.fingerprint, window)
            })?,
            distribution: Sourced::read(conn, |conn| {
                statement::distribution(conn, scope, self.fingerprint, window, self.scale)
            })?,
            callers: callers::list(conn, scope, of, window)?,
            growth: parts::growth(conn, scope, self.fingerprint, self.now / SECOND)?,
            insights: finding::list(conn, scope, which)?,
            plan,
            plans: history::list(conn, scope, self.fingerprint)?,
            statements: found.statements,
            left_out: found.left_out,
            axis: found.axis,
            samples: found.samples,
            previous,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            top::callers(&answer.callers),
            Table::from_rows(
                "samples",
                &answer.samples,
                &[
                    ("time_utc", |row| Cell::Time(row.timestamp)),
                    ("duration_us", |row| row.duration.into()),
                    ("calls", |row| row.calls.into()),
                    ("outcome", |row| row.outcome.into()),
                    ("trace_id", |row| (&row.trace_id).into()),
                    ("span_id", |row| (&row.span_id).into()),
                ],
            ),
            top::statements(&answer.statements),
            charts::latency_table(&answer.latency),
            charts::distribution_table(&answer.distribution),
            parts::growth_table(&answer.growth),
        ]
    }
}

impl Params {
    fn previous(&self, source: &mut Source<'_>, window: &Window) -> Result<Previous, Problem> {
        let (conn, scope) = (&mut *source.conn, &self.scope);
        let (fingerprint, scale) = (self.fingerprint, self.scale);
        let latency = statement::trend(conn, scope, fingerprint, window)?;
        Ok(Previous {
            is_covered: is_covered(conn, scope, window, std::iter::once(&*latency.avg))?,
            latency,
            distribution: statement::distribution(conn, scope, fingerprint, window, scale)?,
        })
    }
}

/// The statement was not run in the range.
fn not_run(fingerprint: u64, period: &Period) -> Problem {
    let range = period.asked();
    Problem::NotFound {
        what: "statement",
        name: format!("{fingerprint:016x}"),
        from: rfc3339(range.from),
        to: rfc3339(range.to),
    }
}
