//! Plans of statements, from where they run: with the schema and the statistics that are there.
//!
//! Threads of the service only put the text of a new statement into a bounded queue. Another thread asks for the plan,
//! on a connection of its own. Each statement is asked for once, and again when the schema has changed. A plan is sent
//! when it differs from the one before, and again each hour or where events were dropped (ADR 481).
//!
//! SQLite is asked on a read-only connection to the same file, which has to be in WAL mode: elsewhere a reader can make
//! a writer fail. PostgreSQL and MariaDB are asked if the option `sql_plan_urls` says by which URL.

mod event;
mod explain;
mod known;
#[cfg(feature = "mysql")]
mod mysql;
mod plan;
mod planner;
#[cfg(feature = "postgres")]
mod postgresql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod reach;
#[cfg(any(feature = "postgres", feature = "mysql", test))]
mod rendering;
mod resend;
#[cfg(feature = "sqlite-plain")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "mysql", test))]
mod urls;

#[cfg(feature = "sqlite-plain")]
use std::any::Any;
use std::collections::HashSet;
#[cfg(feature = "sqlite-plain")]
use std::path::PathBuf;
use std::sync::{Arc, Weak};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::database::Database;
use crate::agent::Agent;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use crate::config::Secret;
use crate::recording::recorder::Recorder;
use crate::util::{Mutex, lock};

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
    target: Target,
    /// The database's name, as spans have it.
    instance: Option<Box<str>>,
    /// Whether literals of all statements are masked.
    sanitize: bool,
    /// Hashes of the statements that were asked for.
    asked: Mutex<HashSet<u64>>,
}

/// The database that is asked.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// SQLite's file.
    #[cfg(feature = "sqlite-plain")]
    File(PathBuf),
    /// A server's URL.
    #[cfg(feature = "postgres")]
    Postgresql(Secret),
    /// A server's URL.
    #[cfg(feature = "mysql")]
    Mysql(Secret),
}

impl Target {
    /// A server, by its URL. Says once if the agent is built without what it needs.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn from_url(subtype: &str, url: &Secret) -> Option<Self> {
        match subtype {
            #[cfg(feature = "postgres")]
            "postgresql" => Some(Self::Postgresql(url.clone())),
            #[cfg(feature = "mysql")]
            "mysql" => Some(Self::Mysql(url.clone())),
            _ => {
                static SAID: std::sync::Once = std::sync::Once::new();
                SAID.call_once(|| {
                    crate::util::own_log::warn(format_args!(
                        "there are no plans of {subtype}: the agent is built without its feature for it"
                    ));
                });
                None
            }
        }
    }

    /// The subtype of its spans.
    fn subtype(&self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite-plain")]
            Self::File(_) => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgresql(_) => "postgresql",
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => "mysql",
        }
    }

    /// The URL of a server.
    fn url(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "sqlite-plain")]
            Self::File(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgresql(url) => Some(url.expose()),
            #[cfg(feature = "mysql")]
            Self::Mysql(url) => Some(url.expose()),
        }
    }
}

/// The reasons for which no plans are asked for on a database.
#[cfg(feature = "sqlite-plain")]
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
    fn new(agent: &Agent, target: Target, instance: Option<&str>) -> Arc<Self> {
        Arc::new(Self {
            recorder: Arc::downgrade(agent.recorder()),
            target,
            instance: instance.map(Into::into),
            sanitize: agent.recorder().config.load().sanitize_sql,
            asked: Mutex::default(),
        })
    }

    /// The database of a connection to SQLite, if the agent sends and the database allows it. Says once why not.
    #[cfg(feature = "sqlite-plain")]
    pub(super) fn for_connection(
        connection: &mut dyn Any,
        agent: &Agent,
        instance: Option<&str>,
    ) -> Option<Arc<Self>> {
        let connection = connection.downcast_mut::<diesel::SqliteConnection>()?;
        if !agent.sends() {
            return None;
        }
        match sqlite::file(connection) {
            Ok(file) => Some(Self::new(agent, Target::File(file), instance)),
            Err(why) => {
                static SAID: std::sync::Once = std::sync::Once::new();
                SAID.call_once(|| {
                    crate::util::own_log::info(format_args!(
                        "queries are recorded without their plans: {why}"
                    ));
                });
                None
            }
        }
    }

    /// The database of a server, if the agent sends and an option says how to ask it.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn of_server(
        agent: &Agent,
        subtype: &str,
        database: &Database,
    ) -> Option<Arc<Self>> {
        let config = agent.recorder().config.load();
        if config.sql_plan_urls.is_empty() || !agent.sends() {
            return None;
        }
        let target = Target::from_url(
            subtype,
            urls::chosen(&config.sql_plan_urls, subtype, database)?,
        )?;
        Some(Self::new(agent, target, database.instance.as_deref()))
    }

    /// Whether both are of one agent and one database.
    fn is_same(&self, other: &Self) -> bool {
        self.recorder.ptr_eq(&other.recorder) && self.target == other.target
    }

    /// The same of a statement that has run, unless it used tables that the agent's own connection does not find, or
    /// others of these names. `is_of_main` tells whether it used none; it is called where the plan is not known yet.
    #[cfg(feature = "sqlite-meter")]
    pub(super) fn ask_if_of_main(
        self: &Arc<Self>,
        sql: &str,
        hash: u64,
        is_of_main: impl FnOnce() -> Option<bool>,
    ) {
        let is_asked = {
            let asked = lock(&self.asked);
            asked.len() >= STATEMENTS || asked.contains(&hash)
        };
        if is_asked || !has_plan(sql) {
            return;
        }
        match is_of_main() {
            Some(false) => known::skipped(&"it uses a temporary or attached table"),
            _ => self.ask(sql, hash),
        }
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

/// Whether a text is one statement that a database plans.
fn has_plan(sql: &str) -> bool {
    let sql = sql.trim();
    let sql = sql.strip_suffix(';').unwrap_or(sql);
    let verb = sql
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .next();
    let verb = verb.unwrap_or_default();
    // A semicolon within a literal is rare, and costs the statement only its plan.
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
