//! Statements that services ask their databases: one row per (service, database, fingerprint).
//!
//! Calls and time count the parts of a composite span. Percentiles come from histograms, within 1 %.

mod cost;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::dependencies::Dependency;
use super::list::Pick;
use super::members::Members;
use super::percentile::Percentiles;
use super::series::{Axis, Series};
use super::sql::Sql;
use super::totals::{self, Sum};
use super::window::Window;
use super::{Scope, histograms, list, mean};
pub use cost::Cost;
use cost::Costs;

/// One statement of one service on one database.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Statement {
    /// `service.name`
    pub service: String,
    /// `service.environment` of each in which it was called; empty where it is not set.
    pub environments: Vec<String>,
    /// `span.db.instance`, may be empty.
    pub instance: String,
    /// `span.subtype`, such as `sqlite`.
    pub subtype: String,
    /// 16 hex digits.
    pub fingerprint: String,
    /// With `?` for its literals.
    pub normalized: String,
    /// The first text seen, literals and all, cut to 4 KiB.
    pub sample: String,
    /// `SELECT`, `INSERT`, …; may be empty.
    pub verb: String,
    /// The first table that it names, may be empty.
    pub table: String,
    /// When it first arrived, seconds since the epoch.
    pub first_seen: i64,
    /// When it last arrived, seconds since the epoch, exact to an hour.
    pub last_seen: i64,
    /// Calls in the window.
    pub calls: f64,
    /// Calls per minute.
    pub throughput: f64,
    /// Time of all calls, µs.
    pub total: f64,
    /// Its time / the time of all statements of the services that are asked for, 0 to 1.
    pub share: f64,
    /// Mean, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles, µs.
    pub latency: Option<Percentiles>,
    /// Longest, µs.
    pub latency_max: i64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// The cost of a call in SQLite; null where no call was measured.
    pub cost: Option<Cost>,
    /// The sparklines.
    pub series: Series,
    /// Its ids in the store: one for each environment.
    #[serde(skip)]
    pub ids: Vec<i64>,
}

impl Statement {
    /// The key of its row, as `members.sql` makes it.
    pub(crate) fn key(&self) -> String {
        let fingerprint = u64::from_str_radix(&self.fingerprint, 16).unwrap_or_default();
        format!(
            "{}\t{}\t{}\t{}",
            self.service,
            self.instance,
            self.subtype,
            fingerprint.cast_signed()
        )
    }
}

/// The rank of statements by what the sums of their time do not have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rank<'a> {
    /// Their text.
    Text,
    /// A number of their cost in SQLite.
    Cost(fn(&Cost) -> f64),
    /// A number by their ids.
    Number(&'a HashMap<i64, f64>),
}

/// The statements of a window, most time first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Statements {
    /// The statements, at most 1000.
    pub statements: Vec<Statement>,
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

/// A statement's own row.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    instance: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    sample: String,
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
}

impl Row {
    /// With the times of the same statement in another environment.
    fn and(mut self, other: Self) -> Self {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self
    }
}

impl list::Attributes for Row {
    fn id(&self) -> i64 {
        self.id
    }
}

fn bound(text: &'static str, scope: &Scope, fingerprint: Option<u64>, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(text)))
        .bind("fingerprint", fingerprint.map(u64::cast_signed))
}

/// The statements of a scope.
pub(super) fn members(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: Option<u64>,
    window: &Window,
) -> QueryResult<Members> {
    let text = include_str!("statements/members.sql");
    Members::read(conn, &bound(text, scope, fingerprint, window))
}

/// The statements called in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Statements> {
    let members = members(conn, scope, None, window)?;
    let costs = Costs::read(conn, &window.slices(), None)?;
    of_members(conn, &members, window, most_time(&Pick::default()), &costs)
}

/// One statement wherever it runs, and its ids in the store.
pub(super) fn one(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
    window: &Window,
) -> QueryResult<(Statements, Vec<i64>)> {
    let own = members(conn, scope, Some(fingerprint), window)?;
    let ids: Vec<i64> = own.ids().collect();
    let costs = Costs::read(conn, &window.slices(), Some(&ids))?;
    let mut found = of_members(conn, &own, window, most_time(&Pick::default()), &costs)?;
    // The share is that of a list: of the time of all statements, and not of those that are chosen.
    let all = members(conn, scope, None, window)?;
    let sums = totals::of_window(conn, Table::Statements, &all, &window.slices())?;
    let all: f64 = sums.iter().map(|sum| sum.total.sum).sum();
    for statement in &mut found.statements {
        statement.share = mean(statement.total, all).unwrap_or(0.0);
    }
    Ok((found, ids))
}

/// Those of all statements that are picked. Beyond all of them, the last thousand. `rank`: what
/// [`list::By::Own`] ranks by.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list_of(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (pick, rank): (&Pick, Option<Rank<'_>>),
) -> QueryResult<Statements> {
    let members = members(conn, scope, None, window)?;
    let names = bound(include_str!("statements/names.sql"), scope, None, window);
    let found = pick.ids(conn, &names)?;
    let costs = Costs::read(conn, &window.slices(), None)?;
    let texts = match rank {
        Some(Rank::Text) => places_by_text(conn, &by_text_sql(scope, window))?,
        _ => HashMap::new(),
    };
    let own = |_: &str, sum: &Sum| match rank? {
        Rank::Text => greatest(&texts, &sum.ids),
        Rank::Cost(of) => costs.per_call(&sum.ids).as_ref().map(of),
        Rank::Number(numbers) => greatest(numbers, &sum.ids),
    };
    let beside = list::Beside {
        found: found.as_ref(),
        own: Some(&own),
    };
    of_members(conn, &members, window, (pick, beside), &costs)
}

/// The greatest number of a statement, which is several in the store.
pub(crate) fn greatest(numbers: &HashMap<i64, f64>, ids: &[i64]) -> Option<f64> {
    let known = ids.iter().filter_map(|id| numbers.get(id));
    known.copied().reduce(f64::max)
}

/// The query for the order of statements by their texts.
pub(super) fn by_text_sql(scope: &Scope, window: &Window) -> Sql {
    bound(include_str!("statements/by_text.sql"), scope, None, window)
}

/// The place of each statement among all by text.
fn places_by_text(conn: &mut SqliteConnection, sql: &Sql) -> QueryResult<HashMap<i64, f64>> {
    #[derive(QueryableByName)]
    struct Placed {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let mut places = HashMap::new();
    sql.each(conn, |row: Placed| {
        places.insert(row.id, places.len() as f64);
    })?;
    Ok(places)
}

/// Rows that are picked by their time alone.
fn most_time(pick: &Pick) -> (&Pick, list::Beside<'_>) {
    (pick, list::Beside::default())
}

fn of_members(
    conn: &mut SqliteConnection,
    members: &Members,
    window: &Window,
    picked: (&Pick, list::Beside<'_>),
    costs: &Costs,
) -> QueryResult<Statements> {
    let table = Table::Statements;
    let list::Lines {
        lines,
        members,
        all,
        left_out,
        first,
        is_ranked,
        ..
    } = list::lines(conn, table, members, window, picked)?;
    let percentiles = histograms::percentiles(conn, table, &members, &window.slices(), None)?;
    let texts = Sql::new(include_str!("statements/texts.sql"));
    let mut texts: HashMap<i64, Row> = list::attributes(conn, texts, &lines)?;
    let statements = lines
        .into_iter()
        .filter_map(|line| {
            // One id for each environment in which it ran.
            let rows = line.ids.iter().filter_map(|id| texts.remove(id));
            let rows: Vec<Row> = rows.collect();
            let mut environments: Vec<String> =
                rows.iter().map(|row| row.environment.clone()).collect();
            environments.sort_unstable();
            environments.dedup();
            let row = rows.into_iter().reduce(Row::and)?;
            Some(Statement {
                latency: line.latency(&percentiles),
                service: row.service,
                environments,
                instance: row.instance,
                subtype: row.subtype,
                fingerprint: format!("{:016x}", row.fingerprint),
                normalized: row.normalized,
                sample: row.sample,
                verb: row.verb,
                table: row.table_name,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
                calls: line.total.count,
                throughput: line.total.count / window.minutes,
                total: line.total.sum,
                share: mean(line.total.sum, all.sum).unwrap_or(0.0),
                latency_avg: line.total.mean(),
                latency_max: line.total.max,
                failed_rate: line.total.failed_rate(),
                cost: costs.per_call(&line.ids),
                series: line.series,
                ids: line.ids,
            })
        })
        .collect();
    let axis = Axis::from(window);
    Ok(Statements {
        statements,
        left_out: left_out.len(),
        first,
        is_ranked,
        axis,
    })
}

/// The statements that some callers run on databases of one kind: the operations of a dependency.
///
/// # Errors
/// Those of SQLite.
pub fn of_dependency(
    conn: &mut SqliteConnection,
    scope: &Scope,
    callers: &[Dependency],
    window: &Window,
) -> QueryResult<Statements> {
    let members = members(conn, scope, None, window)?;
    let members = members.filter(|key| {
        // Service, instance, subtype, fingerprint.
        let mut words = key.rsplitn(4, '\t');
        let (subtype, service) = (words.nth(1), words.nth(1));
        callers.iter().any(|caller| {
            caller.kind == "db"
                && Some(caller.service.as_str()) == service
                && Some(caller.subtype.as_str()) == subtype
        })
    });
    let costs = Costs::read(conn, &window.slices(), None)?;
    of_members(conn, &members, window, most_time(&Pick::default()), &costs)
}
