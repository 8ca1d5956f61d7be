//! A statement that gets slower as its table grows, and one that reads a whole table though an index would do.

mod steps;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::{Look, RuleError, Statement, figures, per_minute};
use crate::analytics::sql::Sql;
use crate::insight::finding::{Draft, Kind, Says, count_words, duration_words, id};
use crate::insight::growth::{self, Regime, Steps, Subject, Trend};
use crate::insight::plan::{self, Explained};
use crate::insight::severity::Severity;

/// Calls that a trend needs.
const FEWEST: f64 = 20.0;

/// A scan that takes less is no finding, µs.
const SCAN: f64 = 5_000.0;

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
        if !matches!(statement.verb.as_str(), "SELECT" | "UPDATE" | "DELETE")
            || statement.count < FEWEST
        {
            continue;
        }
        let subject = Subject {
            statement: statement.id,
            service: statement.service_id,
            table: &statement.table_name,
        };
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
        match growing {
            Some(Grows::InTime(regime)) => drafts.extend(grows(look, &statement, regime)),
            Some(Grows::InSteps(steps, trend)) => {
                drafts.push(steps::draft(look, &statement, steps, trend));
            }
            None => drafts.extend(scans(look, &statement)),
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

fn grows(look: &mut Look<'_>, statement: &Statement, regime: &Regime) -> Option<Draft> {
    let fit = regime.fit?;
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
        duration_words(regime.projected(10.0)?),
    );
    let saving = (most - least).max(0.0) * per_minute(statement);
    let said = [
        ("micros_per_thousand_rows", fit.per_row * 1_000.0),
        ("r_squared", fit.r_squared),
        ("rows", regime.rows_max),
        ("projected_at_10x", regime.projected(10.0)?),
    ];
    Some(draft(look, statement, (&pace, cause), saving, &said))
}

/// The finding that a statement gets slower as its table grows. `pace`: what a thousand rows add.
fn draft(
    look: &mut Look<'_>,
    statement: &Statement,
    (pace, mut cause): (&str, String),
    saving: f64,
    said: &[(&str, f64)],
) -> Draft {
    let explained = look.plan(statement);
    let proof = explained
        .as_ref()
        .and_then(|explained| look.proof(statement, explained));
    if let Some(explained) = &explained {
        cause.push(' ');
        cause.push_str(&explained.summary);
    }
    let who = look
        .caller(statement.id)
        .map_or_else(|| statement.short(), |caller| caller.name.clone());
    let table = &statement.table_name;
    Draft {
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
            remedy: remedy(statement, explained.as_ref(), proof),
            evidence: look.evidence(statement),
            figures: figures(said),
        },
    }
}

fn remedy(statement: &Statement, explained: Option<&Explained>, proof: Option<String>) -> String {
    let mut parts = Vec::new();
    match explained.map(|explained| explained.proposal.as_ref()) {
        Some(Some(proposal)) => {
            let covers = proposal.after.has(plan::Kind::CoveringScan);
            let limit = if covers {
                " A covering scan reads less and sorts nothing, but still grows."
            } else {
                ""
            };
            parts.push(format!("{}: {}{limit}", proposal.index, proposal.summary));
            parts.extend(proof);
        }
        Some(None) => {}
        None => parts.push(format!(
            "Start the server with --explain {}=FILE to see its plan and an index that would help.",
            statement.service
        )),
    }
    let upper = statement.normalized.to_ascii_uppercase();
    if ["COUNT(", "SUM(", "AVG("]
        .iter()
        .any(|function| upper.contains(function))
    {
        parts.push(format!(
            "A count kept by triggers or by the writer, one row per group, would make it flat however many \
             rows {} has.",
            statement.table_name
        ));
    } else if !upper.contains(" LIMIT ") {
        parts.push(
            "Reading it page by page (WHERE id > ? ORDER BY id LIMIT ?) bounds what one request reads."
                .to_owned(),
        );
    }
    parts.join(" ")
}

/// A whole table, slowly, and SQLite knows a better way with an index.
fn scans(look: &mut Look<'_>, statement: &Statement) -> Option<Draft> {
    if statement.mean() < SCAN {
        return None;
    }
    let explained = look.plan(statement)?;
    let proof = look
        .proof(statement, &explained)
        .map_or_else(String::new, |proof| format!(" {proof}"));
    let proposal = explained
        .proposal
        .as_ref()
        .filter(|_| explained.plan.has(plan::Kind::FullScan))?;
    // An index is taken to save most of it.
    let saving = statement.mean() * per_minute(statement) * 0.8;
    Some(Draft {
        kind: Kind::Scan,
        service: statement.service.clone(),
        environment: statement.environment.clone(),
        subject: statement.fingerprint(),
        severity: Severity::of_saving(saving),
        saving,
        says: Says {
            title: format!(
                "{} reads all of {} each time.",
                statement.short(),
                statement.table_name
            ),
            cause: format!(
                "{} It takes {} on average.",
                explained.summary,
                duration_words(statement.mean())
            ),
            remedy: format!("{}: {}{proof}", proposal.index, proposal.summary),
            evidence: look.evidence(statement),
            figures: figures(&[("avg", statement.mean())]),
        },
    })
}
