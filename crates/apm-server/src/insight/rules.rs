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
mod repeat;
mod text;

use std::collections::HashMap;
use std::path::PathBuf;

use apm_store::StoreError;
use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::finding::{Draft, Evidence, statement_words};
use super::plan::Explained;
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

pub(super) use plans::Plans;

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

    /// The plan of a statement, where its service's file may be asked.
    fn plan(&mut self, statement: &Statement) -> Option<Explained> {
        self.plans.explain(&statement.service, &statement.sample)
    }

    /// The effect of an index that a plan proposes on the statement, on a copy of the file, in a sentence.
    fn proof(&mut self, statement: &Statement, explained: &Explained) -> Option<String> {
        let index = &explained.proposal.as_ref()?.index;
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

/// Calls per minute → what a saving per call makes per minute.
fn per_minute(statement: &Statement) -> f64 {
    statement.count * 60.0 / WINDOW as f64
}
