//! A statement that reads a whole table, slowly, though an index would do.
//!
//! SQLite says whether it would use an index, if the service's file is known. Without the file, the agent's plan says
//! which table is scanned, and its counts say how many rows were read for each row that was wanted.

use diesel::prelude::*;
use diesel::sql_types::{Double, Nullable};

use super::plans::Known;
use super::remedy::remedy;
use super::{Look, RuleError, Statement, WINDOW, figures, saving};
use crate::analytics::sql::Sql;
use crate::insight::finding::{Draft, Kind, Says, count_words, duration_words};
use crate::insight::plan;
use crate::insight::severity::Severity;
use crate::insight::tables::{scanned, tables};

/// A scan that takes less is no finding, µs.
const SLOW: f64 = 5_000.0;

/// Rows that a call has to scan to be a finding by counts.
const ROWS: f64 = 1_000.0;

/// Rows scanned for each row that is returned or changed, from which an index is worth a try.
const PER_ROW: f64 = 10.0;

/// The share of the time that an index is taken to save.
const SAVED: f64 = 0.8;

/// Means of the calls that were measured.
#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = Nullable<Double>)]
    scanned: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    returned: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    changed: Option<f64>,
}

pub(super) fn draft(
    look: &mut Look<'_>,
    statement: &Statement,
) -> Result<Option<Draft>, RuleError> {
    if statement.mean() < SLOW {
        return Ok(None);
    }
    let Some(plan) = look.plan(statement)? else {
        return Ok(None);
    };
    if !plan.plan().has(plan::Kind::FullScan) {
        return Ok(None);
    }
    let summary = plan.summary(&statement.sample);
    let takes = format!("It takes {} on average.", duration_words(statement.mean()));
    let mut said = vec![("avg", statement.mean())];
    let verdict = look.proof(statement, &plan);
    let (title, cause, remedy) = match &plan {
        Known::File(explained) => {
            let Some(proposal) = &explained.proposal else {
                return Ok(None);
            };
            let proof = verdict
                .as_ref()
                .map_or_else(String::new, |verdict| format!(" {}", verdict.words));
            (
                format!(
                    "{} reads all of {} each time.",
                    statement.short(),
                    statement.table_name
                ),
                format!("{summary} {takes}"),
                format!("{}: {}{proof}", proposal.index, proposal.summary),
            )
        }
        Known::Agent(sent) => {
            let Some((count, wanted)) = rows(look, statement)? else {
                return Ok(None);
            };
            let named = tables(&statement.normalized);
            let table = scanned(&sent.plan, &named).join(" and ");
            if table.is_empty() {
                return Ok(None);
            }
            said.extend([("rows_scanned", count), ("rows_wanted", wanted)]);
            let did = match statement.verb.as_str() {
                "SELECT" => "return",
                _ => "change",
            };
            (
                format!(
                    "{} scans {} rows of {table} each time.",
                    statement.short(),
                    count_words(count)
                ),
                format!(
                    "{summary} It scans {} rows to {did} {}. {takes}",
                    count_words(count),
                    count_words(wanted)
                ),
                remedy((statement, &table), Some(&plan), None),
            )
        }
    };
    let saving = saving(statement, SAVED, verdict.as_ref());
    Ok(Some(Draft {
        kind: Kind::Scan,
        service: statement.service.clone(),
        environment: statement.environment.clone(),
        subject: statement.fingerprint(),
        severity: Severity::of_saving(saving),
        saving,
        says: Says {
            title,
            cause,
            remedy,
            evidence: look.evidence(statement),
            figures: figures(&said),
        },
    }))
}

/// Rows that a call scans, and those that it returns or changes; none where they are not known, or where the scan is
/// small or most of its rows are wanted.
fn rows(look: &mut Look<'_>, statement: &Statement) -> QueryResult<Option<(f64, f64)>> {
    let rows: Rows = Sql::new(include_str!("scan/rows.sql"))
        .bind("statement", statement.id)
        .bind("from", look.now - WINDOW)
        .first(look.conn)?;
    let wanted = rows.returned.unwrap_or_default() + rows.changed.unwrap_or_default();
    Ok(rows
        .scanned
        .filter(|scanned| *scanned >= ROWS && *scanned >= PER_ROW * wanted)
        .map(|scanned| (scanned, wanted)))
}
