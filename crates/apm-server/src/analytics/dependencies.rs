//! Dependencies of services: databases, other services, queues; one of them with its callers.
//!
//! A dependency is called by its `span.destination.service.resource`, else its `service.target`, else the
//! subtype of its spans. Calls are spans; a composite span counts its parts.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::calls::{self, Callee};
use super::list::Pick;
use super::members::Members;
use super::percentile::Percentiles;
use super::series::{Axis, Series};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, histograms, list, mean};

/// One dependency, or one caller of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The caller; empty in a list over all callers.
    pub service: String,
    /// `span.type` of the calls, such as `db`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype` of the calls, such as `sqlite`.
    pub subtype: String,
    /// Calls in the window.
    pub count: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles of the duration, µs, within 1 %.
    pub latency: Option<Percentiles>,
    /// Longest, µs.
    pub latency_max: i64,
    /// Calls per minute.
    pub throughput: f64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Its time / the time of all, 0 to 1.
    pub impact: f64,
    /// The services that answered its calls, most calls first: their transactions name a call as their parent.
    pub services: Vec<Answered>,
    /// The sparklines.
    pub series: Series,
}

impl Dependency {
    /// The key of its row.
    pub(crate) fn key(&self) -> String {
        format!("{}\t{}", self.name, self.service)
    }
}

/// Calls of a dependency that a service answered.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Answered {
    /// `service.name`
    pub service: String,
    /// Calls in the window.
    pub count: f64,
}

impl From<Callee> for Answered {
    fn from(callee: Callee) -> Self {
        Self {
            service: callee.service.as_ref().to_owned(),
            count: callee.total.count,
        }
    }
}

/// The dependencies of a window, greatest impact first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Dependencies {
    /// The dependencies, at most 1000.
    pub dependencies: Vec<Dependency>,
    /// Number of others that are not listed.
    pub left_out: usize,
    /// Number of those with more time, before these.
    pub first: usize,
    /// False if they are ranked by time, and another order is asked for.
    #[serde(skip)]
    pub is_ranked: bool,
    /// The buckets of the sparklines.
    pub axis: Axis,
}

/// The type and subtype of a destination.
#[derive(QueryableByName)]
struct Kind {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    span_type: String,
    #[diesel(sql_type = Text)]
    span_subtype: String,
}

impl list::Attributes for Kind {
    fn id(&self) -> i64 {
        self.id
    }
}

/// The choice of rows to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// One dependency only.
    pub dependency: Option<String>,
    /// A row for each caller.
    pub by_service: bool,
}

fn bound(text: &'static str, scope: &Scope, choice: &Choice, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(text)))
        .bind("dependency", &choice.dependency)
        .bind("by_service", i64::from(choice.by_service))
}

fn answered(callees: Vec<Callee>) -> Vec<Answered> {
    callees.into_iter().map(Answered::from).collect()
}

/// The dependencies called in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    choice: &Choice,
    window: &Window,
) -> QueryResult<Dependencies> {
    list_of(conn, scope, choice, window, &Pick::default())
}

/// Those that are picked. Beyond all of them, the last thousand.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list_of(
    conn: &mut SqliteConnection,
    scope: &Scope,
    choice: &Choice,
    window: &Window,
    pick: &Pick,
) -> QueryResult<Dependencies> {
    let members = Members::read(
        conn,
        &bound(
            include_str!("dependencies/members.sql"),
            scope,
            choice,
            window,
        ),
    )?;
    let names = bound(
        include_str!("dependencies/names.sql"),
        scope,
        choice,
        window,
    );
    let found = pick.ids(conn, &names)?;
    let beside = list::Beside {
        found: found.as_ref(),
        own: None,
    };
    let table = Table::Destinations;
    let list::Lines {
        lines,
        members,
        all,
        left_out,
        first,
        is_ranked,
        ..
    } = list::lines(conn, table, &members, window, (pick, beside))?;
    let percentiles = histograms::percentiles(conn, table, &members, &window.slices(), None)?;
    let kinds = Sql::new(include_str!("dependencies/kinds.sql"));
    let kinds: HashMap<i64, Kind> = list::attributes(conn, kinds, &lines)?;
    let callees = calls::of_window(conn, &window.slices())?;
    let dependencies = lines
        .into_iter()
        .map(|line| {
            let (name, service) = line.key.rsplit_once('\t').unwrap_or_default();
            // Of several words the empty one is the least.
            let of = |word: fn(&Kind) -> &str| {
                let words = line.ids.iter().filter_map(|id| kinds.get(id)).map(word);
                words.max().unwrap_or_default().to_owned()
            };
            Dependency {
                name: name.to_owned(),
                service: service.to_owned(),
                kind: of(|kind| &kind.span_type),
                subtype: of(|kind| &kind.span_subtype),
                count: line.total.count,
                latency_avg: line.total.mean(),
                latency: line.latency(&percentiles),
                latency_max: line.total.max,
                throughput: line.total.count / window.minutes,
                failed_rate: line.total.failed_rate(),
                impact: mean(line.total.sum, all.sum).unwrap_or(0.0),
                services: answered(calls::together(&callees, &line.ids)),
                series: line.series,
            }
        })
        .collect();
    let axis = Axis::from(window);
    Ok(Dependencies {
        dependencies,
        left_out: left_out.len(),
        first,
        is_ranked,
        axis,
    })
}
