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
    /// What the comparison rests on, a sentence each.
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
    let new = NewIndex::of(schema, index).map_err(failed)?;
    let measured = new.measure(file);
    let with = schema.copy_with(index, measured.as_ref()).map_err(failed)?;
    let after = plan(&Guarded::behind(with, Purpose::Plan, BOUNDS)?, sql)?;
    let using = after.using(&new.name);
    let finds = matches!(using, Some(Kind::Search | Kind::CoveringSearch));
    let is_selective = measured.as_ref().is_none_or(Measured::is_selective);
    let summary = match using {
        None => "SQLite would not use this index.".to_owned(),
        Some(_) if finds && !is_selective => {
            "SQLite would use this index, but many rows share a value: reading them through the index is slower than reading all."
                .to_owned()
        }
        Some(_) => after.summary(sql),
    };
    // Weights of steps know nothing of the size of tables; where they are equal, it helps to find rows instead of reading all.
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
    fn of(schema: &Schema, index: &str) -> rusqlite::Result<Self> {
        const INDEXES: &str = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY rowid DESC LIMIT 1";
        let conn = schema.copy_with(index, None)?;
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

    /// What ANALYZE would say of it; none where that takes too long or cannot be told.
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
            (_, None) => "The values of the index were not counted: it has expressions or a WHERE. SQLite's guess is used.".to_owned(),
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
mod tests {
    use std::path::PathBuf;
    use std::time::Instant;

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

    /// A database made by some SQL.
    fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(&format!("PRAGMA synchronous = OFF; BEGIN; {sql}; COMMIT"))
            .unwrap();
        (dir, path)
    }

    #[test]
    fn an_index_is_proposed_only_where_sqlite_would_use_it() {
        let rows =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
        let item = format!(
            "CREATE TABLE item (id INTEGER PRIMARY KEY, flag INTEGER, shop INTEGER, code TEXT, at INTEGER);
             INSERT INTO item (flag, shop, code, at) {rows} SELECT 1, i % 40, 'c' || i, i FROM n;"
        );
        let shop = format!(
            "CREATE TABLE shop (id INTEGER PRIMARY KEY, region TEXT);
             INSERT INTO shop (region) {rows} SELECT 'r' || i FROM n LIMIT 40;"
        );
        let partial = "CREATE INDEX open_item ON item (at) WHERE flag = 1;";
        let nocase = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);";
        let code = "SELECT * FROM item WHERE code = 'c7'";
        let flag = "SELECT * FROM item WHERE flag = 1";
        let join = "SELECT * FROM shop s JOIN item i ON i.shop = s.id WHERE s.region = 'r1'";
        for (name, made, sql, expected) in [
            ("a rare value", vec![&*item], code, Some("item_code")),
            (
                "a rare value, analysed",
                vec![&item, "ANALYZE"],
                code,
                Some("item_code"),
            ),
            ("one value in all", vec![&*item], flag, None),
            (
                "one value in all, analysed",
                vec![&item, "ANALYZE"],
                flag,
                None,
            ),
            (
                "order",
                vec![&item, "ANALYZE"],
                "SELECT * FROM item ORDER BY at LIMIT 5",
                Some("item_at"),
            ),
            (
                "a join",
                vec![&item, &shop, "ANALYZE"],
                join,
                Some("item_shop"),
            ),
            (
                "a join, never analysed",
                vec![&*item, &shop],
                join,
                Some("item_shop"),
            ),
            (
                "an expression",
                vec![&item, "ANALYZE"],
                "SELECT * FROM item WHERE lower(code) = 'c7'",
                None,
            ),
            (
                "an index that is there",
                vec![&item, "CREATE INDEX i ON item (code)", "ANALYZE"],
                code,
                None,
            ),
            (
                "a partial index that does",
                vec![&item, partial, "ANALYZE"],
                "SELECT id, at FROM item WHERE flag = 1 AND at > 19990",
                None,
            ),
            (
                "a collation",
                vec![nocase],
                "SELECT * FROM person WHERE name = 'x'",
                Some("person_name"),
            ),
            (
                "a small table, analysed",
                vec![
                    "CREATE TABLE unit (name TEXT, size INTEGER); INSERT INTO unit VALUES ('a', 1), ('b', 2)",
                    "ANALYZE",
                ],
                "SELECT * FROM unit WHERE size > 0",
                None,
            ),
        ] {
            let (_dir, path) = database(&made.join(";"));
            let found = explain(&path, sql).unwrap();
            let index = found
                .proposal
                .as_ref()
                .map(|proposal| proposal.index.as_str());
            match expected {
                None => assert_eq!(index, None, "{name}: {found:#?}"),
                Some(expected) => {
                    assert!(
                        index.is_some_and(
                            |index| index.starts_with(&format!("CREATE INDEX {expected}"))
                        ),
                        "{name}: {found:#?}"
                    )
                }
            }
            if let Some(proposal) = &found.proposal {
                assert_eq!(proposal.before, found.plan, "{name}");
                let is_analysed = made.last() == Some(&"ANALYZE");
                // SQLite itself, with the index and its statistics, plans as was said.
                if is_analysed {
                    let real = Connection::open(&path).unwrap();
                    real.execute_batch(&format!("{}; ANALYZE", proposal.index))
                        .unwrap();
                    drop(real);
                    assert_eq!(explain(&path, sql).unwrap().plan, proposal.after, "{name}");
                }
                assert_eq!(
                    proposal.assumed[0].contains("never"),
                    !is_analysed,
                    "{name}: {proposal:?}"
                );
            }
        }
    }

    #[test]
    fn an_index_that_would_not_help_is_told() {
        let (_dir, path) = database(
            "CREATE TABLE item (id INTEGER PRIMARY KEY, flag INTEGER);
             INSERT INTO item (flag) SELECT 1 FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) \
             SELECT i FROM n)",
        );
        let asked = what_if(
            &path,
            "SELECT * FROM item WHERE flag = 1",
            "CREATE INDEX i ON item (flag)",
        )
        .unwrap();
        assert!(
            !asked.helps && asked.summary.contains("many rows share a value"),
            "{asked:#?}"
        );
        assert!(
            asked.assumed[1].contains("5000 rows of item have 1 different value of flag"),
            "{asked:#?}"
        );
        Connection::open(&path)
            .unwrap()
            .execute_batch("ANALYZE")
            .unwrap();
        let asked = what_if(
            &path,
            "SELECT * FROM item WHERE flag = 1",
            "CREATE INDEX i ON item (flag)",
        )
        .unwrap();
        assert!(
            !asked.is_used && asked.summary.contains("would not use"),
            "{asked:#?}"
        );
        let partial = "CREATE INDEX i ON item (flag) WHERE flag = 1";
        let asked = what_if(&path, "SELECT * FROM item WHERE flag = 1", partial).unwrap();
        assert!(asked.assumed[1].contains("not counted"), "{asked:#?}");
    }

    #[test]
    fn a_plan_without_steps_is_told_for_what_it_is() {
        let (_dir, path) = database("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)");
        for (sql, expected) in [
            (
                "DELETE FROM people",
                "It deletes every row at once, without looking at any.",
            ),
            (
                "INSERT INTO people (city) VALUES ('x')",
                "It writes rows and reads none.",
            ),
            ("SELECT 1", "It reads no table."),
            (
                "DELETE FROM people WHERE id = 1",
                "It finds its rows by index and sorts nothing.",
            ),
            (
                "UPDATE people SET city = ''",
                "It reads every row of people.",
            ),
        ] {
            assert_eq!(explain(&path, sql).unwrap().summary, expected, "{sql}");
        }
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
