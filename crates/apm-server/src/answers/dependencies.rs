//! `/dependencies` and `/services/{service}/dependencies`: what is called, how often, and how long callers wait.

use std::collections::HashMap;

use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Shape;
use super::listed::Listed;
use super::listing::{Rows, Sort};
use super::parameter::shared::SERVICE;
use super::part::Part;
use super::period::Period;
use super::queries;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::dependencies::{self, Choice, Dependencies, Dependency};
use crate::analytics::filter::List;
use crate::analytics::list::{By, Pick};
use crate::analytics::series::Axis;
use crate::analytics::window::Window;
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 7] = ["name", "avg", "change", "p95", "rate", "failed", "impact"];

/// The dependencies of one service.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    list: Listed,
}

/// The dependencies of all services.
#[derive(Debug)]
pub(crate) struct All(Listed);

/// Dependencies.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dependencies")]
pub(crate) struct Answer {
    /// The dependencies, most time first unless `sort` says otherwise.
    pub(crate) dependencies: Vec<Dependency>,
    /// Number of rows on other pages.
    pub(crate) left_out: usize,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The one with most time of all; null where nothing was called.
    pub(crate) most_time: Option<Dependency>,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// Those of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

/// Dependencies of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DependenciesBefore")]
pub(crate) struct Previous {
    /// Those of the answer that were called there, most time first.
    pub(crate) dependencies: Vec<Dependency>,
    /// Number of others that were called there.
    pub(crate) left_out: usize,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// False if nothing happened in the first quarter of the earlier window: it may not be known whole.
    pub(crate) is_covered: bool,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/dependencies");
    const SUMMARY: &'static str = "What a service calls";
    const TABLES: &'static [&'static str] = &["dependencies"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            list: listed(arguments, arguments.service_scope(List::Dependencies)?)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        answer(&self.list, source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![top::dependencies(&answer.dependencies)]
    }
}

impl Question for All {
    type Answer = Answer;
    const ADDRESS: Address = at!("/dependencies");
    const SUMMARY: &'static str = "What services call";
    const TABLES: &'static [&'static str] = &["dependencies"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let scope = arguments.chosen_scope(List::Dependencies)?;
        Ok(Self(listed(arguments, scope)?))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        answer(&self.0, source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![top::dependencies(&answer.dependencies)]
    }
}

/// The parameters, of events of a scope.
fn listed(arguments: &Arguments, scope: Scope) -> Result<Listed, Problem> {
    let period = compared(arguments)?;
    Listed::read(arguments, scope, period, &SORTS, "-impact")
}

/// The windows: a page compares without being asked.
pub(super) fn compared(arguments: &Arguments) -> Result<Period, Problem> {
    match arguments.shape {
        Shape::Page => Period::read(arguments),
        Shape::Data => Period::optional(arguments),
    }
}

fn answer(list: &Listed, source: &mut Source<'_>) -> Result<Answer, Problem> {
    let conn = &mut *source.conn;
    let period = list.period.stored(conn)?;
    let (scope, choice) = (&list.scope, Choice::default());
    let pick = list.listing.pick(ranked);
    let Dependencies {
        mut dependencies,
        left_out,
        first,
        is_ranked,
        axis,
    } = dependencies::list_of(conn, scope, &choice, &period.window, &pick)?;
    let most_time = match pick.has_most_time_first(first, left_out) {
        true => dependencies.first().cloned(),
        false => {
            let top = Pick::most_time(1);
            let found = dependencies::list_of(conn, scope, &choice, &period.window, &top)?;
            found.dependencies.into_iter().next()
        }
    };
    let row = |one: &Dependency| (one.key(), one.latency_avg, one.count);
    let (listing, before) = (&list.listing, period.before.as_ref());
    let changes = listing.changes(before, &dependencies, row, |before, same| {
        let then = dependencies::list_of(conn, scope, &choice, before, same);
        then.map(|then| then.dependencies)
    })?;
    sort(&list.listing.sort, &mut dependencies, &changes);
    let rows = list
        .listing
        .cut(&mut dependencies, (first, left_out), is_ranked);
    let previous = match &period.before {
        Some(window) => {
            let same = Pick::of_keys(dependencies.iter().map(Dependency::key));
            let found = dependencies::list_of(conn, scope, &choice, window, &same)?;
            Some(Previous {
                is_covered: is_covered(conn, scope, &found.dependencies, window)?,
                dependencies: found.dependencies,
                left_out: found.left_out,
                axis: found.axis,
            })
        }
        None => None,
    };
    Ok(Answer {
        left_out: rows.total - dependencies.len(),
        dependencies,
        rows,
        most_time,
        axis,
        previous,
        sort: list.listing.sort,
    })
}

/// Whether something was called, or answered, in the first quarter of a window: then all of it is known.
pub(super) fn is_covered(
    conn: &mut SqliteConnection,
    scope: &Scope,
    called: &[Dependency],
    window: &Window,
) -> Result<bool, Problem> {
    let latencies = called.iter().map(|one| &*one.series.latency);
    Ok(queries::is_covered(conn, scope, window, latencies)?)
}

/// The rank of all dependencies for a column.
fn ranked(key: &str) -> Option<By> {
    match key {
        "name" => Some(By::Word(0)),
        "avg" => Some(By::Mean),
        "p95" => Some(By::P95),
        "rate" => Some(By::Count),
        "failed" => Some(By::Failed),
        "impact" => Some(By::Time),
        _ => None,
    }
}

fn sort(sort: &Sort, rows: &mut [Dependency], changes: &HashMap<String, f64>) {
    let change = |one: &Dependency| changes.get(&one.key()).copied();
    rows.sort_rows_by(|a, b| match sort.key {
        "name" => sort.compare_text(&a.name, &b.name),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "change" => sort.compare(change(a), change(b)),
        "p95" => sort.compare(a.latency.map(|of| of.p95), b.latency.map(|of| of.p95)),
        "rate" => sort.compare(Some(a.throughput), Some(b.throughput)),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        _ => sort.compare(Some(a.impact), Some(b.impact)),
    });
}
