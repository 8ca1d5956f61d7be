//! `/queries`: what services ask their databases, by statement.

use std::collections::HashMap;

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::listed::Listed;
use super::listing::{Rows, Sort};
use super::part::Part;
use super::period::Period;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::change;
use crate::analytics::filter::List;
use crate::analytics::list::{By, Pick};
use crate::analytics::series::Axis;
use crate::analytics::statements::{self, Cost, Rank, Statement, Statements};
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};
use crate::insight::callers::{Caller, LATELY, Used, Wanted};
use crate::insight::finding::{self, Finding, Which};
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 12] = [
    "statement",
    "calls",
    "per_request",
    "total",
    "share",
    "avg",
    "change",
    "p95",
    "max",
    "steps",
    "scanned",
    "sorts",
];

/// Rows of a page or of JSON, whatever is asked for: a statement has up to 8 KiB of text, and sparklines. A file has
/// neither these nor other windows, nor a link to the next page.
const MOST: usize = 200;

/// The question.
#[derive(Debug)]
pub(crate) struct Params(Listed);

/// The statements of a window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Queries")]
pub(crate) struct Answer {
    /// The statements, most time first unless `sort` says otherwise; at most 200.
    pub(crate) statements: Vec<Statement>,
    /// Number of rows on other pages.
    pub(crate) left_out: usize,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The statement with most time of all; null where none was run.
    pub(crate) most_time: Option<Statement>,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// The requests that run these statements.
    pub(crate) callers: Vec<Caller>,
    /// True if callers are those of the last 6 hours of the window only.
    pub(crate) callers_are_recent: bool,
    /// Open insights about statements and their callers.
    pub(crate) insights: Vec<Finding>,
    /// The statements of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

/// The same statements in the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QueriesBefore")]
pub(crate) struct Previous {
    /// Those of the answer that ran there, most time first.
    pub(crate) statements: Vec<Statement>,
    /// Number of others that ran there.
    pub(crate) left_out: usize,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// False if nothing happened in the first quarter of the earlier window: it may not be known whole.
    pub(crate) is_covered: bool,
}

/// Callers by service and fingerprint.
pub(crate) type ByStatement<'a> = HashMap<(&'a str, &'a str), Vec<&'a Caller>>;

/// The callers of each statement.
pub(crate) fn by_statement(callers: &[Caller]) -> ByStatement<'_> {
    let mut all = ByStatement::new();
    for caller in callers {
        let key = (&*caller.service, &*caller.fingerprint);
        all.entry(key).or_default().push(caller);
    }
    all
}

/// The most calls that requests of one group make on average.
pub(crate) fn per_request(callers: &ByStatement<'_>, row: &Statement) -> Option<f64> {
    let own = callers.get(&(&*row.service, &*row.fingerprint))?;
    own.iter().map(|caller| caller.calls).reduce(f64::max)
}

/// The most calls in one request.
pub(crate) fn most(callers: &ByStatement<'_>, row: &Statement) -> Option<f64> {
    let own = callers.get(&(&*row.service, &*row.fingerprint))?;
    own.iter().map(|caller| caller.most).reduce(f64::max)
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/queries");
    const SUMMARY: &'static str = "Statements";
    const TABLES: &'static [&'static str] = &["statements"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let (scope, period) = (
            arguments.chosen_scope(List::Statements)?,
            Period::read(arguments)?,
        );
        let mut listed = Listed::read(arguments, scope, period, &SORTS, "-total")?;
        if !arguments.is_file {
            listed.listing = listed.listing.at_most(MOST);
        }
        Ok(Self(listed))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.0.period.stored(conn)?;
        let (scope, window) = (&self.0.scope, &period.window);
        let used = Used::read(conn, scope, Wanted::Each, window)?;
        let calls = used.calls_per_request();
        let rank = self.rank(&calls);
        let pick = self.0.listing.pick(ranked);
        let Statements {
            mut statements,
            left_out,
            first,
            is_ranked,
            axis,
        } = statements::list_of(conn, scope, window, (&pick, rank))?;
        let most_time = match pick.has_most_time_first(first, left_out) {
            true => statements.first().cloned(),
            false => {
                let top = Pick::most_time(1);
                let found = statements::list_of(conn, scope, window, (&top, None))?;
                found.statements.into_iter().next()
            }
        };
        let row = |one: &Statement| (one.key(), one.latency_avg, one.calls);
        let (listing, before) = (&self.0.listing, period.before.as_ref());
        let changes = listing.changes(before, &statements, row, |before, same| {
            let then = statements::list_of(conn, scope, before, (same, None));
            then.map(|then| then.statements)
        })?;
        self.sort(&mut statements, &calls, &changes);
        let rows = self
            .0
            .listing
            .cut(&mut statements, (first, left_out), is_ranked);
        let shown = statements.iter().flat_map(|row| &row.ids);
        let callers = used.of_statements(conn, &shown.copied().collect(), &calls)?;
        let previous = match &period.before {
            Some(window) => {
                let same = Pick::of_keys(statements.iter().map(Statement::key));
                let found = statements::list_of(conn, scope, window, (&same, None))?;
                let latencies = found.statements.iter().map(|row| &*row.series.latency);
                let is_covered = is_covered(conn, scope, window, latencies)?;
                Some(Previous {
                    statements: found.statements,
                    left_out: found.left_out,
                    axis: found.axis,
                    is_covered,
                })
            }
            None => None,
        };
        Ok(Answer {
            left_out: rows.total - statements.len(),
            statements,
            rows,
            most_time,
            axis,
            callers,
            callers_are_recent: window.asked.micros() > LATELY,
            insights: finding::list(conn, scope, Which::default())?,
            previous,
            sort: self.0.listing.sort,
        })
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let mut table = top::statements(&answer.statements);
        let callers = by_statement(&answer.callers);
        let heads = ["calls_per_request", "most_calls_per_request"];
        table.columns.extend(heads.map(Into::into));
        for (cells, row) in table.rows.iter_mut().zip(&answer.statements) {
            cells.push(Cell::from(per_request(&callers, row)));
            cells.push(Cell::from(most(&callers, row)));
        }
        vec![table]
    }
}

/// Whether all of a window is known.
///
/// It is when one of some latencies, or a request of the scope's services, is in its first quarter.
pub(crate) fn is_covered<'a>(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    mut latencies: impl Iterator<Item = &'a [Option<f64>]>,
) -> QueryResult<bool> {
    Ok(latencies.any(begins) || requests_begin(conn, scope, window)?)
}

/// Whether there is a value in the first quarter of a window.
fn begins(values: &[Option<f64>]) -> bool {
    let mut first = values.iter().take(values.len().div_ceil(4));
    first.any(Option::is_some)
}

/// Whether the services of a scope had requests in the first quarter of a window. The query of the scope is about what
/// they call, not about requests.
fn requests_begin(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<bool> {
    let requests = Scope {
        query: None,
        ..scope.clone()
    };
    change::is_covered(conn, &requests, window)
}

/// The rank of all statements for a column.
fn ranked(key: &str) -> Option<By> {
    match key {
        "calls" => Some(By::Count),
        "total" | "share" => Some(By::Time),
        "avg" => Some(By::Mean),
        "max" => Some(By::Max),
        "p95" => Some(By::P95),
        "statement" | "per_request" | "steps" | "scanned" | "sorts" => Some(By::Own),
        _ => None,
    }
}

impl Params {
    /// The rank of all statements by what their sums do not have.
    fn rank<'a>(&self, calls: &'a HashMap<i64, f64>) -> Option<Rank<'a>> {
        match self.0.listing.sort.key {
            "statement" => Some(Rank::Text),
            "per_request" => Some(Rank::Number(calls)),
            "steps" => Some(Rank::Cost(|cost| cost.steps)),
            "scanned" => Some(Rank::Cost(|cost| cost.scan_steps)),
            "sorts" => Some(Rank::Cost(|cost| cost.sorts)),
            _ => None,
        }
    }

    fn sort(
        &self,
        rows: &mut [Statement],
        calls: &HashMap<i64, f64>,
        changes: &HashMap<String, f64>,
    ) {
        let sort = &self.0.listing.sort;
        let change = |row: &Statement| changes.get(&row.key()).copied();
        let per_request = |row: &Statement| statements::greatest(calls, &row.ids);
        let longest = |row: &Statement| Some(row.latency_max as f64);
        let by_cost = |a: &Statement, b: &Statement, of: fn(&Cost) -> f64| {
            sort.compare(a.cost.as_ref().map(of), b.cost.as_ref().map(of))
        };
        rows.sort_rows_by(|a, b| match sort.key {
            "statement" => sort.compare_text(&a.normalized, &b.normalized),
            "calls" => sort.compare(Some(a.calls), Some(b.calls)),
            "per_request" => sort.compare(per_request(a), per_request(b)),
            "avg" => sort.compare(a.latency_avg, b.latency_avg),
            "change" => sort.compare(change(a), change(b)),
            "p95" => sort.compare(a.latency.map(|of| of.p95), b.latency.map(|of| of.p95)),
            "max" => sort.compare(longest(a), longest(b)),
            "steps" => by_cost(a, b, |cost| cost.steps),
            "scanned" => by_cost(a, b, |cost| cost.scan_steps),
            "sorts" => by_cost(a, b, |cost| cost.sorts),
            _ => sort.compare(Some(a.total), Some(b.total)),
        });
    }
}
