//! Bounds of what runs on the copy: which operations, for how long, and in how much memory.
//!
//! The text of a statement comes from telemetry, so from anybody. On the copy it may read and change rows, and nothing
//! else: no other file, no setting, no schema. A migration may change the schema as well.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode};
use sqlite_meter::{MemoryBound, MemoryDeadline};

use crate::alarm::Alarm;
use crate::functions::{
    BUILT_IN_LIKES, Clock, interrupted, likes, reads_whole_file, replace_slow_functions,
};
use crate::options::Options;
use crate::spill::Spill;

/// Instructions between two looks at the clock. Each may be a function that takes a while.
const STEPS: i32 = 50;

/// Longest pattern of `LIKE` and `GLOB`, bytes. The time of one comparison grows with the product of both lengths.
const PATTERN: i32 = 200;

/// The same in a program with many of them: SQLite looks at the clock where it jumps, and not between them.
const PATTERN_OF_MANY: i32 = 50;

/// Comparisons by `LIKE` and `GLOB` in the program of a statement, at most.
const MOST_LIKES: usize = 20;

/// After a statement's time it may take memory for so long, in which SQLite's look at the clock ends it as a rule.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

/// Times that are longer are not told from each other.
const LONGEST_TIME: Duration = Duration::from_secs(1_000_000);

/// Longest statement, bytes.
pub(crate) const LONGEST_SQL: usize = 100_000;

/// Memory that SQLite may take for a statement, bytes. A short text can grow without end while it is prepared.
const MEMORY: usize = 512 << 20;

/// Settings that would lift the bounds of the copy, or lead to other folders.
const SETTINGS: [&str; 5] = [
    "max_page_count",
    "temp_store_directory",
    "data_store_directory",
    "soft_heap_limit",
    "hard_heap_limit",
];

/// The origin of the SQL that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Whose {
    /// This crate's own.
    Ours = 0,
    /// A recorded statement.
    Recorded = 1,
    /// A migration.
    Migration = 2,
}

/// Bytes of a value where what is there is only copied.
pub(crate) const LONGEST_SOURCE_VALUE: i32 = 64 << 20;

/// The protections of a connection to the copy.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    start: Instant,
    whose: Arc<AtomicU8>,
    /// Nanoseconds after `start` at which the current statement ends.
    until: Arc<AtomicU64>,
    /// Bytes that a recorded statement may write.
    writes: u64,
    /// The bytes that the current statement writes, where they are bounded.
    spill: Arc<Mutex<Option<Spill>>>,
    stop: Arc<AtomicBool>,
    reason: Arc<Mutex<Option<String>>>,
    /// Ends steps in which SQLite does not look at the clock. None where the system gives no thread.
    alarm: Option<Arc<Alarm>>,
}

impl Guard {
    /// Protects a connection, whose values have at most so many bytes.
    pub(crate) fn new(
        conn: &Connection,
        options: &Options,
        longest: i32,
    ) -> rusqlite::Result<Self> {
        let guard = Self {
            start: Instant::now(),
            whose: Arc::default(),
            until: Arc::new(AtomicU64::new(u64::MAX)),
            spill: Arc::default(),
            writes: options.statement_writes,
            stop: Arc::clone(&options.stop),
            reason: Arc::default(),
            alarm: Alarm::start(conn).ok().map(Arc::new),
        };
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, longest),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            conn.set_limit(limit, most)?;
        }
        replace_slow_functions(conn, &guard.clock())?;
        let clock = guard.clone();
        conn.progress_handler(STEPS, Some(move || clock.is_over() || clock.is_spilled()))?;
        let judge = guard.clone();
        conn.authorizer(Some(move |context: AuthContext<'_>| judge.judge(&context)))?;
        Ok(guard)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether what runs has to end.
    fn is_over(&self) -> bool {
        self.is_stopped() || self.now() >= self.until.load(Ordering::Relaxed)
    }

    /// The same for functions on a connection.
    pub(crate) fn clock(&self) -> Clock {
        let guard = self.clone();
        Arc::new(move || guard.is_over())
    }

    /// Runs `work` as somebody's SQL, for at most a time. The reason of a refusal takes the place of SQLite's message.
    pub(crate) fn run<T>(
        &self,
        whose: Whose,
        time: Duration,
        work: impl FnOnce() -> rusqlite::Result<T>,
    ) -> Result<T, String> {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.until
            .store(self.now().saturating_add(nanos), Ordering::Relaxed);
        self.whose.store(whose as u8, Ordering::Relaxed);
        *self.spill() = (whose == Whose::Recorded).then(|| Spill::new(self.writes));
        let bound = (whose != Whose::Ours).then(|| MemoryBound::begin(MEMORY));
        // SQLite looks at the clock where it jumps, and a long row of calls has no jump.
        let end = Instant::now() + time.min(LONGEST_TIME);
        let last = MemoryDeadline::begin(end + GRACE);
        self.ring(Some(end));
        let done = work();
        self.ring(None);
        // A value that got no memory may have become a NULL.
        let done = match last.is_over() {
            true => Err(interrupted()),
            false => done,
        };
        drop((last, bound));
        *self.spill() = None;
        self.whose.store(Whose::Ours as u8, Ordering::Relaxed);
        // From here on the clock interrupts nothing: what follows is this crate's own.
        let is_late = self.now() >= self.until.swap(u64::MAX, Ordering::Relaxed);
        let reason = self.lock().take();
        done.map_err(|error| match reason {
            Some(reason) => reason,
            None if self.is_stopped() => "stopped".to_owned(),
            None if whose != Whose::Ours
                && error.sqlite_error_code() == Some(ErrorCode::OutOfMemory) =>
            {
                "it took too much memory".to_owned()
            }
            None if is_late => format!("it took longer than {} ms", time.as_millis()),
            None => message(&error),
        })
    }

    /// Bounds the comparisons by `LIKE` of a recorded statement. They stay SQLite's own, as a plan with others is not
    /// that of the service. The bound holds as long as what is returned is kept.
    pub(crate) fn bound_likes<'c>(
        &self,
        conn: &'c Connection,
        sql: &str,
        time: Duration,
    ) -> Result<BoundLikes<'c>, String> {
        let count = self.run(Whose::Recorded, time, || likes(conn, sql))?;
        if count > MOST_LIKES {
            return Err(format!(
                "it has more than {MOST_LIKES} comparisons by LIKE or GLOB"
            ));
        }
        let pattern = match count <= BUILT_IN_LIKES {
            true => PATTERN,
            false => PATTERN_OF_MANY,
        };
        let set = conn.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, pattern);
        set.map_err(|error| message(&error))?;
        Ok(BoundLikes(conn))
    }

    fn ring(&self, at: Option<Instant>) {
        if let Some(alarm) = &self.alarm {
            alarm.set(at);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn spill(&self) -> MutexGuard<'_, Option<Spill>> {
        self.spill.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the current statement has written more than it may. Then this is the reason.
    fn is_spilled(&self) -> bool {
        let mut spill = self.spill();
        let is_over = spill
            .as_mut()
            .is_some_and(|spill| spill.is_over(Instant::now()));
        if is_over {
            let why = format!("it wrote more than {} MiB", self.writes >> 20);
            self.lock().get_or_insert(why);
        }
        is_over
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, context: &AuthContext<'_>) -> Authorization {
        let whose = self.whose.load(Ordering::Relaxed);
        if whose == Whose::Ours as u8 {
            return Authorization::Allow;
        }
        match refusal(whose == Whose::Migration as u8, context) {
            None => Authorization::Allow,
            Some(why) => {
                self.lock().get_or_insert(why);
                Authorization::Deny
            }
        }
    }
}

/// A bound on the patterns of one statement. A migration, or an index that is made, may have longer ones.
#[must_use = "the bound ends when it is dropped"]
pub(crate) struct BoundLikes<'c>(&'c Connection);

impl Drop for BoundLikes<'_> {
    fn drop(&mut self) {
        // Setting a limit that exists does not fail.
        let _ = self
            .0
            .set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN);
    }
}

/// SQLite's words for an error.
pub(crate) fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    }
}

/// Why an action is not allowed, if it is not.
fn refusal(is_migration: bool, context: &AuthContext<'_>) -> Option<String> {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("ATTACH, DETACH and VACUUM INTO reach beyond the database".to_owned())
        }
        AuthAction::Function { function_name } if is_dangerous(function_name) => Some(format!(
            "the function {function_name}() reaches beyond the database"
        )),
        AuthAction::Pragma { pragma_name, .. }
            if SETTINGS
                .iter()
                .any(|name| name.eq_ignore_ascii_case(pragma_name)) =>
        {
            Some(format!(
                "PRAGMA {pragma_name} would lift the bounds of the copy"
            ))
        }
        _ if is_migration => None,
        AuthAction::Read { table_name, .. } if reads_whole_file(table_name) => Some(format!(
            "{table_name} reads the whole file for a row"
        )),
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Read { .. }
        | AuthAction::Function { .. } => None,
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
            // SQLite writes `sqlite_sequence` for every table with AUTOINCREMENT.
            if !table_name.starts_with("sqlite_") || table_name == "sqlite_sequence" =>
        {
            None
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("it begins or ends a transaction, which has no cost of its own".to_owned())
        }
        _ => Some("it does more than read and change rows".to_owned()),
    }
}

/// Functions that load code or touch files, should this SQLite have them.
fn is_dangerous(function: &str) -> bool {
    [
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
        "lsdir",
    ]
    .iter()
    .any(|name| name.eq_ignore_ascii_case(function))
}
