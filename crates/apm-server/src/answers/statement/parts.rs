//! Callers, growth and plan of a statement: parts of its answer that scripts ask for alone.

use std::collections::BTreeSet;

use apm_time::SECOND;
use diesel::{QueryResult, SqliteConnection};
use schemars::JsonSchema;
use serde::Serialize;

use super::{INDEX, not_run};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::samples::Durations;
use crate::analytics::statement;
use crate::analytics::statements::Statement;
use crate::answers::parameter::shared::FINGERPRINT;
use crate::answers::period::Period;
use crate::answers::{
    Address, Arguments, Depends, Problem, Question, Settings, Source, arguments, at, top,
};
use crate::csv::{Cell, Table};
use crate::insight::callers::{self, Caller, Wanted};
use crate::insight::growth::{self, Growth};
use crate::insight::plan::{self, Explained, WhatIf, history};

/// Services and databases for which the growth of a statement is shown.
const PLACES: usize = 3;

/// The callers of a statement.
#[derive(Debug)]
pub(crate) struct CallersParams {
    fingerprint: u64,
    scope: Scope,
    period: Period,
}

/// The callers of a statement.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Callers")]
pub(crate) struct Called {
    /// Most time first, at most 1000.
    callers: Vec<Caller>,
}

impl Question for CallersParams {
    type Answer = Called;
    const ADDRESS: Address = at!("/queries/{fingerprint}/callers");
    const SUMMARY: &'static str = "Who runs a statement";
    const TABLES: &'static [&'static str] = &["callers"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            fingerprint: arguments.segment_hash(&FINGERPRINT)?,
            scope: arguments.chosen_scope(List::Statements)?,
            period: Period::alone(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Called, Problem> {
        let of = Wanted::Statement(self.fingerprint);
        let period = self.period.stored(source.conn)?;
        let callers = callers::list(source.conn, &self.scope, of, &period.window)?;
        Ok(Called { callers })
    }

    fn tables(answer: &Called) -> Vec<Table> {
        vec![top::callers(&answer.callers)]
    }
}

/// The growth of a statement with its tables.
#[derive(Debug)]
pub(crate) struct GrowthParams {
    fingerprint: u64,
    scope: Scope,
    /// µs
    now: i64,
}

/// The latency of a statement, and its steps of SQLite, against the rows of its tables.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GrowthOfStatement")]
pub(crate) struct Grows {
    /// For each service and database that it runs in, at most three, by the rows of the table that drives it.
    growth: Vec<Growth>,
}

impl Question for GrowthParams {
    type Answer = Grows;
    const ADDRESS: Address = at!("/queries/{fingerprint}/growth");
    const SUMMARY: &'static str = "How a statement grows with its tables, in the last 6 hours";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["growth"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            fingerprint: arguments.segment_hash(&FINGERPRINT)?,
            scope: arguments.chosen_scope(List::Statements)?,
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Grows, Problem> {
        let growth = growth(
            source.conn,
            &self.scope,
            self.fingerprint,
            self.now / SECOND,
        )?;
        Ok(Grows { growth })
    }

    fn tables(answer: &Grows) -> Vec<Table> {
        vec![growth_table(&answer.growth)]
    }
}

/// The latency of a statement against the rows of its tables. `now` in seconds.
pub(super) fn growth(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
    now: i64,
) -> QueryResult<Vec<Growth>> {
    let mut all = Vec::new();
    for row in growth::subjects(conn, scope, fingerprint)?
        .into_iter()
        .take(PLACES)
    {
        all.extend(growth::read(conn, row.subject(), now)?);
    }
    Ok(all)
}

/// A row for each duration and for each number of steps of SQLite that growth is judged by.
pub(super) fn growth_table(growth: &[Growth]) -> Table {
    let rows = growth.iter().flat_map(|of| {
        let row = |rows: f64, micros: Option<f64>, steps: Option<f64>| {
            vec![(&of.table).into(), rows.into(), micros.into(), steps.into()]
        };
        let times = of.points.iter();
        let times = times.map(|point| row(point.rows, Some(point.micros), None));
        let steps = of.steps.iter().flat_map(|steps| &steps.points);
        let steps = steps.map(|point| row(point.rows, None, Some(point.steps)));
        times.chain(steps).collect::<Vec<Vec<Cell>>>()
    });
    Table {
        name: "growth",
        columns: ["table", "rows", "duration_us", "steps"]
            .map(Into::into)
            .to_vec(),
        rows: rows.collect(),
    }
}

/// The plan of a statement's sample, or the one that its agent sent; with `index`, what it would be with that index.
#[derive(Debug)]
pub(crate) struct PlanParams {
    fingerprint: u64,
    scope: Scope,
    period: Period,
    index: Option<String>,
}

/// A plan, or the comparison with an index.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "PlanAnswer")]
pub(crate) enum Plans {
    /// Without `index`.
    Today(Box<Explained>),
    /// With `index`.
    With(Box<WhatIf>),
}

impl Question for PlanParams {
    type Answer = Plans;
    const ADDRESS: Address = at!("/queries/{fingerprint}/plan");
    const SUMMARY: &'static str =
        "The plan of a statement, of its service's file (--explain), else as its agent sent it";
    const DEPENDS: Depends = Depends::Files;

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            fingerprint: arguments.segment_hash(&FINGERPRINT)?,
            scope: arguments.chosen_scope(List::Statements)?,
            period: Period::alone(arguments)?,
            index: arguments.owned(&INDEX)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Plans, Problem> {
        let period = self.period.stored(source.conn)?;
        let all = Durations::default();
        let (scope, window) = (&self.scope, &period.window);
        let found = statement::detail(source.conn, scope, self.fingerprint, all, window)?;
        if found.statements.is_empty() {
            return Err(not_run(self.fingerprint, &self.period));
        }
        let mut mapped = found.statements.iter();
        // The place with most time of those whose file is known.
        let mapped = mapped.find_map(|row| Some((row, source.settings.files.get(&row.service)?)));
        let Some((row, file)) = mapped else {
            let sent = match self.index {
                None => history::list(source.conn, scope, self.fingerprint)?,
                // A plan that was sent does not tell what an index would change.
                Some(_) => Vec::new(),
            };
            if let (Some(run), Some(row)) = (sent.into_iter().next(), found.statements.first()) {
                return Ok(Plans::Today(Box::new(Explained {
                    summary: run.plan.summary(&row.sample),
                    plan: run.plan,
                    proposal: None,
                })));
            }
            let names: BTreeSet<&str> = found
                .statements
                .iter()
                .map(|row| row.service.as_str())
                .collect();
            return Err(Problem::NoFile {
                services: Vec::from_iter(names).join(", "),
            });
        };
        let explained = match &self.index {
            None => plan::explain(file, &row.sample).map(|plan| Plans::Today(Box::new(plan))),
            Some(index) => {
                plan::what_if(file, &row.sample, index).map(|plan| Plans::With(Box::new(plan)))
            }
        };
        explained.map_err(|error| match &self.index {
            Some(_) => arguments::wrong(&INDEX, error.to_string()),
            None => Problem::Parameter {
                parameter: "plan",
                problem: error.to_string(),
            },
        })
    }
}

/// The plan of a statement.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatementPlan")]
pub(crate) struct Planned {
    /// The plan of today; null where there is none.
    pub(crate) today: Option<Explained>,
    /// The plan with the index of `index`; null where none was asked for, and where it cannot be tried.
    pub(crate) with_index: Option<WhatIf>,
    /// Why there is no plan of today.
    pub(crate) problem: Option<String>,
    /// Why the index cannot be tried.
    pub(crate) index_problem: Option<String>,
}

impl Planned {
    /// Reads the file of the service, if it is known.
    pub(super) fn read(settings: &Settings, row: &Statement, index: Option<&str>) -> Option<Self> {
        let file = settings.files.get(&row.service)?;
        let (today, problem) = split(plan::explain(file, &row.sample));
        let tried = index.map(|index| split(plan::what_if(file, &row.sample, index)));
        let (with_index, index_problem) = tried.unwrap_or_default();
        Some(Self {
            today,
            with_index,
            problem,
            index_problem,
        })
    }
}

fn split<T>(result: Result<T, plan::PlanError>) -> (Option<T>, Option<String>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error.to_string())),
    }
}
