//! Asks SQLite for a plan: on a service's own file, or on a copy of its schema with an index more.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use schemars::JsonSchema;
use serde::Serialize;
use sql_lexer::Fingerprint;

use super::propose::candidates;
use super::schema::Schema;
use super::statistics::Measured;
use super::{Kind, Plan, Row};
use crate::insight::guard::{Bounds, GuardError, Guarded, Purpose};

/// Bounds of a plan: it is worked out, not run.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_millis(500),
    value: 1 << 20,
    temporary: 16 << 20,
    memory: 64 << 20,
};

/// Indexes that are tried for one statement.
const TRIES: usize = 8;

/// Why there is no plan.
pub type PlanError = GuardError;

/// A plan, and what an index would change.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Explained {
    /// The plan of today.
    pub plan: Plan,
    /// It in a sentence.
    pub summary: String,
    /// An index that would make it cheaper, tried on a copy of the schema.
    pub proposal: Option<WhatIf>,
}

/// A plan on a copy of the schema with one index more.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct WhatIf {
    /// `CREATE INDEX …`
    pub index: String,
    /// The plan without it.
    pub before: Plan,
    /// The plan with it.
    pub after: Plan,
    /// The latter in a sentence.
    pub summary: String,
    /// Whether SQLite would use the index.
    pub is_used: bool,
    /// Whether the statement would be cheaper with it.
    pub helps: bool,
    /// Assumptions behind the comparison, a sentence each.
    pub assumed: Vec<String>,
}

/// The plan of a statement on a service's database, with an index that would help where one is found. The file is only
/// read, and the statement is never run.
///
/// # Errors
/// See [`PlanError`].
pub fn explain(file: &Path, sql: &str) -> Result<Explained, PlanError> {
    let plan = plan(&Guarded::open(file, Purpose::Plan, BOUNDS)?, sql)?;
    let proposal = match schema(file) {
        Ok(schema) => proposal(file, &schema, sql, &plan),
        Err(error) => {
            log::debug!("no schema for a proposal: {error}");
            None
        }
    };
    Ok(Explained {
        summary: plan.summary(sql),
        plan,
        proposal,
    })
}

/// The plan of a statement with an index that does not exist yet, on an in-memory copy of the schema.
///
/// # Errors
/// As [`explain`], and where `index` is anything but one CREATE INDEX.
pub fn what_if(file: &Path, sql: &str, index: &str) -> Result<WhatIf, PlanError> {
    let mut words = index.split_whitespace().map(str::to_ascii_uppercase);
    let mut next = || words.next().unwrap_or_default();
    let is_index = next() == "CREATE" && matches!(next().as_str(), "INDEX" | "UNIQUE");
    if !is_index {
        return Err(GuardError::Refused(
            "only a CREATE INDEX can be tried, such as CREATE INDEX people_city ON people (city)"
                .to_owned(),
        ));
    }
    tried(file, &schema(file)?, sql, index)
}

/// Whether a database plans statements of a verb: those that read or change rows. A COMMIT has no plan, nor has a
/// PRAGMA or a CREATE TABLE.
pub(crate) fn has_plan(verb: &str) -> bool {
    matches!(
        verb,
        "SELECT" | "VALUES" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "MERGE"
    )
}

/// The rows of EXPLAIN QUERY PLAN.
fn plan(guarded: &Guarded, sql: &str) -> Result<Plan, PlanError> {
    // Other statements that SQLite can explain have no plan, and some of them take effect when they are prepared.
    match Fingerprint::from_text(sql).verb.as_str() {
        "" => return Err(GuardError::NotOne("such as a SELECT")),
        verb if has_plan(verb) => {}
        verb => return Err(GuardError::NoPlan(verb.to_owned())),
    }
    let mut statement = guarded.prepare("EXPLAIN QUERY PLAN ", sql)?;
    if statement.column_count() != 4 {
        return Err(GuardError::NotOne("such as a SELECT"));
    }
    let mut steps = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = steps.next().map_err(|error| guarded.error(&error))? {
        let read = || {
            Ok(Row {
                id: row.get(0)?,
                parent: row.get(1)?,
                detail: row.get(3)?,
            })
        };
        rows.push(read().map_err(|error| guarded.error(&error))?);
    }
    Ok(Plan::from_rows(&rows))
}

fn schema(file: &Path) -> Result<Schema, PlanError> {
    let open = |error: rusqlite::Error| GuardError::Open {
        path: file.display().to_string(),
        reason: error.to_string(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags).map_err(open)?;
    conn.busy_timeout(BOUNDS.time).map_err(open)?;
    conn.execute_batch("PRAGMA query_only = 1; PRAGMA trusted_schema = 0")
        .map_err(open)?;
    Schema::read(&conn).map_err(open)
}

/// The plans without and with an index, both with the statistics of the file.
fn tried(file: &Path, schema: &Schema, sql: &str, index: &str) -> Result<WhatIf, PlanError> {
    let failed = |error: rusqlite::Error| match error {
        rusqlite::Error::MultipleStatement => GuardError::NotOne("not several"),
        error => GuardError::Sql(error.to_string()),
    };
    let before = plan(
        &Guarded::behind(schema.copy().map_err(failed)?, Purpose::Plan, BOUNDS)?,
        sql,
    )?;
    let new = NewIndex::make(schema, index).map_err(failed)?;
    let measured = new.measure(file);
    let with = schema.copy_with(index, measured.as_ref()).map_err(failed)?;
    let after = plan(&Guarded::behind(with, Purpose::Plan, BOUNDS)?, sql)?;
    let using = after.using(&new.name);
    let finds = matches!(using, Some(Kind::Search | Kind::CoveringSearch));
    let is_selective = measured.as_ref().is_none_or(Measured::is_selective);
    let summary = match using {
        None => "SQLite would not use this index.".to_owned(),
        Some(_) if finds && !is_selective => {
            "SQLite would use this index, but many rows share a value: reading them through the index is slower than \
             reading all."
                .to_owned()
        }
        Some(_) => after.summary(sql),
    };
    // Weights of steps know nothing of the size of tables; where they are equal, it helps to find rows instead of
    // reading all.
    let is_cheaper = after.cost() < before.cost() || after.cost() == before.cost() && finds;
    Ok(WhatIf {
        index: index.to_owned(),
        summary,
        is_used: using.is_some(),
        helps: using.is_some() && is_cheaper && (is_selective || !finds),
        assumed: new.assumed(schema, measured.as_ref()),
        before,
        after,
    })
}

/// An index that does not exist yet.
struct NewIndex {
    name: String,
    table: String,
    /// None where it indexes expressions, or a part of the rows.
    columns: Option<Vec<String>>,
}

impl NewIndex {
    /// Makes it on an empty copy, to read what SQLite understood.
    fn make(schema: &Schema, index: &str) -> rusqlite::Result<Self> {
        const INDEXES: &str = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' \
                               ORDER BY rowid DESC LIMIT 1";
        let conn = schema.copy_with(index, None)?;
        // The newest entry of the schema is this index.
        let (name, table): (String, String) =
            conn.query_row(INDEXES, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let is_partial: bool = conn.query_row(
            "SELECT partial FROM pragma_index_list(?) WHERE name = ?",
            [&table, &name],
            |row| row.get(0),
        )?;
        let mut columns = conn.prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno")?;
        let columns: Vec<Option<String>> = columns
            .query_map([&name], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name,
            table,
            columns: columns
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .filter(|_| !is_partial),
        })
    }

    /// The statistics that ANALYZE would make of it; none where that takes too long or cannot be told.
    fn measure(&self, file: &Path) -> Option<Measured> {
        let columns = self.columns.as_ref()?;
        let guarded = Guarded::open(file, Purpose::Read, BOUNDS).ok()?;
        match Measured::read(&guarded, &self.table, &self.name, columns) {
            Ok(measured) => measured,
            Err(error) => {
                log::debug!("the values of {} were not counted: {error}", self.table);
                None
            }
        }
    }

    fn assumed(&self, schema: &Schema, measured: Option<&Measured>) -> Vec<String> {
        let statistics = if schema.statistics.is_empty() {
            "ANALYZE never ran on this database: SQLite guesses how many rows each step finds."
        } else {
            "The statistics of the database (ANALYZE) are used."
        };
        let values = match (measured, &self.columns) {
            (Some(measured), Some(columns)) => measured.words(columns),
            (_, None) => "The values of the index were not counted: it has expressions or a WHERE. SQLite's guess is \
                          used."
                .to_owned(),
            (None, Some(_)) => "The values of the index were not counted. SQLite's guess is used.".to_owned(),
        };
        vec![statistics.to_owned(), values]
    }
}

/// The first of the candidates that makes the plan cheapest, if SQLite would use it.
fn proposal(file: &Path, schema: &Schema, sql: &str, plan: &Plan) -> Option<WhatIf> {
    let mut best: Option<WhatIf> = None;
    for candidate in candidates(sql, plan, schema).into_iter().take(TRIES) {
        let tried = match tried(file, schema, sql, &candidate.statement()) {
            Ok(tried) => tried,
            // Such as an index of that name, which SQLite uses already.
            Err(error) => {
                log::debug!("not tried: {}: {error}", candidate.statement());
                continue;
            }
        };
        // A copy that is not planned like the file says nothing about the file.
        if tried.before != *plan {
            log::debug!("no proposal: the copy of the schema has another plan than the file");
            return None;
        }
        let is_least = best
            .as_ref()
            .is_none_or(|best| tried.after.cost() < best.after.cost());
        if tried.helps && is_least {
            best = Some(tried);
        }
    }
    best
}

#[cfg(test)]
mod tests;
