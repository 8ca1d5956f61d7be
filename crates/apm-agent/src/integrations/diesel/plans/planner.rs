//! The thread that asks for plans.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::explain::{Explainer, Unexplained};
use super::{STATEMENTS, Source, event};
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
            looked: None,
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
    /// When it was last looked at.
    looked: Option<Instant>,
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
        let has_new = self.statements.iter().any(|statement| statement.is_new);
        let is_due = has_new || self.looked.is_none_or(|at| at.elapsed() >= LOOK);
        if !is_due || !recorder.reports(&recorder.config.load()) {
            return true;
        }
        self.looked = Some(Instant::now());
        if let Err(error) = self.ask(&recorder) {
            own_log::debug(format_args!("no plans were asked for: {error}"));
        }
        true
    }

    fn ask(&mut self, recorder: &Recorder) -> Result<(), Unexplained> {
        let mut explainer = Explainer::open(&self.source.file)?;
        let schema = explainer.schema_version()?;
        let has_changed = self.schema != Some(schema);
        for statement in &mut self.statements {
            if !has_changed && !statement.is_new {
                continue;
            }
            statement.is_new = false;
            match explainer.plan(&statement.sql) {
                Ok(plan) if statement.plan.as_deref() != Some(&plan) => {
                    event::send(recorder, &self.source, &statement.sql, schema, &plan);
                    statement.plan = Some(plan);
                }
                Ok(_) => {}
                Err(why) => skipped(&why),
            }
        }
        self.schema = Some(schema);
        Ok(())
    }
}

/// A statement has no plan: it is about a temporary or an attached table, say, or a function of its connection.
fn skipped(why: &Unexplained) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        own_log::info(format_args!(
            "a statement has no plan, and this is said of the first one only: {why}; tables of temporary and attached \
             databases, and functions of the service's connections, are not known to the agent's own connection"
        ));
    });
}
