//! `/errors` and `/services/{service}/errors`: which errors there were, how often, since when.

use apm_time::{Range, SECOND};
use schemars::JsonSchema;
use serde::Serialize;

use super::charts::counts_table;
use super::listed::Listed;
use super::listing::{Listing, Rows, Sort};
use super::parameter::Parameter;
use super::parameter::shared::SERVICE;
use super::part::Part;
use super::period::Period;
use super::sourced::Sourced;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::errors::{self, ByStatus, ErrorGroup, Errors, Status, Which};
use crate::analytics::filter::List;
use crate::analytics::series::Axis;
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 5] = ["message", "count", "service", "first", "last"];

const STATE: Parameter = Parameter::word(
    "state",
    &["open", "resolved", "ignored", "all"],
    "Groups of one state, as people decided. Default `open`.",
);

/// The errors of all services.
#[derive(Debug)]
pub(crate) struct All(Wanted);

/// A list, of groups of one state or of all.
#[derive(Debug)]
struct Wanted {
    list: Listed,
    status: Option<Status>,
}

/// The errors of one service.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    list: Wanted,
}

/// Error groups.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Errors")]
pub(crate) struct Answer {
    /// The groups, latest first unless `sort` says otherwise.
    pub(crate) errors: Vec<ErrorGroup>,
    /// Number of groups on other pages.
    pub(crate) left_out: usize,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The state of the groups; null: any.
    pub(crate) status: Option<Status>,
    /// The number of groups of each state.
    pub(crate) by_status: ByStatus,
    /// Occurrences of all groups.
    pub(crate) occurrences: i64,
    /// The same per minute.
    pub(crate) occurrences_per_minute: f64,
    /// Occurrences that no code handled.
    pub(crate) unhandled: i64,
    /// When the latest one occurred, µs since the epoch; null where only rollups are left of them.
    pub(crate) latest: Option<i64>,
    /// Number of groups that were first seen within the range.
    pub(crate) new: usize,
    /// The group with most occurrences; null where there are none.
    pub(crate) most_frequent: Option<ErrorGroup>,
    /// Occurrences of all groups in each of the axis's buckets.
    pub(crate) series: Sourced<Vec<i64>>,
    /// The buckets of the series.
    pub(crate) axis: Axis,
    /// The groups of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

/// Error groups of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorsBefore")]
pub(crate) struct Previous {
    /// Those of the answer that occurred there, latest first.
    errors: Vec<ErrorGroup>,
    /// Number of others that occurred there.
    left_out: usize,
    /// Occurrences of all groups.
    occurrences: i64,
    /// The same in each of the axis's buckets.
    series: Vec<i64>,
    /// The buckets of the series.
    axis: Axis,
}

/// True if a group was first seen within the range.
pub(crate) fn is_new(range: Range, group: &ErrorGroup) -> bool {
    group.first_seen * SECOND >= range.from
}

/// The title of an error: its message, else its type.
pub(crate) fn title(group: &ErrorGroup) -> &str {
    match (group.message.is_empty(), group.kind.is_empty()) {
        (false, _) => &group.message,
        (true, false) => &group.kind,
        (true, true) => "error without a message",
    }
}

impl Question for All {
    type Answer = Answer;
    const ADDRESS: Address = at!("/errors");
    const SUMMARY: &'static str = "Error groups of all services";
    const TABLES: &'static [&'static str] = &["errors", "occurrences"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let scope = arguments.chosen_scope(List::Errors)?;
        Ok(Self(listed(arguments, scope)?))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        answer(&self.0, source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(answer)
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/errors");
    const SUMMARY: &'static str = "Error groups of a service";
    const TABLES: &'static [&'static str] = &["errors", "occurrences"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            list: listed(arguments, arguments.service_scope(List::Errors)?)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        answer(&self.list, source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(answer)
    }
}

fn tables(answer: &Answer) -> Vec<Table> {
    let counts = answer.series.iter().map(|n| (*n).into());
    vec![
        top::errors(&answer.errors),
        counts_table("occurrences", "occurrences", &answer.axis, counts),
    ]
}

/// The parameters, of events of a scope.
fn listed(arguments: &Arguments, scope: Scope) -> Result<Wanted, Problem> {
    let state = arguments.word(&STATE)?.unwrap_or("open");
    let mut all = Status::ALL.into_iter();
    Ok(Wanted {
        list: Listed::read(
            arguments,
            scope,
            Period::optional(arguments)?,
            &SORTS,
            "-last",
        )?,
        status: all.find(|status| status.as_str() == state),
    })
}

fn answer(wanted: &Wanted, source: &mut Source<'_>) -> Result<Answer, Problem> {
    let (list, status) = (&wanted.list, wanted.status);
    let conn = &mut *source.conn;
    let which = Which { key: None, status };
    let period = list.period.stored(conn)?;
    let (scope, window) = (&list.scope, &period.window);
    let pick = pick(&list.listing);
    let found = Sourced::read(conn, |conn| {
        errors::list_of(conn, scope, which, window, &pick)
    })?;
    let (found, sql) = found.into_parts();
    let Errors {
        mut errors,
        left_out,
        first,
        figures,
        series,
        axis,
    } = found;
    sort(&list.listing.sort, &mut errors);
    let rows = list.listing.cut(&mut errors, (first, left_out), true);
    let previous = match &period.before {
        Some(window) => {
            let same = errors::Pick {
                keys: Some(errors.iter().filter_map(key).collect()),
                ..errors::Pick::default()
            };
            Some(errors::list_of(conn, scope, which, window, &same)?)
        }
        None => None,
    };
    Ok(Answer {
        left_out: rows.total - errors.len(),
        errors,
        rows,
        status,
        by_status: errors::by_status(conn, scope, window)?,
        occurrences: figures.occurrences,
        occurrences_per_minute: figures.occurrences as f64 / window.minutes,
        unhandled: figures.unhandled,
        latest: figures.latest,
        new: figures.new,
        most_frequent: figures.most_frequent,
        series: Sourced::new(series, sql),
        axis,
        previous: previous.map(|found| Previous {
            errors: found.errors,
            left_out: found.left_out,
            occurrences: found.figures.occurrences,
            series: found.series,
            axis: found.axis,
        }),
        sort: list.listing.sort,
    })
}

/// The service and the key of a group.
fn key(group: &ErrorGroup) -> Option<(String, u64)> {
    let key = u64::from_str_radix(&group.key, 16).ok()?;
    Some((group.service.clone(), key))
}

/// The groups that are read: the database ranks all of them by any column.
fn pick(listing: &Listing) -> errors::Pick {
    errors::Pick {
        search: listing.text().cloned(),
        rank: listing.sort.key,
        descending: listing.sort.descending,
        first: listing.first(),
        keys: None,
    }
}

fn sort(sort: &Sort, groups: &mut [ErrorGroup]) {
    let number = |value: i64| Some(value as f64);
    groups.sort_rows_by(|a, b| match sort.key {
        "message" => sort.compare_text(title(a), title(b)),
        "count" => sort.compare(number(a.occurrences), number(b.occurrences)),
        "service" => sort.compare_text(&a.service, &b.service),
        "first" => sort.compare(number(a.first_seen), number(b.first_seen)),
        _ => sort.compare(a.latest.and_then(number), b.latest.and_then(number)),
    });
}
