//! Whether a statement gets slower with its table.
//!
//! That is told by the sizes that its table had. A statement of which SQLite counted each call is judged without them
//! where no call can have grown: none scanned a table, and none took as many steps as growth has to add. So a service
//! with a few calls can pass. What is left is not judged, and the bound has not passed (ADR 506).

use std::str::FromStr;

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::{Gate, Outcome};
use crate::analytics::sql::Sql;
use crate::insight::finding::{count_words, duration_words};
use crate::insight::growth::{
    self, FEWEST_POINTS, FEWEST_SIZES, Growth, LEAST_FACTOR, LEAST_STEPS, Subject,
};

/// Statements whose growth is read, those that took most time.
const STATEMENTS: usize = 100;

/// Reasons that are listed.
const LISTED: usize = 20;

/// The statements that the bound asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoGrowth {
    /// All of them: it holds where each was judged.
    All,
    /// Those whose growth can be told, at least one.
    Judged,
}

impl FromStr for NoGrowth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "judged" => Ok(Self::Judged),
            _ => Err(format!("`{text}` is neither `all` nor `judged`")),
        }
    }
}

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    service_id: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = Double)]
    measured: f64,
    #[diesel(sql_type = BigInt)]
    steps_max: i64,
    #[diesel(sql_type = Double)]
    scan_steps: f64,
}

impl Statement {
    fn subject(&self) -> Subject<'_> {
        Subject {
            statement: self.id,
            service: self.service_id,
            table: &self.table_name,
            text: &self.normalized,
        }
    }

    fn is_insert(&self) -> bool {
        matches!(self.verb.as_str(), "INSERT" | "REPLACE")
    }

    /// Whether there is anything to judge: a table that it reads, or an INSERT whose triggers read one.
    fn reads(&self) -> bool {
        match self.is_insert() {
            true => self.subject().reads_a_table() || self.scan_steps > 0.0,
            false => self.subject().has_table(),
        }
    }

    /// Whether SQLite counted each call, and none of them can have grown.
    fn is_small(&self) -> bool {
        // Sums of weights are not exact.
        let is_counted = self.measured > 0.0 && self.measured + 0.5 >= self.calls;
        is_counted && self.scan_steps == 0.0 && (self.steps_max as f64) < LEAST_STEPS
    }
}

/// The bound `no-growth`.
pub(super) fn outcome(
    conn: &mut SqliteConnection,
    gate: &Gate,
    bound: NoGrowth,
    since: i64,
    now: i64,
) -> QueryResult<Outcome> {
    let mut statements: Vec<Statement> = Sql::new(include_str!("statements.sql"))
        .bind("service", &gate.service)
        .bind("from", since.div_euclid(60 * SECOND) * 60)
        .load(conn)?;
    statements.retain(Statement::reads);
    let (mut judged, mut failures, mut not_judged) = (0, Vec::new(), Vec::new());
    if statements.is_empty() {
        not_judged.push("no statement that reads a table was seen".to_owned());
    }
    let (small, mut others): (Vec<Statement>, Vec<Statement>) =
        statements.into_iter().partition(Statement::is_small);
    judged += small.len();
    let beyond = others.len().saturating_sub(STATEMENTS);
    others.truncate(STATEMENTS);
    for statement in others {
        let growth = growth::read(conn, statement.subject(), now / SECOND)?;
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
    if beyond > 0 {
        not_judged.push(format!(
            "{beyond} statements are beyond the {STATEMENTS} that took most time: give --only-service"
        ));
    }
    let outcome = match bound {
        NoGrowth::All => Outcome::new,
        NoGrowth::Judged => Outcome::of_some,
    };
    Ok(outcome("no-growth", judged, failures, not_judged))
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
