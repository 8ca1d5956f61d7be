//! Plans of SQLite: from a read-only connection to the service's file.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::NoPlans;
use super::explain::{Explain, Unexplained};
use super::plan::{Lines, Plan};

/// A read-only connection to the service's file.
pub(super) struct Explainer(SqliteConnection);

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    schema_version: i64,
}

/// A row of the statistics that ANALYZE keeps.
#[derive(Hash, QueryableByName)]
struct Statistic {
    #[diesel(sql_type = Nullable<Text>)]
    tbl: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    idx: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    stat: Option<String>,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The file of the main database, if others may read it beside the service.
pub(super) fn file(connection: &mut SqliteConnection) -> Result<PathBuf, NoPlans> {
    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = Text)]
        file: String,
    }
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let main = "SELECT coalesce(file, '') AS file FROM pragma_database_list WHERE name = 'main'";
    let Database { file } = diesel::sql_query(main).get_result(connection)?;
    if file.is_empty() {
        return Err(NoPlans::NoFile);
    }
    let Mode { journal_mode } = diesel::sql_query("PRAGMA journal_mode").get_result(connection)?;
    if journal_mode != "wal" {
        return Err(NoPlans::NotWal(journal_mode));
    }
    Ok(file.into())
}

impl Explainer {
    pub(super) fn open(file: &Path) -> Result<Self, Unexplained> {
        let mut connection = SqliteConnection::establish(&address(file))?;
        connection.batch_execute("PRAGMA query_only = ON; PRAGMA busy_timeout = 100")?;
        Ok(Self(connection))
    }
}

impl Explain for Explainer {
    fn schema_version(&mut self) -> Result<Option<i64>, Unexplained> {
        let version: Version =
            diesel::sql_query("PRAGMA schema_version").get_result(&mut self.0)?;
        Ok(Some(version.schema_version))
    }

    /// ANALYZE changes them and leaves the version of the schema, but for the first time.
    fn statistics(&mut self) -> u64 {
        let asked = diesel::sql_query("SELECT tbl, idx, stat FROM sqlite_stat1");
        // Before the first ANALYZE there is no such table.
        let Ok(statistics) = asked.load::<Statistic>(&mut self.0) else {
            return 0;
        };
        let mut hash = DefaultHasher::new();
        statistics.hash(&mut hash);
        hash.finish()
    }

    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let asked = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<Step> = asked.load(&mut self.0)?;
        Ok(plan(&steps))
    }
}

/// The file as SQLite opens it to read only.
fn address(file: &Path) -> String {
    let mut address = "file:".to_owned();
    for letter in file.to_string_lossy().chars() {
        match letter {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3f"),
            '#' => address.push_str("%23"),
            letter => address.push(letter),
        }
    }
    address.push_str("?mode=ro");
    address
}

fn plan(steps: &[Step]) -> Plan {
    let mut levels: Vec<(i32, usize)> = Vec::new();
    let mut lines = Lines::default();
    for step in steps {
        let above = levels.iter().find(|(id, _)| *id == step.parent);
        let level = above.map_or(0, |(_, level)| level + 1);
        levels.push((step.id, level));
        if !lines.push(level, &step.detail) {
            break;
        }
    }
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explainer(schema: &str) -> (tempfile::TempDir, Explainer) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a 100% #1?.db");
        let read_only = address(&file);
        let address = format!("{}rwc", read_only.strip_suffix("ro").unwrap());
        let mut writer = SqliteConnection::establish(&address).unwrap();
        writer
            .batch_execute(&format!("PRAGMA journal_mode = WAL; {schema}"))
            .unwrap();
        (dir, Explainer::open(&file).unwrap())
    }

    #[test]
    fn a_plan_has_a_line_for_each_step_and_those_below_another_are_indented() {
        let (_dir, mut explainer) = explainer(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT); \
             CREATE INDEX people_city ON people (city)",
        );
        let plan = |explainer: &mut Explainer, sql: &str| explainer.plan(sql).unwrap().text;
        assert_eq!(
            plan(&mut explainer, "SELECT * FROM people WHERE city = ?"),
            "SEARCH people USING INDEX people_city (city=?)"
        );
        assert_eq!(
            plan(
                &mut explainer,
                "SELECT id FROM people UNION SELECT 1 ORDER BY 1"
            )
            .lines()
            .filter(|line| line.starts_with("  "))
            .count(),
            4
        );
        // Nothing is written, though INSERT has a plan.
        assert_eq!(
            plan(&mut explainer, "INSERT INTO people (city) VALUES ('a')"),
            ""
        );
        assert!(explainer.plan("SELECT * FROM nowhere").is_err());
        assert!(explainer.0.batch_execute("DELETE FROM people").is_err());
    }
}
