//! `/compare`: before and after a marker, or this range and the one before it. `/markers`: the markers.

use apm_time::{Range, SECOND};
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Shape;
use super::parameter::Parameter;
use super::part::Part;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::csv::{Cell, Column, Table};
use crate::insight::compare::{self, Comparison, Row, Side, Stretch};
use crate::insight::marker::{self, Marker};

const MARKER: Parameter = Parameter::text(
    "marker",
    "The name or number of a marker: an hour before it with up to an hour after it. Default: the range with the one of \
     the same length before it.",
);
const SIZE: Parameter = Parameter::whole(
    "size",
    1,
    MOST as i64,
    "Rows of each table. Default 100 for a page in HTML, else 1000.",
);

/// Reach of a comparison around a marker, seconds.
const REACH: i64 = 3_600;
/// Rows of each table: at most, and of a page.
const MOST: usize = 1_000;
const SHOWN: usize = 100;
/// The shortest range that is compared, seconds.
const SHORTEST: i64 = 60;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    scope: Scope,
    marker: Option<String>,
    range: Range,
    /// µs
    now: i64,
    size: usize,
    /// True if a marker that is not there is left out: pages say which there are.
    is_page: bool,
}

/// Two stretches of time compared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Compared")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) compared: Comparison,
    /// Number of transaction groups on both sides.
    pub(crate) transactions_total: usize,
    /// Number of statements on both sides.
    pub(crate) statements_total: usize,
    /// The marker that is compared around; null where a range is.
    pub(crate) marker: Option<Marker>,
    /// The markers that there are, newest first.
    pub(crate) markers: Vec<Marker>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/compare");
    const SUMMARY: &'static str = "Before and after";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["transactions", "statements", "markers"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let is_page = arguments.shape == Shape::Page;
        let usual = if is_page { SHOWN } else { MOST };
        Ok(Self {
            scope: arguments.whole_scope()?,
            marker: arguments.owned(&MARKER)?,
            range: arguments.range()?,
            now: arguments.now,
            size: arguments.count(&SIZE)?.unwrap_or(usual),
            is_page,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let markers = marker::list(conn, &self.scope)?;
        let marker = match &self.marker {
            Some(name) => {
                let found = marker::find(conn, name)?;
                if found.is_none() && !self.is_page {
                    return Err(Problem::Unknown {
                        what: "marker",
                        name: name.clone(),
                    });
                }
                found
            }
            None => None,
        };
        let (before, after) = match &marker {
            Some(marker) => compare::around(marker.at, self.now / SECOND, REACH),
            None => {
                let (from, to) = (self.range.from / SECOND, self.range.to / SECOND);
                let length = (to - from).max(SHORTEST);
                let before = Stretch {
                    from: from - length,
                    to: from,
                };
                (before, Stretch { from, to })
            }
        };
        let mut compared = compare::windows(conn, &self.scope, before, after)?;
        let transactions_total = compared.transactions.len();
        let statements_total = compared.statements.len();
        compared.transactions.truncate(self.size);
        compared.statements.truncate(self.size);
        Ok(Answer {
            compared,
            transactions_total,
            statements_total,
            marker,
            markers,
        })
    }

    fn part_of(answer: &Answer, table: &str) -> Option<Part> {
        let compared = &answer.compared;
        let (rows, total) = match table {
            "transactions" => (&compared.transactions, answer.transactions_total),
            "statements" => (&compared.statements, answer.statements_total),
            _ => return None,
        };
        Some(Part {
            first: Some(0),
            shown: rows.len(),
            total,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows("transactions", &answer.compared.transactions, &SIDES),
            Table::from_rows("statements", &answer.compared.statements, &SIDES),
            markers(&answer.markers),
        ]
    }
}

fn side(of: Option<Side>, value: fn(Side) -> Cell) -> Cell {
    of.map_or(Cell::Empty, value)
}

const SIDES: [Column<Row>; 14] = [
    ("service", |row| (&row.service).into()),
    ("environment", |row| (&row.environment).into()),
    ("kind", |row| (&row.kind).into()),
    ("name", |row| (&row.name).into()),
    ("before_count", |row| side(row.before, |of| of.count.into())),
    ("after_count", |row| side(row.after, |of| of.count.into())),
    ("before_avg_us", |row| side(row.before, |of| of.avg.into())),
    ("after_avg_us", |row| side(row.after, |of| of.avg.into())),
    ("before_p95_us", |row| side(row.before, |of| of.p95.into())),
    ("after_p95_us", |row| side(row.after, |of| of.p95.into())),
    ("before_total_us", |row| {
        side(row.before, |of| of.total.into())
    }),
    ("after_total_us", |row| {
        side(row.after, |of| of.total.into())
    }),
    ("before_failed_rate", |row| {
        side(row.before, |of| of.failed_rate.into())
    }),
    ("after_failed_rate", |row| {
        side(row.after, |of| of.failed_rate.into())
    }),
];

fn markers(rows: &[Marker]) -> Table {
    Table::from_rows(
        "markers",
        rows,
        &[
            ("id", |row: &Marker| row.id.into()),
            ("time_utc", |row| Cell::second(row.at)),
            ("service", |row| (&row.service).into()),
            ("environment", |row| {
                row.environment.as_ref().map_or(Cell::Empty, Cell::from)
            }),
            ("name", |row| (&row.name).into()),
        ],
    )
}

/// The markers of a service and an environment, or all.
#[derive(Debug)]
pub(crate) struct MarkersParams(Scope);

/// Markers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Markers")]
pub(crate) struct Markers {
    /// Newest first.
    markers: Vec<Marker>,
}

impl Question for MarkersParams {
    type Answer = Markers;
    const ADDRESS: Address = at!("/markers");
    const SUMMARY: &'static str = "Markers";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["markers"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        arguments.whole_scope().map(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Markers, Problem> {
        Ok(Markers {
            markers: marker::list(source.conn, &self.0)?,
        })
    }

    fn tables(answer: &Markers) -> Vec<Table> {
        vec![markers(&answer.markers)]
    }
}
