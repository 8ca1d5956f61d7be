//! A database whose statements have plans, and what is known of them.

use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use super::explain::{Explain, Unexplained};
use super::plan::Plan;
use super::resend::Resend;
use super::{STATEMENTS, Source, Target, event};
use crate::recording::recorder::Recorder;
use crate::util::own_log;

/// Between two looks at whether a schema has changed.
pub(super) const LOOK: Duration = Duration::from_secs(60);
/// Between two rounds of questions to a database that has no version of its schema, and until a server that failed is
/// asked again.
const AGAIN: Duration = Duration::from_secs(600);

/// A database, and what is known of its statements.
pub(super) struct Database {
    source: Arc<Source>,
    /// The version of the schema with which all statements were asked for.
    schema: Option<i64>,
    /// The statistics with which all statements were asked for.
    statistics: u64,
    /// When all statements were last asked for.
    asked: Option<Instant>,
    /// When it was last looked at.
    looked: Option<Instant>,
    /// Whether its server could not be asked the last time.
    failed: bool,
    statements: Vec<Statement>,
    /// When the plans that are known are sent again.
    resend: Resend,
}

struct Statement {
    sql: Box<str>,
    /// Whether it was not asked for yet.
    is_new: bool,
    /// The plan that was sent.
    plan: Option<Plan>,
}

impl Database {
    pub(super) fn new(source: Arc<Source>) -> Self {
        Self {
            source,
            schema: None,
            statistics: 0,
            asked: None,
            looked: None,
            failed: false,
            statements: Vec::new(),
            resend: Resend::default(),
        }
    }

    /// Whether it is that of a source.
    pub(super) fn is_of(&self, source: &Source) -> bool {
        self.source.is_same(source)
    }

    /// Adds a statement that is not known yet, and says whether there was room for it.
    pub(super) fn add(&mut self, sql: Box<str>) -> bool {
        // Another connection of a service that has no pool.
        if self.statements.iter().any(|known| *known.sql == *sql) {
            return true;
        }
        let has_room = self.statements.len() < STATEMENTS;
        if has_room {
            self.statements.push(Statement {
                sql,
                is_new: true,
                plan: None,
            });
        }
        has_room
    }

    /// Asks for what is new, and sends again what may be lost. Whether its agent is still there.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let Some(recorder) = self.source.recorder.upgrade() else {
            return false;
        };
        if recorder.is_stopped() {
            return false;
        }
        let since_look = self.looked.map(|at| now.duration_since(at));
        let is_due = match since_look {
            None => true,
            // A server that is away is left alone for a while, whatever else runs.
            Some(time) if self.failed => time >= AGAIN,
            Some(time) => time >= LOOK || self.statements.iter().any(|statement| statement.is_new),
        };
        if !is_due || !recorder.reports(&recorder.config.load()) {
            return true;
        }
        self.looked = Some(now);
        let asked = self.ask(&recorder, now);
        self.failed = asked.is_err() && self.source.target.url().is_some();
        if let Err(why) = asked {
            self.unasked(&why);
        }
        // Behind the question, so that a plan that holds no more is not sent again.
        let stats = recorder.buffers.counters.snapshot();
        if self.resend.is_due(now, &stats) {
            self.send_again(&recorder);
        }
        true
    }

    /// Sends the plans that are known.
    fn send_again(&self, recorder: &Recorder) {
        for statement in &self.statements {
            if let Some(plan) = &statement.plan {
                event::send(
                    recorder,
                    &self.source,
                    &statement.sql,
                    self.schema,
                    (plan, true),
                );
            }
        }
    }

    fn ask(&mut self, recorder: &Recorder, now: Instant) -> Result<(), Unexplained> {
        let is_old = self.asked.is_none_or(|at| now.duration_since(at) >= AGAIN);
        let has_new = self.statements.iter().any(|statement| statement.is_new);
        // A server tells no version of its schema, so its plans are asked for again after some time.
        if self.asked.is_some() && self.schema.is_none() && !is_old && !has_new {
            return Ok(());
        }
        let mut explainer = open(&self.source.target)?;
        let schema = explainer.schema_version()?;
        let statistics = explainer.statistics();
        let has_changed = match schema {
            Some(_) => self.schema != schema || self.statistics != statistics,
            None => is_old,
        };
        for statement in &mut self.statements {
            if !has_changed && !statement.is_new {
                continue;
            }
            // A statement that has no plan is not asked for again until the schema changes.
            statement.is_new = false;
            match explainer.plan(&statement.sql) {
                Ok(plan) if statement.plan.as_ref() != Some(&plan) => {
                    event::send(
                        recorder,
                        &self.source,
                        &statement.sql,
                        schema,
                        (&plan, false),
                    );
                    statement.plan = Some(plan);
                }
                Ok(_) => {}
                Err(why) => skipped(&words(&self.source, &why)),
            }
        }
        self.schema = schema;
        self.statistics = statistics;
        if has_changed {
            self.asked = Some(now);
        }
        Ok(())
    }

    /// Says why no plans were asked for: of a server once, as somebody asked for them.
    fn unasked(&self, why: &Unexplained) {
        static SAID: Once = Once::new();
        let words = words(&self.source, why);
        match self.source.target.url() {
            None => own_log::debug(format_args!("no plans were asked for: {words}")),
            Some(_) => SAID.call_once(|| {
                own_log::warn(format_args!(
                    "no plans were asked for by `sql_plan_urls`, and this is said of the first failure only: {words}"
                ));
            }),
        }
    }
}

/// The words of an error, without a password.
fn words(source: &Source, why: &Unexplained) -> String {
    let words = why.to_string();
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    if let Some(url) = source.target.url() {
        return super::urls::without_password(&words, url);
    }
    let _ = source;
    words
}

/// A statement has no plan: it is about a temporary or an attached table, say, or a function of its connection.
pub(super) fn skipped(why: &dyn std::fmt::Display) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        own_log::info(format_args!(
            "a statement has no plan, and this is said of the first one only: {why}; tables of temporary and attached \
             databases, and functions of the service's connections, are not known to the agent's own connection, and a \
             user who may only read has no plans of writing statements"
        ));
    });
}

/// A connection of the agent's own to a database.
fn open(target: &Target) -> Result<Box<dyn Explain>, Unexplained> {
    Ok(match target {
        #[cfg(feature = "sqlite-plain")]
        Target::File(file) => Box::new(super::sqlite::Explainer::open(file)?),
        #[cfg(feature = "postgres")]
        Target::Postgresql(url) => Box::new(super::postgresql::Explainer::open(url)?),
        #[cfg(feature = "mysql")]
        Target::Mysql(url) => Box::new(super::mysql::Explainer::open(url)?),
    })
}

#[cfg(all(test, feature = "sqlite-plain"))]
mod tests;
