//! Correlations: values of fields that slow or failed requests have more often than the others.
//!
//! All requests of the window are read, within a time and a number, and every value of every field is counted in both
//! sets. A value stands out where chance would hardly put so many of its requests into the set: by Fisher's exact test,
//! corrected for the number of values that were tested (Bonferroni).

pub(crate) mod count;
mod significance;

use std::time::Duration;

use apm_store::StoreError;
use apm_store::event::Kind;
use diesel::SqliteConnection;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::deadline::Deadline;
use super::discover::{self, Limits, Request};
use super::percentile;
use super::samples::Durations;
use super::window::Window;
use crate::sort_rows::SortRows as _;
use count::{Counts, Of};

/// Requests that are read at most, the newest first.
pub const MOST_REQUESTS: usize = 50_000;
/// Rows of the answer.
pub const MOST: usize = 50;
/// Time for which requests are read.
const DEADLINE: Duration = apm_store::SEARCH_TIME;
/// Chance below which a value stands out.
const LEVEL: f64 = 0.05;
/// Requests of the set that a value needs to stand out.
const LEAST: u64 = 3;

/// The requests that are compared with all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Those that took at least as long as 95 % of all.
    Slow,
    /// Those of some durations.
    Selected(Durations),
    /// Those that failed.
    Failed,
}

/// A value that stands out.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Correlation {
    /// The field.
    pub field: String,
    /// Its value, as text.
    pub value: String,
    /// Other values that exactly the same requests have, as `field: value`.
    pub same: Vec<String>,
    /// Requests of the set with it.
    pub count: u64,
    /// All other requests with it.
    pub others: u64,
    /// Its share of the set, 0 to 1.
    pub share: f64,
    /// Its share of the others, 0 to 1.
    pub others_share: f64,
    /// Its share of the set / its share of the others; null where no other request has it.
    pub lift: Option<f64>,
    /// The chance that as many requests of the set had it if it had nothing to do with the set, corrected for the
    /// number of values that were tested; at most 1.
    pub p_value: f64,
}

/// The values that stand out.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Correlations {
    /// The values, the least likely by chance first; at most 50.
    pub correlations: Vec<Correlation>,
    /// Number of further values that stand out.
    pub left_out: usize,
    /// Requests that were looked at.
    pub requests: u64,
    /// Those of them that are in the set.
    pub selected: u64,
    /// Shortest duration in the set, µs; null for failed requests and where there is none.
    pub min: Option<i64>,
    /// Whether these are all requests of the window: false where time or number ended the reading.
    pub complete: bool,
    /// Fields that were compared.
    pub fields: usize,
    /// Values that were tested.
    pub tested: usize,
    /// Fields that were left out, because almost every request has another value.
    pub varied: Vec<String>,
}

/// Compares a set of requests with the others of a scope.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn read(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    set: Set,
) -> Result<Correlations, StoreError> {
    let request = request(scope, window);
    let deadline = Deadline::after(DEADLINE);
    let mut counts = Counts::default();
    let read = discover::each(
        conn,
        &request,
        &[Kind::Transaction],
        &deadline,
        &mut |document| {
            counts.add(document, MOST_REQUESTS);
        },
    )?;
    let complete = read && counts.beyond() == 0;
    let durations = match set {
        Set::Selected(durations) => durations,
        _ => Durations {
            min: slow(&counts).unwrap_or(i64::MAX),
            max: i64::MAX,
        },
    };
    let found = counts.compare(set.without(), |request| match set {
        Set::Failed => request.failed,
        _ => request.duration >= durations.min && request.duration < durations.max,
    });
    let all = counts.requests().count() as u64;
    Ok(answer(found, all, (set, durations), complete))
}

/// The transactions of a scope and a window as a search.
pub(crate) fn request(scope: &Scope, window: &Window) -> Request {
    let request = Request {
        query: discover::all_of([scope.chosen.query(), query(scope)]),
        range: window.range,
        size: 0,
        after: None,
        limits: Limits { deadline: DEADLINE },
    };
    request.within(scope.service.as_deref(), scope.environment.as_deref())
}

impl Set {
    /// Fields that are not compared.
    pub(crate) fn without(self) -> &'static [&'static str] {
        match self {
            Self::Failed => &count::OUTCOMES,
            _ => &[],
        }
    }
}

/// Whether a value may stand out: so many of the requests with it are in the set.
pub(crate) fn may_stand_out(of: &Of, selected: u64, all: u64) -> bool {
    of.inside >= LEAST && share(of.inside, selected) > share(of.outside, all - selected)
}

fn share(count: u64, of: u64) -> f64 {
    match of {
        0 => 0.0,
        of => count as f64 / of as f64,
    }
}

/// The duration from which on a request is slow: the 95th percentile, exactly.
fn slow(counts: &Counts) -> Option<i64> {
    let mut all: Vec<i64> = counts.requests().map(|request| request.duration).collect();
    all.sort_unstable();
    percentile::nearest_rank(&all, 0.95)
}

/// The transactions of a scope as a query over documents.
pub(super) fn query(scope: &Scope) -> Expr {
    let named = [
        ("transaction.type", &scope.transaction_type),
        ("transaction.name", &scope.transaction_name),
    ];
    let named = named.into_iter().filter_map(|(field, value)| {
        let value = value.as_deref()?;
        // A transaction without a name has no such field.
        let text = match value {
            "" => format!("not {field}: *"),
            value => kql::filter(field, value),
        };
        // Our own text, with a value that is escaped: it always parses, and names no time.
        kql::parse(&text, 0).ok()
    });
    discover::all_of(named.chain(scope.query.clone()))
}

/// The values that stand out among those that were counted. `all`: requests; `durations`: those of the set, unless it
/// is one of requests that failed.
pub(crate) fn answer(
    found: count::Found,
    all: u64,
    (set, durations): (Set, Durations),
    complete: bool,
) -> Correlations {
    let count::Found {
        values,
        selected,
        fields,
        varied,
    } = found;
    let others = all - selected;
    let tests = significance::Tests::new(all, selected);
    let tested = values.len();
    let correlation = |of: Of| {
        let Of {
            field,
            value,
            same,
            inside,
            outside,
        } = of;
        let (inner, outer) = (share(inside, selected), share(outside, others));
        // Of many values that are tested, some stand out by chance alone (Bonferroni).
        let p_value = (tests.chance(inside, inside + outside) * tested as f64).min(1.0);
        Correlation {
            field,
            value,
            same,
            count: inside,
            others: outside,
            share: inner,
            others_share: outer,
            lift: (outer > 0.0).then(|| inner / outer),
            p_value,
        }
    };
    let mut correlations: Vec<Correlation> = values
        .into_iter()
        .filter(|of| may_stand_out(of, selected, all))
        .map(correlation)
        .filter(|one| one.p_value < LEVEL)
        .collect();
    correlations.sort_rows_by(|a, b| {
        let likely = a.p_value.total_cmp(&b.p_value);
        let lift = |one: &Correlation| one.lift.unwrap_or(f64::INFINITY);
        likely
            .then_with(|| lift(b).total_cmp(&lift(a)))
            .then_with(|| b.count.cmp(&a.count))
            .then_with(|| (&a.field, &a.value).cmp(&(&b.field, &b.value)))
    });
    let left_out = correlations.len().saturating_sub(MOST);
    correlations.truncate(MOST);
    Correlations {
        correlations,
        left_out,
        requests: all,
        selected,
        min: match set {
            Set::Failed => None,
            _ => Some(durations.min).filter(|min| *min < i64::MAX),
        },
        complete,
        fields,
        tested,
        varied,
    }
}
