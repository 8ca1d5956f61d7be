//! Plans of statements on SQLite, from where they run: with the schema and the statistics that are there.
//!
//! Threads of the service only put the text of a new statement into a bounded queue. Another thread asks SQLite for the
//! plan, on a read-only connection of its own to the same file. Each statement is asked for once, and again when the
//! schema has changed; only a plan that differs from the one before is sent.
//!
//! The file has to be in WAL mode: elsewhere a reader can make a writer fail.

mod event;
mod explain;
mod planner;

use std::any::Any;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, Weak};

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::agent::Agent;
use crate::recording::recorder::Recorder;
use crate::util::lock;
use crate::util::own_log;

/// Statements of a database whose plans are asked for; the others have none.
const STATEMENTS: usize = 500;

/// The verbs of statements that have a plan.
const VERBS: [&str; 7] = [
    "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE", "VALUES",
];

/// A database whose statements have plans.
#[derive(Debug)]
pub(super) struct Source {
    recorder: Weak<Recorder>,
    file: PathBuf,
    /// The database's name, as spans have it.
    instance: Option<Box<str>>,
    /// Whether literals of all statements are masked.
    sanitize: bool,
    /// Hashes of the statements that were asked for.
    asked: Mutex<HashSet<u64>>,
}

/// The reasons for which no plans are asked for on a database.
#[derive(Debug, thiserror::Error)]
enum NoPlans {
    #[error("the database is in memory or temporary, and no other connection can read it")]
    NoFile,
    #[error(
        "its journal mode is {0}, in which a reader can keep a writer out: PRAGMA journal_mode = WAL allows it"
    )]
    NotWal(String),
    #[error(transparent)]
    Sqlite(#[from] diesel::result::Error),
}

impl Source {
    /// The database of a connection, if the agent sends and the database allows it. Says once why not.
    pub(super) fn of(
        connection: &mut dyn Any,
        agent: &Agent,
        instance: Option<&str>,
    ) -> Option<Arc<Self>> {
        let connection = connection.downcast_mut::<SqliteConnection>()?;
        if !agent.sends() {
            return None;
        }
        match file(connection) {
            Ok(file) => Some(Arc::new(Self {
                recorder: Arc::downgrade(agent.recorder()),
                file,
                instance: instance.map(Into::into),
                sanitize: agent.recorder().config.load().sanitize_sql,
                asked: Mutex::default(),
            })),
            Err(why) => {
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    own_log::info(format_args!(
                        "queries are recorded without their plans: {why}"
                    ));
                });
                None
            }
        }
    }

    /// Whether both are of one agent and one file.
    fn is_same(&self, other: &Self) -> bool {
        self.recorder.ptr_eq(&other.recorder) && self.file == other.file
    }

    /// Asks for the plan of a statement that a connection runs for the first time. Never waits.
    pub(super) fn ask(self: &Arc<Self>, sql: &str, hash: u64) {
        if !has_plan(sql) {
            return;
        }
        {
            let mut asked = lock(&self.asked);
            if asked.len() >= STATEMENTS || !asked.insert(hash) {
                return;
            }
        }
        if !planner::submit(self, sql) {
            // The next connection that runs it asks again.
            lock(&self.asked).remove(&hash);
        }
    }
}

/// The file of the main database, if others may read it beside the service.
fn file(connection: &mut SqliteConnection) -> Result<PathBuf, NoPlans> {
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

/// Whether a text is one statement that SQLite plans.
fn has_plan(sql: &str) -> bool {
    let sql = sql.trim();
    let sql = sql.strip_suffix(';').unwrap_or(sql);
    let verb = sql
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .next();
    let verb = verb.unwrap_or_default();
    !sql.contains(';') && VERBS.iter().any(|known| known.eq_ignore_ascii_case(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_that_reads_or_writes_rows_has_a_plan() {
        for sql in [
            "SELECT 1",
            " select * FROM people;",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "INSERT INTO people (name) VALUES (?)",
            "DELETE FROM people",
        ] {
            assert!(has_plan(sql), "{sql}");
        }
        for sql in [
            "",
            "BEGIN",
            "PRAGMA optimize",
            "EXPLAIN SELECT 1",
            "CREATE TABLE t (a)",
            "SELECT 1; SELECT 2",
            "-- SELECT",
        ] {
            assert!(!has_plan(sql), "{sql}");
        }
    }
}
