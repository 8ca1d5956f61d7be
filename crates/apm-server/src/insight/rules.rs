//! The rules: each looks at rollups and a few rows, and says what it found.
//!
//! They look at the last minutes of active services. A finding that they do not find again ends (see
//! [`super::finding`]). The findings of a service that sends nothing stay as they are.

mod change;
mod commit;
mod growth;
mod plan;
mod plans;
mod proofs;
mod remedy;
mod repeat;
mod scan;
mod text;

use std::collections::HashMap;
use std::path::PathBuf;

use apm_store::StoreError;
use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::finding::{Draft, Evidence, statement_words};
use super::plan::history;
use super::repeats::Shape;
use crate::analytics::sql::Sql;
use crate::analytics::total;

/// The time that rules about requests look at, seconds.
const RECENT: i64 = 5 * 60;

/// The time that rules about statements look at, seconds.
const WINDOW: i64 = 15 * 60;

/// Statements that are looked at, by time.
const STATEMENTS: i64 = 40;

/// Services whose SQLite files may be asked for plans.
pub type Files = HashMap<String, PathBuf>;

use plans::Known;
pub(super) use plans::Plans;
use proofs::Verdict;

/// Why the rules could not look.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuleError {
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Statements of requests in the last minutes.
#[derive(Debug, Clone, QueryableByName)]
struct Caller {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    tx_group_id: i64,
    #[diesel(sql_type = BigInt)]
    statement_id: i64,
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = Double)]
    most: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Double)]
    tx_sum: f64,
    #[diesel(sql_type = BigInt)]
    follows: i64,
    /// Calls that a loop made.
    #[diesel(sql_type = Double)]
    looped: f64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
}

/// A statement that ran in the last minutes.
#[derive(Debug, Clone, QueryableByName)]
struct Statement {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    service_id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    /// `span.subtype`: the database system.
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
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

impl Statement {
    fn fingerprint(&self) -> String {
        format!("{:016x}", self.fingerprint)
    }

    /// `SELECT FROM people`
    fn short(&self) -> String {
        statement_words(&self.verb, &self.table_name, &self.normalized)
    }

    fn mean(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    /// The places to look at for it, among them a request that runs it.
    fn evidence(&self, caller: Option<&Caller>) -> Evidence {
        Evidence {
            trace: caller.map(|caller| caller.trace_id.to_string()),
            fingerprint: Some(self.fingerprint()),
            transaction: caller.map(|caller| caller.name.clone()),
            transaction_type: caller.map(|caller| caller.kind.clone()),
            ..Evidence::default()
        }
    }

    fn shape(&self) -> Shape<'_> {
        Shape {
            verb: &self.verb,
            table: &self.table_name,
            normalized: &self.normalized,
        }
    }
}

/// The data that all rules look at.
pub(super) struct Look<'a> {
    conn: &'a mut SqliteConnection,
    /// Seconds since the epoch.
    now: i64,
    plans: &'a mut Plans,
    statements: Vec<Statement>,
    callers: Vec<Caller>,
    /// Findings that are known to be over.
    ended: Vec<String>,
}

/// The result of a look at everything.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) drafts: Vec<Draft>,
    /// Services that were at work, with their environments.
    pub(super) services: Vec<(String, String)>,
    /// Findings that are known to be over.
    pub(super) ended: Vec<String>,
}

/// Applies every rule. `now` in seconds.
pub(super) fn apply(
    conn: &mut SqliteConnection,
    plans: &mut Plans,
    now: i64,
) -> Result<Found, RuleError> {
    let callers: Vec<Caller> = Sql::new(include_str!("rules/callers.sql"))
        .bind("from", now - RECENT)
        .load(conn)?;
    let mut services: Vec<(String, String)> = callers
        .iter()
        .map(|caller| (caller.service.clone(), caller.environment.clone()))
        .collect();
    services.sort_unstable();
    services.dedup();
    if services.is_empty() {
        return Ok(Found::default());
    }
    let statements = Sql::new(include_str!("rules/statements.sql"))
        .bind("from", now - WINDOW)
        .bind("limit", STATEMENTS)
        .load(conn)?;
    plans.sweep();
    let mut look = Look {
        conn,
        now,
        plans,
        statements,
        callers,
        ended: Vec::new(),
    };
    let mut drafts = growth::apply(&mut look)?;
    drafts.extend(repeat::apply(&mut look)?);
    drafts.extend(commit::apply(&look));
    drafts.extend(text::apply(&mut look)?);
    drafts.extend(change::apply(&mut look)?);
    drafts.extend(plan::apply(&mut look)?);
    // Statements are of a longer time than requests: a service that is silent keeps the findings that it has.
    drafts.retain(|draft| services.contains(&(draft.service.clone(), draft.environment.clone())));
    let ended = look.ended;
    Ok(Found {
        drafts,
        services,
        ended,
    })
}

impl Look<'_> {
    /// The caller that spends most time in a statement, lately.
    fn caller(&self, statement: i64) -> Option<&Caller> {
        self.callers
            .iter()
            .filter(|caller| caller.statement_id == statement)
            .max_by(|a, b| a.sum.total_cmp(&b.sum))
    }

    /// All statements of a transaction group's requests, lately.
    fn all(&self, group: i64) -> Option<&Caller> {
        self.callers
            .iter()
            .find(|caller| caller.tx_group_id == group && caller.statement_id == 0)
    }

    /// The time of a transaction group's statements of a verb, lately, µs.
    fn time_of(&self, group: i64, verb: &str) -> f64 {
        let callers = self.callers.iter().filter(|caller| {
            caller.tx_group_id == group
                && self
                    .statement(caller.statement_id)
                    .is_some_and(|statement| statement.verb == verb)
        });
        total(callers.map(|caller| caller.sum))
    }

    fn statement(&self, id: i64) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.id == id)
    }

    /// The places to look at for a statement.
    fn evidence(&self, statement: &Statement) -> Evidence {
        statement.evidence(self.caller(statement.id))
    }

    /// The plan of a statement: of its service's file where that may be asked, else as its agent sent it.
    fn plan(&mut self, statement: &Statement) -> QueryResult<Option<Known>> {
        let of_file = self.plans.explain(&statement.service, &statement.sample);
        if let Some(explained) = of_file {
            return Ok(Some(Known::File(explained)));
        }
        Ok(history::of_statement(self.conn, statement.id)?.map(Known::Agent))
    }

    /// The effect of an index that a plan proposes on the statement, on a copy of the file.
    fn proof(&mut self, statement: &Statement, plan: &Known) -> Option<Verdict> {
        let index = &plan.proposal()?.index;
        self.plans
            .proof(&statement.service, &statement.sample, index)
    }
}

/// Figures for scripts.
fn figures(pairs: &[(&str, f64)]) -> serde_json::Map<String, serde_json::Value> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), serde_json::json!(value)))
        .collect()
}

/// The time that a remedy saves per minute, µs. `share`: of the statement's time, as the rule reckons it.
///
/// It is a share of the time that the statement took in the same minutes, so it never exceeds that. Calls at the
/// largest size of a table take more than the others, so their cost times all calls would. Where the remedy was tried,
/// it is no more than what it saved there.
fn saving(statement: &Statement, share: f64, verdict: Option<&Verdict>) -> f64 {
    let spent = statement.sum * 60.0 / WINDOW as f64;
    let most = verdict.and_then(|verdict| verdict.saved).unwrap_or(1.0);
    // A share that cannot be reckoned is none.
    let share = if share.is_finite() { share } else { 0.0 };
    spent * share.min(most).clamp(0.0, 1.0)
}

/// Calls per minute.
fn per_minute(statement: &Statement) -> f64 {
    statement.count * 60.0 / WINDOW as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_saves_no_more_than_the_statement_took_nor_more_than_it_saved_on_a_copy() {
        let statement = Statement {
            id: 1,
            service_id: 1,
            service: "shop".to_owned(),
            environment: String::new(),
            subtype: "sqlite".to_owned(),
            fingerprint: 1,
            normalized: "SELECT 1".to_owned(),
            sample: "SELECT 1".to_owned(),
            verb: "SELECT".to_owned(),
            table_name: String::new(),
            first_seen: 0,
            count: 600.0,
            // 128 ms in a minute.
            sum: 128_000.0 * 15.0,
        };
        let verdict = |saved| Verdict {
            words: String::new(),
            saved,
        };
        for (share, saved, expected) in [
            (0.9, None, 115_200.0),
            (0.9, Some(None), 115_200.0),
            (0.9, Some(Some(0.41)), 52_480.0),
            (0.2, Some(Some(0.41)), 25_600.0),
            (0.9, Some(Some(0.0)), 0.0),
            (2.3, None, 128_000.0),
            (-1.0, None, 0.0),
            (f64::NAN, None, 0.0),
        ] {
            let verdict = saved.map(verdict);
            let found = saving(&statement, share, verdict.as_ref());
            assert!(
                (found - expected).abs() < 1e-6,
                "{share} {saved:?}: {found}"
            );
        }
    }
}
