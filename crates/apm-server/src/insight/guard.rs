//! SQL of strangers, restricted in what it may read and in how long it may run.
//!
//! Five protections, each of which would stop most attacks: the file is opened with `mode=ro` and `query_only`; an
//! authorizer lets pass only what a purpose needs (so that PRAGMA, ATTACH, and writes fail before they are prepared,
//! with a reason); SQLite's limits bound text, values, depth and joins; what takes too long is ended, by a progress
//! handler and, while it is prepared, also by refusing memory (ADR 447), and what fills the disk with temporary files
//! is ended, too; SQLite's memory has a bound on the thread, as a short text can grow without end while it is prepared
//! (ADR 425).
//! Exactly one statement is prepared.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use sql_advisor::{
    Alarm, BUILT_IN_LIKES, Clock, PREPARING, Spill, likes, reads_whole_file, replace_likes,
};
use sqlite_meter::{MemoryBound, MemoryDeadline};

/// Virtual machine steps between two looks at the clock: most take a µs at most, but a comparison by LIKE some 100 ms.
const STEPS: i32 = 50;

/// After its time a statement gets memory for so long, in which SQLite's look at the clock ends it as a rule. A long
/// row of calls of functions has no such look in it.
const GRACE: Duration = Duration::from_millis(100);

/// The table of addresses that alerts are sent to: whoever knows one can send there.
const SECRETS: &str = "alert_receiver";

/// Longest statement, bytes.
pub(crate) const LONGEST_SQL: usize = 100_000;

/// Why SQL was not run, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The file is not there or cannot be read.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// SQLite's words.
        reason: String,
    },
    /// The text has no statement, or several.
    #[error("give exactly one statement, {0}")]
    NotOne(&'static str),
    /// It would do more than read.
    #[error("refused: {0}")]
    Refused(String),
    /// It reads and changes no rows, such as a COMMIT.
    #[error("{0} has no plan")]
    NoPlan(String),
    /// SQLite does not understand it.
    #[error("{0}")]
    Sql(String),
    /// It took longer than it may.
    #[error("stopped after {} ms: narrow it by time or by seq, or ask an aggregate of fewer rows", .0.as_millis())]
    TimeOut(Duration),
    /// It put more into temporary files than it may.
    #[error(
        "stopped after {} MiB of temporary files: it sorts or groups too much; narrow it by time or by seq, or select \
            fewer columns",
        .0 >> 20
    )]
    Spilled(u64),
    /// It took more memory than it may.
    #[error(
        "stopped after {} MiB of memory: its subqueries are used too often within each other, or it holds too much at \
            once",
        .0 >> 20
    )]
    Memory(usize),
    /// A value is longer than it may be.
    #[error("a value is longer than {0} bytes: select less of it, as with substr()")]
    TooBig(usize),
    /// Someone writes to the file and holds it for too long.
    #[error("the file is locked, or too many questions run at once: try again")]
    Locked,
}

/// The purpose of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Rows are read.
    Read,
    /// Only its plan is asked for; what it would write, it does not.
    Plan,
}

/// Bounds of one statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    /// Longest value, bytes.
    pub(crate) value: usize,
    /// Bytes of temporary files, where the system says how much a thread writes.
    pub(crate) temporary: u64,
    /// Bytes of memory that SQLite may take, preparing included.
    pub(crate) memory: usize,
}

/// A connection with these protections.
#[derive(Debug)]
pub(crate) struct Guarded {
    conn: Connection,
    bounds: Bounds,
    deadline: Instant,
    reason: Arc<Mutex<Option<String>>>,
    spilled: Arc<AtomicBool>,
    /// Whether the program of a statement may have comparisons by LIKE.
    has_likes: Arc<AtomicBool>,
    late: MemoryDeadline,
    /// Ends steps in which SQLite does not look at the clock. None for plans, which run nothing.
    _alarm: Option<Alarm>,
    /// It ends after the connection, which gives its memory back.
    _memory: MemoryBound,
}

impl Guarded {
    /// Opens a file that must exist.
    pub(crate) fn open(path: &Path, purpose: Purpose, bounds: Bounds) -> Result<Self, GuardError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let conn = Connection::open_with_flags(path, flags).map_err(|error| GuardError::Open {
            path: path.display().to_string(),
            reason: message(&error),
        })?;
        Self::behind(conn, purpose, bounds)
    }

    /// Protects a connection; its clock starts. To be used on this thread, whose memory is bounded.
    pub(crate) fn behind(
        conn: Connection,
        purpose: Purpose,
        bounds: Bounds,
    ) -> Result<Self, GuardError> {
        let deadline = Instant::now() + bounds.time;
        let alarm = match purpose {
            Purpose::Plan => None,
            Purpose::Read => Alarm::start(&conn)
                .inspect_err(|error| log::debug!("a statement has no alarm: {error}"))
                .ok(),
        };
        if let Some(alarm) = &alarm {
            alarm.set(Some(deadline));
        }
        let mut guarded = Self {
            conn,
            bounds,
            deadline,
            reason: Arc::default(),
            spilled: Arc::default(),
            has_likes: Arc::default(),
            late: MemoryDeadline::begin(deadline + GRACE),
            _alarm: alarm,
            _memory: MemoryBound::begin(bounds.memory),
        };
        guarded
            .set_up(purpose)
            .map_err(|error| guarded.error(&error))?;
        Ok(guarded)
    }

    fn set_up(&mut self, purpose: Purpose) -> rusqlite::Result<()> {
        let conn = &self.conn;
        conn.busy_timeout(Duration::from_millis(250))?;
        // Sorting and grouping beyond the cache uses temporary files, not memory, and is bounded there.
        conn.execute_batch(
            "PRAGMA query_only = 1; PRAGMA trusted_schema = 0; PRAGMA temp_store = FILE; PRAGMA cache_size = -4096",
        )?;
        let value = i32::try_from(self.bounds.value).unwrap_or(i32::MAX);
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, value),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL as i32),
            (Limit::SQLITE_LIMIT_COLUMN, 200),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 30),
            (Limit::SQLITE_LIMIT_VDBE_OP, 50_000),
            (Limit::SQLITE_LIMIT_FUNCTION_ARG, 60),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
            (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 20),
            // The files of helper threads would not be counted.
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            conn.set_limit(limit, most)?;
        }
        sql_advisor::replace_slow_functions(conn, &self.clock())?;
        let deadline = self.deadline;
        let mut spill = Spill::new(self.bounds.temporary);
        let spilled = Arc::clone(&self.spilled);
        conn.progress_handler(
            STEPS,
            Some(move || {
                let now = Instant::now();
                let is_over = spill.is_over(now);
                if is_over {
                    spilled.store(true, Ordering::Relaxed);
                }
                is_over || now >= deadline
            }),
        )?;
        let reason = Arc::clone(&self.reason);
        let has_likes = Arc::clone(&self.has_likes);
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Function { function_name } = context.action
                && purpose == Purpose::Read
                && ["like", "glob"]
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(function_name))
            {
                has_likes.store(true, Ordering::Relaxed);
            }
            match refusal(purpose, &context) {
                None => Authorization::Allow,
                Some(why) => {
                    let mut reason = reason.lock().unwrap_or_else(PoisonError::into_inner);
                    reason.get_or_insert(why);
                    Authorization::Deny
                }
            }
        }))
    }

    /// Whether the time of the statement is over.
    pub(crate) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn clock(&self) -> Clock {
        let deadline = self.deadline;
        Arc::new(move || Instant::now() >= deadline)
    }

    /// Prepares the one statement, with `prefix` before it.
    pub(crate) fn prepare(&self, prefix: &str, sql: &str) -> Result<Statement<'_>, GuardError> {
        if sql.len() > LONGEST_SQL {
            return Err(GuardError::Refused(format!(
                "it is longer than {LONGEST_SQL} bytes"
            )));
        }
        if sql.contains('\0') {
            return Err(GuardError::Refused("it contains a NUL".to_owned()));
        }
        let text = format!("{prefix}{sql}");
        let mut statement = self.prepared(&text)?;
        if self.has_likes.load(Ordering::Relaxed) && statement.is_explain() == 0 {
            let many = likes(&self.conn, sql).map_err(|error| self.error(&error))?;
            if many > BUILT_IN_LIKES {
                drop(statement);
                replace_likes(&self.conn, &self.clock()).map_err(|error| self.error(&error))?;
                statement = self.prepared(&text)?;
            }
        }
        // Nothing but comments prepares as nothing.
        if statement.column_count() == 0 && !statement.readonly() {
            return Err(GuardError::Refused("it does not read".to_owned()));
        }
        Ok(statement)
    }

    fn prepared(&self, text: &str) -> Result<Statement<'_>, GuardError> {
        sql_advisor::prepare_until(&self.conn, text, self.deadline).map_err(|error| {
            match self.error(&error) {
                GuardError::Memory(most) => GuardError::Memory(most.min(PREPARING)),
                error => error,
            }
        })
    }

    /// The meaning of an error of this connection.
    pub(crate) fn error(&self, error: &rusqlite::Error) -> GuardError {
        let refused = self
            .reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let rusqlite::Error::MultipleStatement = error {
            return GuardError::NotOne("not several");
        }
        if let Some(reason) = refused {
            return GuardError::Refused(reason);
        }
        if self.spilled.load(Ordering::Relaxed) {
            return GuardError::Spilled(self.bounds.temporary);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::OutOfMemory) if !self.late.is_over() => {
                GuardError::Memory(self.bounds.memory)
            }
            // In preparing, an interrupt shows as an error without a code of its own.
            _ if self.is_late() => GuardError::TimeOut(self.bounds.time),
            Some(ErrorCode::OperationInterrupted) => GuardError::TimeOut(self.bounds.time),
            Some(ErrorCode::TooBig) => GuardError::TooBig(self.bounds.value),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => GuardError::Locked,
            Some(ErrorCode::ReadOnly) => {
                GuardError::Refused("it writes, and only reading is possible".to_owned())
            }
            _ => GuardError::Sql(message(error)),
        }
    }
}

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    }
}

/// Why an action is not allowed, if it is not.
fn refusal(purpose: Purpose, context: &AuthContext<'_>) -> Option<String> {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => None,
        AuthAction::Read {
            table_name: SECRETS,
            ..
        } => Some(format!(
            "{SECRETS} holds addresses that are secrets; /alerts shows the receivers without them"
        )),
        AuthAction::Read { table_name, .. } if reads_whole_file(table_name) => {
            Some(format!("{table_name} reads the whole file for a row"))
        }
        AuthAction::Read { .. } => match context.database_name {
            None | Some("main") => None,
            Some(_) => Some("it reads another database than this one".to_owned()),
        },
        AuthAction::Function { function_name } => is_dangerous(function_name)
            .then(|| format!("the function {function_name}() reaches beyond the database")),
        AuthAction::Insert { .. } | AuthAction::Update { .. } | AuthAction::Delete { .. }
            if purpose == Purpose::Plan && !is_schema(context) =>
        {
            None
        }
        AuthAction::Pragma { .. } => {
            Some("PRAGMA changes or reveals how the file is read".to_owned())
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some(
            "ATTACH and DETACH reach beyond the file, and only this one can be read".to_owned(),
        ),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("BEGIN, COMMIT and SAVEPOINT have no rows and no plan".to_owned())
        }
        _ => Some("it changes the database, and only reading is possible".to_owned()),
    }
}

fn is_schema(context: &AuthContext<'_>) -> bool {
    let (AuthAction::Insert { table_name }
    | AuthAction::Update { table_name, .. }
    | AuthAction::Delete { table_name }) = context.action
    else {
        return false;
    };
    table_name.starts_with("sqlite_")
}

/// Functions that load code or touch files, should this SQLite have them.
fn is_dangerous(function: &str) -> bool {
    [
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
        "fileio_write",
        "lsdir",
    ]
    .iter()
    .any(|name| name.eq_ignore_ascii_case(function))
}
