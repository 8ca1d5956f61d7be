//! The thread that asks for plans.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::explain::{Explain, Unexplained};
use super::{STATEMENTS, Source, Target, event};
use crate::recording::recorder::{self, Recorder};
use crate::util::own_log;

/// Statements that may wait to be asked for.
const WAITING: usize = 256;
/// Databases that are known; of more of them there are no plans.
const DATABASES: usize = 16;
/// The time in which more statements may come before the file is opened: at its start, a service runs many new ones.
const GATHER: Duration = Duration::from_millis(200);
/// Between two looks at whether a schema has changed.
const LOOK: Duration = Duration::from_secs(60);
/// Between two rounds of questions to a database that has no version of its schema, and until a server that failed is
/// asked again.
const AGAIN: Duration = Duration::from_secs(600);

struct Job {
    source: Arc<Source>,
    sql: Box<str>,
}

/// Hands a statement to the thread, which the first one starts. Whether there is room for it.
pub(super) fn submit(source: &Arc<Source>, sql: &str) -> bool {
    static QUEUE: OnceLock<Option<SyncSender<Job>>> = OnceLock::new();
    let job = Job {
        source: Arc::clone(source),
        sql: sql.into(),
    };
    let queue = QUEUE.get_or_init(start);
    queue
        .as_ref()
        .is_some_and(|queue| queue.try_send(job).is_ok())
}

fn start() -> Option<SyncSender<Job>> {
    let (queue, jobs) = sync_channel(WAITING);
    let thread = thread::Builder::new().name("apm-agent-plans".to_owned());
    let started = thread.spawn(move || {
        recorder::mark_agent_thread();
        run(&jobs);
    });
    match started {
        Ok(_) => Some(queue),
        Err(error) => {
            own_log::warn(format_args!(
                "queries are recorded without their plans: the thread cannot be started: {error}"
            ));
            None
        }
    }
}

fn run(jobs: &Receiver<Job>) {
    let mut databases: Vec<Database> = Vec::new();
    loop {
        let job = match databases.is_empty() {
            true => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => jobs.recv_timeout(LOOK),
        };
        match job {
            Ok(job) => {
                thread::sleep(GATHER);
                for job in std::iter::once(job).chain(jobs.try_iter().take(WAITING)) {
                    add(&mut databases, job);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        databases.retain_mut(Database::look);
    }
}

fn add(databases: &mut Vec<Database>, job: Job) {
    let known = databases
        .iter()
        .position(|database| database.source.is_same(&job.source));
    let statement = Statement {
        sql: job.sql,
        is_new: true,
        plan: None,
    };
    match known {
        // Another connection of a service that has no pool.
        Some(at) if databases[at].knows(&statement.sql) => {}
        Some(at) if databases[at].statements.len() < STATEMENTS => {
            databases[at].statements.push(statement);
        }
        None if databases.len() < DATABASES => databases.push(Database {
            source: job.source,
            schema: None,
            asked: None,
            looked: None,
            failed: false,
            statements: vec![statement],
        }),
        _ => own_log::debug(format_args!("no room for the plan of one more statement")),
    }
}

/// A database, and what is known of its statements.
struct Database {
    source: Arc<Source>,
    /// The version of the schema with which all statements were asked for.
    schema: Option<i64>,
    /// When all statements were last asked for.
    asked: Option<Instant>,
    /// When it was last looked at.
    looked: Option<Instant>,
    /// Whether its server could not be asked the last time.
    failed: bool,
    statements: Vec<Statement>,
}

struct Statement {
    sql: Box<str>,
    /// Whether it was not asked for yet.
    is_new: bool,
    /// The plan that was sent.
    plan: Option<String>,
}

impl Database {
    fn knows(&self, sql: &str) -> bool {
        self.statements.iter().any(|known| *known.sql == *sql)
    }

    /// Asks for what is new. Whether its agent is still there.
    fn look(&mut self) -> bool {
        let Some(recorder) = self.source.recorder.upgrade() else {
            return false;
        };
        if recorder.is_stopped() {
            return false;
        }
        let since_look = self.looked.map(|at| at.elapsed());
        let is_due = match since_look {
            None => true,
            // A server that is away is left alone for a while, whatever else runs.
            Some(time) if self.failed => time >= AGAIN,
            Some(time) => time >= LOOK || self.statements.iter().any(|statement| statement.is_new),
        };
        if !is_due || !recorder.reports(&recorder.config.load()) {
            return true;
        }
        self.looked = Some(Instant::now());
        let asked = self.ask(&recorder);
        self.failed = asked.is_err() && self.source.target.url().is_some();
        if let Err(why) = asked {
            self.unasked(&why);
        }
        true
    }

    fn ask(&mut self, recorder: &Recorder) -> Result<(), Unexplained> {
        let is_old = self.asked.is_none_or(|at| at.elapsed() >= AGAIN);
        let has_new = self.statements.iter().any(|statement| statement.is_new);
        // A server tells no version of its schema, so its plans are asked for again after some time.
        if self.asked.is_some() && self.schema.is_none() && !is_old && !has_new {
            return Ok(());
        }
        let mut explainer = open(&self.source.target)?;
        let schema = explainer.schema_version()?;
        let has_changed = match schema {
            Some(_) => self.schema != schema,
            None => is_old,
        };
        for statement in &mut self.statements {
            if !has_changed && !statement.is_new {
                continue;
            }
            // A statement that has no plan is not asked for again until the schema changes.
            statement.is_new = false;
            match explainer.plan(&statement.sql) {
                Ok(plan) if statement.plan.as_deref() != Some(&plan.text) => {
                    event::send(recorder, &self.source, &statement.sql, schema, &plan);
                    statement.plan = Some(plan.text);
                }
                Ok(_) => {}
                Err(why) => skipped(&self.source, &why),
            }
        }
        self.schema = schema;
        if has_changed {
            self.asked = Some(Instant::now());
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
fn skipped(source: &Source, why: &Unexplained) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        own_log::info(format_args!(
            "a statement has no plan, and this is said of the first one only: {}; tables of temporary and attached \
             databases, and functions of the service's connections, are not known to the agent's own connection, and a \
             user who may only read has no plans of writing statements",
            words(source, why)
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
