//! The first rows of a list within another answer.

use diesel::{QueryResult, SqliteConnection};
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::Scope;
use crate::analytics::dependencies::Dependency;
use crate::analytics::errors::{self as groups, ErrorGroup, Status, Which};
use crate::analytics::statements::{Cost, Statement};
use crate::analytics::transactions::Transaction;
use crate::analytics::window::Window;
use crate::csv::{Cell, Column, Table};
use crate::insight::callers::Caller;
use crate::sort_rows::SortRows as _;

/// Errors that are shown beside another list.
const ERRORS: usize = 5;

/// The transaction groups with most time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TopTransactions {
    /// Most time first.
    pub(crate) transactions: Vec<Transaction>,
    /// Number of all groups.
    pub(crate) total: usize,
}

/// Statements of the requests of a group, if they run any.
pub(crate) fn sql_of<'a>(sql: &'a [Caller], group: &Transaction) -> Option<&'a Caller> {
    let is_own = |caller: &&Caller| caller.kind == group.kind && caller.transaction == group.name;
    sql.iter().find(is_own).filter(|caller| caller.calls > 0.0)
}

/// The columns of a transaction group.
const TRANSACTION: [Column<Transaction>; 11] = [
    ("transaction", |row| (&row.name).into()),
    ("type", |row| (&row.kind).into()),
    ("transactions", |row| row.count.into()),
    ("latency_avg_us", |row| row.latency_avg.into()),
    ("latency_p50_us", |row| row.latency.map(|of| of.p50).into()),
    ("latency_p95_us", |row| row.latency.map(|of| of.p95).into()),
    ("latency_p99_us", |row| row.latency.map(|of| of.p99).into()),
    ("latency_max_us", |row| row.latency_max.into()),
    ("throughput_per_minute", |row| row.throughput.into()),
    ("failed_rate", |row| row.failed_rate.into()),
    ("impact", |row| row.impact.into()),
];

/// The table of transaction groups.
pub(crate) fn transactions<'a>(rows: impl IntoIterator<Item = &'a Transaction>) -> Table {
    Table::from_rows("transactions", rows, &TRANSACTION)
}

/// The same with what the requests of each ask of databases.
pub(crate) fn transactions_with_sql(rows: &[Transaction], sql: &[Caller]) -> Table {
    let mut table = transactions(rows);
    let heads = [
        "statements_per_request",
        "sql_time_per_request_us",
        "sql_share",
    ];
    table.columns.extend(heads.map(Into::into));
    for (cells, group) in table.rows.iter_mut().zip(rows) {
        let asks = sql_of(sql, group);
        cells.extend([
            asks.map(|caller| caller.calls).into(),
            asks.map(|caller| caller.time).into(),
            asks.and_then(|caller| caller.share).into(),
        ]);
    }
    table
}

/// The table of dependencies.
pub(crate) fn dependencies<'a>(rows: impl IntoIterator<Item = &'a Dependency>) -> Table {
    Table::from_rows(
        "dependencies",
        rows,
        &[
            ("dependency", |row| (&row.name).into()),
            ("service", |row| (&row.service).into()),
            ("type", |row| (&row.kind).into()),
            ("subtype", |row| (&row.subtype).into()),
            ("calls", |row| row.count.into()),
            ("latency_avg_us", |row| row.latency_avg.into()),
            ("latency_p50_us", |row| row.latency.map(|of| of.p50).into()),
            ("latency_p95_us", |row| row.latency.map(|of| of.p95).into()),
            ("latency_p99_us", |row| row.latency.map(|of| of.p99).into()),
            ("latency_max_us", |row| row.latency_max.into()),
            ("throughput_per_minute", |row| row.throughput.into()),
            ("failed_rate", |row| row.failed_rate.into()),
            ("impact", |row| row.impact.into()),
            ("services", |row| services(row).into()),
        ],
    )
}

/// The services behind a dependency, in one cell.
fn services(row: &Dependency) -> String {
    let names: Vec<&str> = row.services.iter().map(|one| &*one.service).collect();
    names.join(", ")
}

/// The columns of a statement.
pub(crate) const STATEMENT: [Column<Statement>; 28] = [
    ("service", |row| (&row.service).into()),
    ("environments", |row| row.environments.join(", ").into()),
    ("instance", |row| (&row.instance).into()),
    ("subtype", |row| (&row.subtype).into()),
    ("fingerprint", |row| (&row.fingerprint).into()),
    ("statement", |row| (&row.normalized).into()),
    ("verb", |row| (&row.verb).into()),
    ("table", |row| (&row.table).into()),
    ("first_seen_utc", |row| Cell::second(row.first_seen)),
    ("last_seen_utc", |row| Cell::second(row.last_seen)),
    ("calls", |row| row.calls.into()),
    ("throughput_per_minute", |row| row.throughput.into()),
    ("total_us", |row| row.total.into()),
    ("share", |row| row.share.into()),
    ("latency_avg_us", |row| row.latency_avg.into()),
    ("latency_p50_us", |row| row.latency.map(|of| of.p50).into()),
    ("latency_p95_us", |row| row.latency.map(|of| of.p95).into()),
    ("latency_p99_us", |row| row.latency.map(|of| of.p99).into()),
    ("latency_max_us", |row| row.latency_max.into()),
    ("failed_rate", |row| row.failed_rate.into()),
    ("measured_calls", |row| cost(row, |cost| cost.measured)),
    ("steps_per_call", |row| cost(row, |cost| cost.steps)),
    ("steps_max", |row| row.cost.map(|of| of.steps_max).into()),
    ("scan_steps_per_call", |row| {
        cost(row, |cost| cost.scan_steps)
    }),
    ("sorts_per_call", |row| cost(row, |cost| cost.sorts)),
    ("rows_returned_per_call", |row| {
        cost(row, |cost| cost.rows_returned)
    }),
    ("rows_changed_per_call", |row| {
        row.cost.and_then(|of| of.rows_changed).into()
    }),
    ("sample", |row| (&row.sample).into()),
];

/// A count of SQLite's; nothing where no call was measured.
fn cost(row: &Statement, of: fn(&Cost) -> f64) -> Cell {
    row.cost.as_ref().map(of).into()
}

/// The table of statements.
pub(crate) fn statements<'a>(rows: impl IntoIterator<Item = &'a Statement>) -> Table {
    Table::from_rows("statements", rows, &STATEMENT)
}

/// The table of error groups.
pub(crate) fn errors<'a>(rows: impl IntoIterator<Item = &'a ErrorGroup>) -> Table {
    Table::from_rows(
        "errors",
        rows,
        &[
            ("service", |row| (&row.service).into()),
            ("environments", |row| row.environments.join(", ").into()),
            ("key", |row| (&row.key).into()),
            ("type", |row| (&row.kind).into()),
            ("message", |row| (&row.message).into()),
            ("culprit", |row| (&row.culprit).into()),
            ("handled", |row| row.handled.into()),
            ("status", |row| row.state.status.as_str().into()),
            ("assignee", |row| (&row.state.assignee).into()),
            ("occurrences", |row| row.occurrences.into()),
            ("first_seen_utc", |row| Cell::second(row.first_seen)),
            ("last_seen_utc", |row| {
                row.latest.map_or(Cell::Empty, Cell::Time)
            }),
        ],
    )
}

/// The table of the callers of a statement.
pub(crate) fn callers<'a>(rows: impl IntoIterator<Item = &'a Caller>) -> Table {
    Table::from_rows(
        "callers",
        rows,
        &[
            ("service", |row| (&row.service).into()),
            ("type", |row| (&row.kind).into()),
            ("transaction", |row| (&row.transaction).into()),
            ("requests", |row| row.requests.into()),
            ("calls_per_request", |row| row.calls.into()),
            ("most_calls_per_request", |row| row.most.into()),
            ("time_per_request_us", |row| row.time.into()),
            ("share", |row| row.share.into()),
            ("trace_id", |row| (&row.trace).into()),
        ],
    )
}

/// The open error groups that deserve a look first.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TopErrors {
    /// Unhandled ones first, then by their occurrences.
    pub(crate) errors: Vec<ErrorGroup>,
    /// Number of all groups.
    pub(crate) total: usize,
}

impl TopErrors {
    pub(crate) fn read(
        conn: &mut SqliteConnection,
        scope: &Scope,
        window: &Window,
    ) -> QueryResult<Self> {
        let open = Which {
            status: Some(Status::Open),
            key: None,
        };
        let found = groups::list_of(conn, scope, open, window, &groups::Pick::default())?;
        let total = found.errors.len() + found.left_out;
        Ok(Self::first(found.errors, total, ERRORS))
    }

    /// At most so many of the errors.
    pub(crate) fn first(mut errors: Vec<ErrorGroup>, total: usize, most: usize) -> Self {
        errors.sort_rows_by_key(|group| {
            std::cmp::Reverse((group.handled == Some(false), group.occurrences))
        });
        errors.truncate(most);
        Self { errors, total }
    }
}
