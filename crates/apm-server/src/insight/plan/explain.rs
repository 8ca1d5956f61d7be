//! Asks SQLite for a plan: on a service's own file, or on a copy of its schema with an index more.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::propose::candidates;
use super::schema::Schema;
use super::{Plan, Row};
use crate::fingerprint::Fingerprint;
use crate::insight::guard::{Bounds, GuardError, Guarded, Purpose};

/// Bounds of a plan: it is worked out, not run.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_millis(500),
    value: 1 << 20,
};

/// Indexes that are tried for one statement.
const TRIES: usize = 8;

/// Why there is no plan.
pub type PlanError = GuardError;

/// A plan, and what an index would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The plan of today.
    pub plan: Plan,
    /// It in a sentence.
    pub summary: String,
    /// An index that would make it cheaper, tried on a copy of the schema.
    pub proposal: Option<WhatIf>,
}

/// A plan on a copy of the schema with one index more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhatIf {
    /// `CREATE INDEX …`
    pub index: String,
    /// The plan without it.
    pub before: Plan,
    /// The plan with it.
    pub after: Plan,
    /// The latter in a sentence.
    pub summary: String,
}

/// The plan of a statement on a service's database, with an index that would help where one is found. The file is only
/// read, and the statement is never run.
///
/// # Errors
/// See [`PlanError`].
pub fn explain(file: &Path, sql: &str) -> Result<Explained, PlanError> {
    let plan = plan(&Guarded::open(file, Purpose::Plan, BOUNDS)?, sql)?;
    let proposal = match schema(file) {
        Ok(schema) => proposal(&schema, sql, &plan)?,
        Err(error) => {
            log::debug!("no schema for a proposal: {error}");
            None
        }
    };
    Ok(Explained {
        summary: plan.summary(),
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
    tried(&schema(file)?, sql, index)
}

/// The rows of EXPLAIN QUERY PLAN.
fn plan(guarded: &Guarded, sql: &str) -> Result<Plan, PlanError> {
    // What else SQLite can explain has no plan, and some of it takes effect when it is prepared.
    match Fingerprint::of(sql).verb.as_str() {
        "SELECT" | "VALUES" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => {}
        "" => return Err(GuardError::NotOne("such as a SELECT")),
        verb => return Err(GuardError::Refused(format!("{verb} has no plan"))),
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
    Ok(Plan::of(&rows))
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

fn tried(schema: &Schema, sql: &str, index: &str) -> Result<WhatIf, PlanError> {
    let failed = |error: rusqlite::Error| GuardError::Sql(error.to_string());
    let copy = || schema.copy().map_err(failed);
    let before = plan(&Guarded::behind(copy()?, Purpose::Plan, BOUNDS)?, sql)?;
    let with = copy()?;
    // One statement: what follows a first one is not looked at, but refused.
    let mut create = with.prepare(index).map_err(|error| match error {
        rusqlite::Error::MultipleStatement => GuardError::NotOne("not several"),
        error => GuardError::Sql(error.to_string()),
    })?;
    create.raw_execute().map_err(failed)?;
    drop(create);
    let after = plan(&Guarded::behind(with, Purpose::Plan, BOUNDS)?, sql)?;
    Ok(WhatIf {
        index: index.to_owned(),
        summary: after.summary(),
        before,
        after,
    })
}

/// The first of the candidates that makes the plan cheapest.
fn proposal(schema: &Schema, sql: &str, plan: &Plan) -> Result<Option<WhatIf>, PlanError> {
    let mut best: Option<WhatIf> = None;
    for candidate in candidates(sql, plan, schema).into_iter().take(TRIES) {
        let tried = tried(schema, sql, &candidate.statement())?;
        let least = best
            .as_ref()
            .map_or(tried.before.cost(), |best| best.after.cost());
        if tried.after.cost() < least {
            best = Some(tried);
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Instant;

    use super::super::Kind;
    use super::*;

    fn people() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, surname TEXT, city TEXT);
             CREATE TABLE visit (person_id INTEGER, at TEXT);
             CREATE TRIGGER t AFTER INSERT ON people BEGIN INSERT INTO visit VALUES (new.id, ''); END;
             CREATE VIEW adults AS SELECT * FROM people WHERE age > 17;
             INSERT INTO people (name, city) VALUES ('ruan', 'cape town')",
        )
        .unwrap();
        (dir, path)
    }

    const GROUP: &str =
        "SELECT COUNT(*), `people`.`city` FROM `people` GROUP BY `people`.`city` -- binds: []";

    #[test]
    fn the_articles_statement_scans_and_sorts_and_an_index_on_city_covers_it() {
        let (_dir, path) = people();
        let found = explain(&path, GROUP).unwrap();
        assert!(
            found.plan.has(Kind::FullScan) && found.plan.has(Kind::TempBTree),
            "{found:#?}"
        );
        let proposal = found.proposal.unwrap();
        assert_eq!(proposal.index, "CREATE INDEX people_city ON people (city)");
        assert!(proposal.after.has(Kind::CoveringScan) && !proposal.after.has(Kind::TempBTree));
        assert_eq!(proposal.before, found.plan);

        let asked = what_if(&path, GROUP, "create index i on people(city, age)").unwrap();
        assert!(asked.after.has(Kind::CoveringScan));
    }

    #[test]
    fn a_join_without_an_index_gets_one_and_a_good_plan_gets_none() {
        let (_dir, path) = people();
        let join =
            "SELECT * FROM adults a LEFT JOIN visit v ON v.person_id = a.id WHERE a.name = ?";
        let found = explain(&path, join).unwrap();
        assert!(found.proposal.is_some(), "{found:#?}");
        let good = explain(&path, "SELECT name FROM people WHERE id = :id").unwrap();
        assert_eq!(
            good.summary,
            "It finds its rows by index and sorts nothing."
        );
        assert_eq!(good.proposal, None);
        let write = explain(&path, "DELETE FROM people WHERE city = 'x'").unwrap();
        assert_eq!(
            write.proposal.unwrap().index,
            "CREATE INDEX people_city ON people (city)"
        );
    }

    #[test]
    fn nothing_that_is_explained_is_run() {
        let (_dir, path) = people();
        for sql in [
            "DELETE FROM people",
            "INSERT INTO people (name) VALUES ('x')",
            "UPDATE people SET city = ''",
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
        ] {
            explain(&path, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        let conn = Connection::open(&path).unwrap();
        let left: (i64, String) = conn
            .query_row("SELECT count(*), max(city) FROM people", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(left, (1, "cape town".to_owned()));
    }

    #[test]
    fn hostile_text_is_refused_with_a_reason() {
        let (dir, path) = people();
        for (sql, reason) in [
            ("SELECT 1; DELETE FROM people", "not several"),
            ("SELECT 1; SELECT 2", "not several"),
            ("", "exactly one"),
            ("-- nothing", "exactly one"),
            ("ATTACH 'x.db' AS x", "has no plan"),
            ("PRAGMA journal_mode = DELETE", "has no plan"),
            ("PRAGMA writable_schema = 1", "has no plan"),
            ("VACUUM", "has no plan"),
            ("VACUUM INTO 'x.db'", "has no plan"),
            ("EXPLAIN PRAGMA journal_mode = DELETE", "syntax error"),
            ("DROP TABLE people", "has no plan"),
            ("CREATE TABLE x (a)", "has no plan"),
            ("DELETE FROM sqlite_schema", ""),
            ("BEGIN", "has no plan"),
            ("EXPLAIN SELECT 1", "syntax error"),
            ("QUERY PLAN SELECT 1", "has no plan"),
            ("SELECT load_extension('x')", ""),
            ("SELECT * FROM nobody", "no such table"),
            ("SELECT \0", "NUL"),
        ] {
            let error = explain(&path, sql).expect_err(sql).to_string();
            assert!(error.contains(reason), "{sql}: {error}");
        }
        for index in [
            "DROP TABLE people",
            "CREATE TABLE x (a)",
            "CREATE INDEX i ON people (city); DROP TABLE people",
            "CREATE INDEX i ON nobody (city)",
            "ATTACH 'x.db' AS x",
            "CREATE UNIQUE",
        ] {
            assert!(what_if(&path, GROUP, index).is_err(), "{index}");
        }
        assert!(explain(&dir.path().join("none.db"), "SELECT 1").is_err());
        assert!(!dir.path().join("none.db").exists() && !dir.path().join("x.db").exists());
    }

    #[test]
    fn a_plan_takes_no_longer_than_it_may() {
        let (_dir, path) = people();
        let join: Vec<String> = (0..60).map(|i| format!("people p{i}")).collect();
        let sql = format!("SELECT * FROM {}", join.join(", "));
        let start = Instant::now();
        let _ = explain(&path, &sql);
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
