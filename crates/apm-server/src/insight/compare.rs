//! Two windows side by side: what got slower or faster, what is new, what is gone.
//!
//! Built on the lists of `analytics`, so that a figure here is the one of the table it comes from.

use std::collections::BTreeMap;

use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::Text;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::sql::Sql;
use crate::analytics::window::{LEVELS, Window};
use crate::analytics::{
    Scope, change, minutes, statements as statement_list, transactions as transaction_list,
};
use crate::sort_rows::SortRows as _;

/// Services that are compared.
const SERVICES: i64 = 50;

/// Ten minutes, seconds: the rollups that are left where those of minutes are gone.
const TEN: i64 = LEVELS[1];

/// A stretch of time, seconds since the epoch, `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Stretch {
    /// Its first second.
    pub from: i64,
    /// The second after its last.
    pub to: i64,
}

impl Stretch {
    /// As a window; never empty.
    #[must_use]
    pub fn window(self, now: i64) -> Window {
        let range = Range {
            from: self.from * SECOND,
            to: self.to.max(self.from + 1) * SECOND,
        };
        Window::new(range, now * SECOND)
    }
}

/// The time before and after a moment, each at most `reach` long, on full minutes: the minute of the change is in
/// neither.
#[must_use]
pub fn around(at: i64, now: i64, reach: i64) -> (Stretch, Stretch) {
    let before = at.div_euclid(60) * 60;
    let after = (before + 60).min(now);
    let length = (now - after).clamp(60, reach.max(60));
    (
        Stretch {
            from: before - length,
            to: before,
        },
        Stretch {
            from: after,
            to: after + length,
        },
    )
}

/// One side.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Side {
    /// Number of transactions.
    pub count: f64,
    /// Mean, µs.
    pub avg: f64,
    /// 95th percentile, µs; null where it is not known.
    pub p95: Option<f64>,
    /// Time of all, µs.
    pub total: f64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
}

/// A transaction group or a statement on both sides; new where there is no `before`, gone where there is no `after`.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Row {
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// `transaction.type`, or the statement's fingerprint.
    pub kind: String,
    /// `transaction.name`, or the statement.
    pub name: String,
    /// Then.
    pub before: Option<Side>,
    /// Now.
    pub after: Option<Side>,
}

impl Row {
    /// The additional time of today's calls against before, per call, times their number: µs.
    #[must_use]
    pub fn cost(&self) -> f64 {
        match (self.before, self.after) {
            (Some(before), Some(after)) => (after.avg - before.avg) * after.count,
            (None, Some(after)) => after.total,
            (Some(before), None) => -before.total,
            (None, None) => 0.0,
        }
    }
}

/// Both lists.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Comparison {
    /// Then.
    pub before: Stretch,
    /// Now.
    pub after: Stretch,
    /// True if requests are known from the first quarter of the time before, so that it is known whole.
    pub is_covered: bool,
    /// Greatest change of cost first.
    pub transactions: Vec<Row>,
    /// Greatest change of cost first.
    pub statements: Vec<Row>,
}

/// Both sides on full ten minutes where their minutes are deleted: the earlier moves back and the later forward, so
/// that neither counts events of the other.
fn widened(
    conn: &mut SqliteConnection,
    mut before: Stretch,
    mut after: Stretch,
) -> QueryResult<(Stretch, Stretch)> {
    let now = after.to;
    let mut are_gone = |side: Stretch| {
        let window = side.window(now);
        QueryResult::Ok(minutes::widened(conn, &window)?.range != window.range)
    };
    let up = |seconds: i64| (seconds + TEN - 1).div_euclid(TEN) * TEN;
    if are_gone(before)? {
        let to = before.to.div_euclid(TEN) * TEN;
        let from = to - up(before.to - before.from);
        before = Stretch { from, to };
    }
    if are_gone(after)? {
        let from = up(after.from);
        let to = from + up(after.to - after.from);
        after = Stretch { from, to };
    }
    Ok((before, after))
}

/// Compares a service or all of them, in an environment or in all.
///
/// # Errors
/// Those of SQLite.
pub fn windows(
    conn: &mut SqliteConnection,
    scope: &Scope,
    before: Stretch,
    after: Stretch,
) -> QueryResult<Comparison> {
    let (before, after) = widened(conn, before, after)?;
    Ok(Comparison {
        before,
        after,
        is_covered: change::is_covered(conn, scope, &before.window(after.to))?,
        transactions: transactions(conn, scope, before, after)?,
        statements: statements(conn, scope, before, after)?,
    })
}

/// The transaction groups of both sides.
///
/// # Errors
/// Those of SQLite.
pub fn transactions(
    conn: &mut SqliteConnection,
    scope: &Scope,
    before: Stretch,
    after: Stretch,
) -> QueryResult<Vec<Row>> {
    pairs(conn, scope, before, after, |conn, scope, window| {
        let list = transaction_list::list(conn, scope, window)?.transactions;
        Ok(list
            .into_iter()
            .map(|row| {
                let avg = row.latency_avg.unwrap_or(0.0);
                let side = Side {
                    count: row.count,
                    avg,
                    p95: row.latency.map(|latency| latency.p95),
                    total: avg * row.count,
                    failed_rate: row.failed_rate,
                };
                ((row.kind, row.name), side)
            })
            .collect())
    })
}

/// The statements of both sides.
///
/// # Errors
/// Those of SQLite.
pub fn statements(
    conn: &mut SqliteConnection,
    scope: &Scope,
    before: Stretch,
    after: Stretch,
) -> QueryResult<Vec<Row>> {
    pairs(conn, scope, before, after, |conn, scope, window| {
        let list = statement_list::list(conn, scope, window)?.statements;
        Ok(list
            .into_iter()
            .map(|row| {
                let avg = row.latency_avg.unwrap_or(0.0);
                let side = Side {
                    count: row.calls,
                    avg,
                    p95: row.latency.map(|latency| latency.p95),
                    total: row.total,
                    failed_rate: row.failed_rate,
                };
                ((row.fingerprint, row.normalized), side)
            })
            .collect())
    })
}

#[derive(QueryableByName)]
struct Service {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    environment: String,
}

type Sides = Vec<((String, String), Side)>;

fn pairs(
    conn: &mut SqliteConnection,
    scope: &Scope,
    before: Stretch,
    after: Stretch,
    list: impl Fn(&mut SqliteConnection, &Scope, &Window) -> QueryResult<Sides>,
) -> QueryResult<Vec<Row>> {
    let services: Vec<Service> = scope
        .bind(Sql::new(include_str!("compare/services.sql")))
        .bind("limit", SERVICES)
        .load(conn)?;
    let mut rows = Vec::new();
    for service in services {
        let scope = Scope {
            service: Some(service.name.clone()),
            environment: Some(service.environment.clone()),
            ..Scope::default()
        };
        // A key that one side alone has is new, or gone.
        let mut both: BTreeMap<(String, String), (Option<Side>, Option<Side>)> = BTreeMap::new();
        for (key, side) in list(conn, &scope, &before.window(after.to))? {
            both.entry(key).or_default().0 = Some(side);
        }
        for (key, side) in list(conn, &scope, &after.window(after.to))? {
            both.entry(key).or_default().1 = Some(side);
        }
        rows.extend(both.into_iter().map(|((kind, name), (before, after))| Row {
            service: service.name.clone(),
            environment: service.environment.clone(),
            kind,
            name,
            before,
            after,
        }));
    }
    rows.sort_rows_by(|a, b| b.cost().abs().total_cmp(&a.cost().abs()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_around_a_moment_are_equally_long_and_leave_its_minute_out() {
        let (before, after) = around(10_030, 10_500, 3_600);
        assert_eq!((before.to, after.from), (10_020, 10_080));
        assert_eq!(before.to - before.from, after.to - after.from);
        assert_eq!(after.to, 10_500);
        let (before, after) = around(10_030, 100_000, 3_600);
        assert_eq!(
            (before.to - before.from, after.to - after.from),
            (3_600, 3_600)
        );
        let (before, after) = around(10_030, 10_031, 3_600);
        assert!(before.from < before.to && after.from < after.to);
    }
}
