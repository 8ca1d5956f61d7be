//! `/slos`: objectives, their budgets, and how fast these burn.

use apm_alerts::slo::{self, Indicator, Measured};
use apm_time::SECOND;
use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::shared::{ENV, SERVICE};
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::chosen::Choice;
use crate::csv::{Cell, Table};
use crate::sort_rows::SortRows as _;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    services: Choice,
    environments: Choice,
    /// Seconds since 1970.
    now: i64,
}

/// Objectives.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Objectives")]
pub(crate) struct Answer {
    /// Those with the least of their budget left first.
    pub(crate) objectives: Vec<Measured>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/slos");
    const SUMMARY: &'static str = "Service level objectives, their budgets and burn rates";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["objectives", "days"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            services: arguments.choice_of(&SERVICE)?,
            environments: arguments.choice_of(&ENV)?,
            now: arguments.now / SECOND,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let mut objectives = Vec::new();
        for objective in slo::list(source.conn)? {
            // An objective of all environments is one of each of them.
            let environment = &objective.environment;
            if self.services.allows(&objective.service)
                && (environment.is_empty() || self.environments.allows(environment))
            {
                objectives.push(slo::measure(source.conn, &objective, self.now)?);
            }
        }
        let left = |one: &Measured| one.budget.unwrap_or(f64::INFINITY);
        objectives.sort_rows_by(|a, b| {
            let by_budget = left(a).total_cmp(&left(b));
            by_budget.then_with(|| a.objective.name.cmp(&b.objective.name))
        });
        Ok(Answer { objectives })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "objectives",
                &answer.objectives,
                &[
                    ("id", |row: &Measured| (&row.objective.id).into()),
                    ("name", |row| (&row.objective.name).into()),
                    ("service", |row| (&row.objective.service).into()),
                    ("environment", |row| (&row.objective.environment).into()),
                    ("transaction", |row| (&row.objective.transaction).into()),
                    ("latency_ms", |row| match row.objective.indicator {
                        Indicator::Availability => Cell::Empty,
                        Indicator::Latency { milliseconds } => milliseconds.into(),
                    }),
                    ("percent", |row| row.objective.percent.into()),
                    ("days", |row| i64::from(row.objective.days).into()),
                    ("requests", |row| row.total.into()),
                    ("bad", |row| row.bad.into()),
                    ("good_share", |row| row.good_share.into()),
                    ("budget_left", |row| row.budget.into()),
                    ("burn_5m", |row| burn(row, 300)),
                    ("burn_30m", |row| burn(row, 1_800)),
                    ("burn_1h", |row| burn(row, 3_600)),
                    ("burn_6h", |row| burn(row, 21_600)),
                ],
            ),
            days(answer),
        ]
    }
}

/// The burn rate over a window.
pub(crate) fn rate(of: &Measured, seconds: i64) -> Option<f64> {
    of.burns.iter().find(|burn| burn.seconds == seconds)?.rate
}

fn burn(of: &Measured, seconds: i64) -> Cell {
    rate(of, seconds).into()
}

fn days(answer: &Answer) -> Table {
    let mut rows = Vec::new();
    for one in &answer.objectives {
        for day in &one.days {
            rows.push(vec![
                (&one.objective.id).into(),
                Cell::second(day.start),
                day.total.into(),
                day.bad.into(),
            ]);
        }
    }
    Table {
        name: "days",
        columns: ["id", "day_utc", "requests", "bad"]
            .map(Into::into)
            .to_vec(),
        rows,
    }
}
