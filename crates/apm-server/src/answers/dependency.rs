//! `/dependencies/{dependency}`: one dependency, who calls it, and what is asked of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Shape;
use super::dependencies::{compared, is_covered};
use super::parameter::Parameter;
use super::period::Period;
use super::sourced::Sourced;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::dependencies::{self, Choice, Dependency};
use crate::analytics::filter::List;
use crate::analytics::series::Axis;
use crate::analytics::statements::{self, Statement};
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};

const DEPENDENCY: Parameter = Parameter::text(
    "dependency",
    "The name of the dependency; may contain slashes.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) dependency: String,
    scope: Scope,
    period: Period,
    shape: Shape,
}

/// One dependency.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DependencyDetail")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) now: Detail,
    /// The same of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Detail>,
    /// The window that a page compares with.
    #[serde(skip)]
    pub(crate) before: Option<Before>,
}

/// One dependency in an earlier window.
#[derive(Debug)]
pub(crate) struct Before {
    /// Nothing where it was not called.
    pub(crate) dependency: Option<Dependency>,
    /// Whether all of that window is known.
    pub(crate) is_covered: bool,
}

/// One dependency in a window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DependencyInWindow")]
pub(crate) struct Detail {
    /// All of its callers together; null where it was not called.
    pub(crate) dependency: Sourced<Option<Dependency>>,
    /// A row for each caller, most time first, at most 1000.
    pub(crate) callers: Vec<Dependency>,
    /// Number of further callers, which have less time.
    pub(crate) callers_left_out: usize,
    /// The statements that the callers run on it, most time first, at most 1000.
    pub(crate) statements: Vec<Statement>,
    /// Number of further statements, which have less time.
    pub(crate) statements_left_out: usize,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/dependencies/{dependency:.+}");
    const SUMMARY: &'static str = "One dependency with its callers and operations";
    const TABLES: &'static [&'static str] = &["dependencies", "statements", "series"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            dependency: arguments.segment(&DEPENDENCY).to_owned(),
            scope: arguments.chosen_scope(List::Dependencies)?,
            period: compared(arguments)?,
            shape: arguments.shape,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let period = self.period.stored(source.conn)?;
        let now = self.detail(source, &period.window)?;
        let (mut previous, mut before) = (None, None);
        match (&period.before, self.shape) {
            (Some(window), Shape::Data) => previous = Some(self.detail(source, window)?),
            (Some(window), Shape::Page) => before = Some(self.before(source, window)?),
            (None, _) => {}
        }
        Ok(Answer {
            now,
            previous,
            before,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let now = &answer.now;
        vec![
            top::dependencies(&now.callers),
            top::statements(&now.statements),
            series(now),
        ]
    }
}

/// A row for each bucket of the charts.
fn series(now: &Detail) -> Table {
    let heads = ["time_utc", "latency_avg_us", "calls_per_minute"];
    let series = now.dependency.as_ref().map(|one| &one.series);
    let rows = now.axis.buckets.iter().enumerate();
    let rows = rows.map(|(at, bucket)| {
        let latency = series.and_then(|series| series.latency.get(at).copied().flatten());
        let rate = series.and_then(|series| series.throughput.get(at).copied());
        vec![Cell::second(bucket.start), latency.into(), rate.into()]
    });
    Table {
        name: "series",
        columns: heads.map(Into::into).to_vec(),
        rows: rows.collect(),
    }
}

impl Params {
    /// All of its callers together.
    fn together(&self) -> Choice {
        Choice {
            dependency: Some(self.dependency.clone()),
            by_service: false,
        }
    }

    fn before(&self, source: &mut Source<'_>, window: &Window) -> Result<Before, Problem> {
        let conn = &mut *source.conn;
        let found = dependencies::list(conn, &self.scope, &self.together(), window)?;
        let is_covered = is_covered(conn, &self.scope, &found.dependencies, window)?;
        Ok(Before {
            dependency: found.dependencies.into_iter().next(),
            is_covered,
        })
    }

    fn detail(&self, source: &mut Source<'_>, window: &Window) -> Result<Detail, Problem> {
        let conn = &mut *source.conn;
        let together = self.together();
        let by_service = Choice {
            by_service: true,
            ..together.clone()
        };
        let found = Sourced::read(conn, |conn| {
            dependencies::list(conn, &self.scope, &together, window)
        })?;
        let (found, sql) = found.into_parts();
        let callers = dependencies::list(conn, &self.scope, &by_service, window)?;
        let run = statements::of_dependency(conn, &self.scope, &callers.dependencies, window)?;
        Ok(Detail {
            dependency: Sourced::new(found.dependencies.into_iter().next(), sql),
            callers: callers.dependencies,
            callers_left_out: callers.left_out,
            statements: run.statements,
            statements_left_out: run.left_out,
            axis: found.axis,
        })
    }
}
