//! The thread that asks for plans.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::Source;
use super::known::{Database, LOOK};
use crate::recording::recorder;
use crate::util::own_log;

/// Statements that may wait to be asked for.
const WAITING: usize = 256;
/// Databases that are known; of more of them there are no plans.
const DATABASES: usize = 16;
/// The time in which more statements may come before the file is opened: at its start, a service runs many new ones.
const GATHER: Duration = Duration::from_millis(200);

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
        let now = Instant::now();
        databases.retain_mut(|database| database.look(now));
    }
}

fn add(databases: &mut Vec<Database>, job: Job) {
    let known = databases
        .iter()
        .position(|database| database.is_of(&job.source));
    let at = match known {
        Some(at) => Some(at),
        None if databases.len() < DATABASES => {
            databases.push(Database::new(job.source));
            Some(databases.len() - 1)
        }
        None => None,
    };
    let has_room = at.is_some_and(|at| databases[at].add(job.sql));
    if !has_room {
        own_log::debug(format_args!("no room for the plan of one more statement"));
    }
}
