//! Whether a statement gets slower with its table, where that can be told.

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Gate, Outcome};
use crate::analytics::sql::Sql;
use crate::insight::finding::{count_words, duration_words};
use crate::insight::growth::{self, FEWEST_POINTS, FEWEST_SIZES, Growth, LEAST_FACTOR, Subject};

/// Statements that are looked at, those that took most time.
const STATEMENTS: i64 = 100;

/// Reasons that are listed.
const LISTED: usize = 20;

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    service_id: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    table_name: String,
}

/// The bound `no-growth`.
pub(super) fn outcome(
    conn: &mut SqliteConnection,
    gate: &Gate,
    since: i64,
    now: i64,
) -> QueryResult<Outcome> {
    let statements: Vec<Statement> = Sql::new(include_str!("statements.sql"))
        .bind("service", &gate.service)
        .bind("from", since.div_euclid(60 * SECOND) * 60)
        .bind("limit", STATEMENTS)
        .load(conn)?;
    let (mut judged, mut failures, mut not_judged) = (0, Vec::new(), Vec::new());
    if statements.is_empty() {
        not_judged.push("no statement that reads a table was seen".to_owned());
    }
    for statement in statements {
        let subject = Subject {
            statement: statement.id,
            service: statement.service_id,
            table: &statement.table_name,
        };
        let growth = growth::read(conn, subject, now / SECOND)?;
        match growth
            .as_ref()
            .map_or_else(|| Err(unknown_rows(&statement.table_name)), judge)
        {
            Ok(None) => judged += 1,
            Ok(Some(growth)) => {
                judged += 1;
                failures.push(format!("{} {growth}", statement.normalized));
            }
            Err(why) => not_judged.push(format!("{}: {why}", statement.normalized)),
        }
    }
    if not_judged.len() > LISTED {
        let more = not_judged.len() - LISTED;
        not_judged.truncate(LISTED);
        not_judged.push(format!("and {more} more statements"));
    }
    Ok(Outcome::new("no-growth", judged, failures, not_judged))
}

/// The growth of a statement, if it grows; or why that cannot be told.
fn judge(growth: &Growth) -> Result<Option<String>, String> {
    // Steps are the same on any machine: where they tell, time has no say.
    if let Some(steps) = growth.steps.as_ref().filter(|steps| steps.is_judged()) {
        return Ok(steps.growing().map(|trend| {
            format!(
                "takes {} more steps of SQLite per 1,000 rows of {}, growing {}, at {} rows now",
                count_words(trend.line.per_row * 1_000.0),
                growth.table,
                trend.order.words(),
                count_words(trend.rows_max)
            )
        }));
    }
    if let Some((regime, fit)) = growth
        .growing()
        .and_then(|regime| Some((regime, regime.fit?)))
    {
        return Ok(Some(format!(
            "takes {} more per 1,000 rows of {}, R² {:.2}, at {} rows now",
            duration_words(fit.per_row * 1_000.0),
            growth.table,
            fit.r_squared,
            count_words(regime.rows_max)
        )));
    }
    if growth.rows_unknown {
        return Err(unknown_rows(&growth.table));
    }
    let rows = growth.points.iter().map(|point| point.rows);
    let (least, most) = (
        rows.clone().fold(f64::INFINITY, f64::min),
        rows.fold(0.0, f64::max),
    );
    if !growth.regimes.iter().any(growth::Regime::is_judged) {
        return Err(format!(
            "too few calls: {FEWEST_POINTS} groups of calls at {FEWEST_SIZES} sizes of {} are needed",
            growth.table
        ));
    }
    if most < LEAST_FACTOR * least.max(1.0) {
        return Err(format!(
            "{} had {} to {} rows: it must at least double for growth to show",
            growth.table,
            count_words(least),
            count_words(most)
        ));
    }
    Ok(None)
}

fn unknown_rows(table: &str) -> String {
    match table {
        "" => "it reads no table that is known".to_owned(),
        table => format!(
            "the rows of {table} are not known: send a gauge {table}.rows, or let the agent see its INSERTs"
        ),
    }
}

#[cfg(test)]
mod tests;
