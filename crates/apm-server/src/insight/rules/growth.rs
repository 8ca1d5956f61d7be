//! A statement that gets slower as its table grows. One that does not may read a whole table ([`super::scan`]).

mod steps;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::remedy::remedy;
use super::{Look, RuleError, Statement, figures, saving, scan};
use crate::analytics::sql::Sql;
use crate::insight::finding::{Draft, Kind, Says, count_words, duration_words, id};
use crate::insight::growth::{self, Regime, Steps, Subject, Trend};
use crate::insight::severity::Severity;

/// Calls that a trend needs.
const FEWEST: f64 = 20.0;

/// Requests of its callers without it after which a statement is no longer used, where each request ran it.
const UNUSED: i64 = 20;

/// Requests since then that are counted.
const ENOUGH: i64 = 10_000;

#[derive(QueryableByName)]
struct Since {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Double)]
    usual: f64,
}

pub(super) fn apply(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let mut drafts = Vec::new();
    for statement in look.statements.clone() {
        let subject = Subject {
            statement: statement.id,
            service: statement.service_id,
            table: &statement.table_name,
            text: &statement.normalized,
        };
        let is_plain = matches!(statement.verb.as_str(), "SELECT" | "UPDATE" | "DELETE");
        // These read tables behind other words: INSERT … SELECT, WITH … SELECT.
        let may_read = matches!(statement.verb.as_str(), "INSERT" | "REPLACE" | "WITH");
        let reads = is_plain || may_read && subject.reads_a_table();
        if !reads || statement.count < FEWEST {
            continue;
        }
        let growth = growth::read(look.conn, subject, look.now)?;
        // If the steps of SQLite tell the growth, time has no say.
        let steps = growth.as_ref().and_then(|growth| growth.steps.as_ref());
        let steps = steps.filter(|steps| steps.is_judged());
        let growing = match (steps, &growth) {
            (Some(steps), _) => steps.growing().map(|trend| Grows::InSteps(steps, trend)),
            (None, Some(growth)) => growth.growing().map(Grows::InTime),
            (None, None) => None,
        };
        let is_over = match steps {
            Some(steps) => steps.ended().is_some(),
            None => growth
                .as_ref()
                .is_some_and(|growth| growth.ended().is_some()),
        };
        if is_over || growing.is_some() && is_unused(look, statement.id)? {
            look.ended.push(id(
                Kind::Growth,
                &statement.service,
                &statement.environment,
                &statement.fingerprint(),
            ));
            continue;
        }
        let table = growth.as_ref().map_or("", |growth| &growth.table);
        match growing {
            Some(Grows::InTime(regime)) => {
                drafts.extend(grows(look, (&statement, table), regime)?);
            }
            Some(Grows::InSteps(steps, trend)) => {
                drafts.push(steps::draft(look, (&statement, table), steps, trend)?);
            }
            None if is_plain => drafts.extend(scan::draft(look, &statement)?),
            None => {}
        }
    }
    Ok(drafts)
}

/// The evidence that a statement grows.
enum Grows<'a> {
    InTime(&'a Regime),
    InSteps(&'a Steps, &'a Trend),
}

/// Whether the requests that ran a statement do so no longer.
fn is_unused(look: &mut Look<'_>, statement: i64) -> Result<bool, RuleError> {
    let since: Since = Sql::new(include_str!("growth/unused.sql"))
        .bind("statement", statement)
        .bind("from", look.now - growth::SPAN)
        .bind("enough", ENOUGH)
        .first(look.conn)?;
    Ok(since.n as f64 >= UNUSED as f64 * since.usual.max(1.0))
}

/// The finding by durations. `table`: the one that drives it.
fn grows(
    look: &mut Look<'_>,
    (statement, table): (&Statement, &str),
    regime: &Regime,
) -> Result<Option<Draft>, RuleError> {
    let (Some(fit), Some(later)) = (regime.fit, regime.projected(10.0)) else {
        return Ok(None);
    };
    let (least, most) = (fit.at(regime.rows_min).max(0.0), fit.at(regime.rows_max));
    // The line of a young table may start below zero, and says nothing of so few rows.
    let at_first = if least >= 1.0 {
        let rows = count_words(regime.rows_min);
        format!("{} at {rows} rows and ", duration_words(least))
    } else {
        String::new()
    };
    let pace = duration_words(fit.per_row * 1_000.0);
    let cause = format!(
        "{} took {at_first}{} at {} rows: {pace} more per 1,000 rows, R² {:.2}. \
         At 10 times the rows it would take about {}.",
        statement.short(),
        duration_words(most),
        count_words(regime.rows_max),
        fit.r_squared,
        duration_words(later),
    );
    let share = grown(least, most);
    let said = [
        ("micros_per_thousand_rows", fit.per_row * 1_000.0),
        ("r_squared", fit.r_squared),
        ("rows", regime.rows_max),
        ("projected_at_10x", later),
    ];
    draft(look, (statement, table), (&pace, cause), share, &said).map(Some)
}

/// The part of the largest call that growth made, by the cost of the least call and of the largest.
fn grown(least: f64, most: f64) -> f64 {
    (most - least).max(0.0) / most
}

/// The finding that a statement gets slower as its table grows. `pace`: what a thousand rows add. `share`: the part of
/// its time that growth made.
fn draft(
    look: &mut Look<'_>,
    (statement, table): (&Statement, &str),
    (pace, mut cause): (&str, String),
    share: f64,
    said: &[(&str, f64)],
) -> Result<Draft, RuleError> {
    let plan = look.plan(statement)?;
    let proof = plan.as_ref().and_then(|plan| look.proof(statement, plan));
    if let Some(plan) = &plan {
        cause.push(' ');
        cause.push_str(&plan.summary(&statement.sample));
    }
    let saving = saving(statement, share, proof.as_ref());
    let who = look
        .caller(statement.id)
        .map_or_else(|| statement.short(), |caller| caller.name.clone());
    Ok(Draft {
        kind: Kind::Growth,
        service: statement.service.clone(),
        environment: statement.environment.clone(),
        subject: statement.fingerprint(),
        // A statement that grows costs more later than it does now.
        severity: Severity::of_saving(saving).max(Severity::Cost),
        saving,
        says: Says {
            title: format!("{who} gets slower as {table} grows: {pace} per 1,000 rows."),
            cause,
            remedy: remedy(
                (statement, table),
                plan.as_ref(),
                proof.map(|proof| proof.words),
            ),
            evidence: look.evidence(statement),
            figures: figures(said),
        },
    })
}
