//! A connection that asks for plans, and can do nothing else.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

/// Characters of a plan: what Elastic's servers take as a label.
const LONGEST: usize = 1_024;
/// Steps of a plan that are read.
const STEPS: usize = 100;
/// Levels of steps that are indented.
const LEVELS: usize = 16;
/// The last line of a plan that is longer.
const CUT: &str = "…";

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unexplained {
    #[error(transparent)]
    Open(#[from] diesel::ConnectionError),
    #[error(transparent)]
    Sqlite(#[from] diesel::result::Error),
}

/// A read-only connection to the service's file.
pub(super) struct Explainer(SqliteConnection);

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    schema_version: i64,
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

impl Explainer {
    pub(super) fn open(file: &Path) -> Result<Self, Unexplained> {
        let mut connection = SqliteConnection::establish(&address(file))?;
        connection.batch_execute("PRAGMA query_only = ON; PRAGMA busy_timeout = 100")?;
        Ok(Self(connection))
    }

    pub(super) fn schema_version(&mut self) -> Result<i64, Unexplained> {
        let version: Version =
            diesel::sql_query("PRAGMA schema_version").get_result(&mut self.0)?;
        Ok(version.schema_version)
    }

    /// The steps of a statement's plan, one a line, two spaces for each level. The statement is not run.
    pub(super) fn plan(&mut self, sql: &str) -> Result<String, Unexplained> {
        let asked = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<Step> = asked.load(&mut self.0)?;
        Ok(text(&steps))
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

fn text(steps: &[Step]) -> String {
    let mut levels: Vec<(i32, usize)> = Vec::new();
    let mut text = String::new();
    let mut letters = 0;
    for step in steps {
        let above = levels.iter().find(|(id, _)| *id == step.parent);
        let level = above.map_or(0, |(_, level)| level + 1);
        levels.push((step.id, level));
        let line = format!("{:1$}{2}", "", 2 * level.min(LEVELS), step.detail);
        letters += line.chars().count() + 1;
        if letters + CUT.len() > LONGEST || levels.len() > STEPS {
            text.push_str(CUT);
            return text;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
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
        let plan = |explainer: &mut Explainer, sql: &str| explainer.plan(sql).unwrap();
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

    #[test]
    fn a_long_plan_is_cut_to_what_a_label_holds() {
        let steps: Vec<Step> = (0..90)
            .map(|id| Step {
                id,
                parent: id - 1,
                detail: "SCAN t".repeat(3),
            })
            .collect();
        let text = text(&steps);
        assert!(text.chars().count() <= LONGEST, "{}", text.len());
        assert!(text.ends_with("\n…"), "{text}");
    }
}
