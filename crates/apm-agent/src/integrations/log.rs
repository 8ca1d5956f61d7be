//! For services that log through the crate `log`: lines with the ids of their trace, errors as events, ECS JSON.
//!
//! [`Logger`] wraps the service's own logger and looks at what passes. [`format`] is for a logger that lets its format
//! be set, such as `env_logger`. Each is useful without the other.

use std::borrow::Cow;
use std::cell::Cell;
use std::io;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{LevelFilter, Log, Metadata, SetLoggerError};

use crate::config::{Config, LocalSources, LogEcsReformatting, Snapshot};
use crate::integrations::logs::{Observed, Record, ServiceFields, observe, rfc3339};
use crate::recording::context;
use crate::recording::current::TraceIds;
use crate::recording::recorder;
use crate::trace::ids::ErrorId;
use crate::util::bounded::Bounded;

/// The longest text that is made of a record, in bytes.
const MAX_LINE: usize = 64 * 1024;

thread_local! {
    /// The error event that the record which is being logged has become.
    static ERROR: Cell<Option<ErrorId>> = const { Cell::new(None) };
}

/// Puts back the error of the record that was being logged before, also when the inner logger panics.
struct Restore(Option<ErrorId>);

impl Drop for Restore {
    fn drop(&mut self) {
        ERROR.set(self.0);
    }
}

/// A logger around the service's own: records of level `ERROR` also become error events (`capture_log_errors`), and all
/// that the inner logger accepts are sent to the server if `log_sending` is on. The agent's own lines are only passed
/// on.
///
/// ```
/// let logger = env_logger::Builder::from_default_env().format(apm_agent::log::format).build();
/// let level = logger.filter();
/// apm_agent::log::Logger::new(logger).install(level)?;
/// log::error!("the inner logger prints this line, and the agent makes an error event of it");
/// # Ok::<(), log::SetLoggerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Logger<L> {
    inner: L,
    ignored: Vec<Cow<'static, str>>,
}

impl<L: Log> Logger<L> {
    /// Wraps a logger.
    pub fn new(inner: L) -> Self {
        Self {
            inner,
            ignored: Vec::new(),
        }
    }

    /// Only passes on what the module `path` and those below it log: `shop` is also `shop::cart`, and not `shopping`.
    /// For code whose errors are not the service's, such as another service in the same process.
    ///
    /// ```
    /// # let logger = env_logger::Builder::new().build();
    /// let logger = apm_agent::log::Logger::new(logger).ignore("noisy_library");
    /// ```
    #[must_use]
    pub fn ignore(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.ignored.push(path.into());
        self
    }

    fn ignores(&self, target: &str) -> bool {
        self.ignored.iter().any(|path| {
            target
                .strip_prefix(&**path)
                .is_some_and(|below| below.is_empty() || below.starts_with("::"))
        })
    }

    /// Makes it the process's logger, for records down to `level`.
    ///
    /// # Errors
    /// When there is a logger already.
    pub fn install(self, level: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(level);
        Ok(())
    }
}

impl<L: Log> Log for Logger<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.inner.enabled(record.metadata()) {
            return;
        }
        if self.ignores(record.target()) {
            return self.inner.log(record);
        }
        let observed = Observed {
            level: record.level(),
            target: record.target(),
            file: record.file(),
            line: record.line(),
        };
        let error = observe(&observed, || Bounded::format(*record.args(), MAX_LINE));
        let _restore = Restore(ERROR.replace(error));
        self.inner.log(record);
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

/// Writes a record as a line: time, level, module, message, and inside a transaction `trace.id`, `transaction.id` and,
/// in a span, `span.id`. With `log_ecs_reformatting=override` the line is ECS JSON.
///
/// # Errors
/// Those of `out`.
pub fn format<W: io::Write + ?Sized>(out: &mut W, record: &log::Record<'_>) -> io::Result<()> {
    if settings().log_ecs_reformatting == LogEcsReformatting::Override {
        return format_ecs(out, record);
    }
    let timestamp = now();
    let ids = context::with(|current| Some(TraceIds::from_current(current)));
    write!(
        out,
        "{} {:5} {} {}",
        rfc3339(timestamp),
        record.level(),
        record.target(),
        record.args()
    )?;
    match ids {
        Some(ids) => writeln!(out, " {ids}"),
        None => writeln!(out),
    }
}

/// Writes a record as a line of ECS JSON, whatever `log_ecs_reformatting` says. The service's name and version are in
/// it while an agent runs.
///
/// # Errors
/// Those of `out`.
pub fn format_ecs<W: io::Write + ?Sized>(out: &mut W, record: &log::Record<'_>) -> io::Result<()> {
    let ids = context::with(|current| Some(TraceIds::from_current(current)));
    write_ecs(out, record, now(), ids, &ServiceFields::new(&settings()))
}

/// The present, µs since 1970.
fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

fn write_ecs<W: io::Write + ?Sized>(
    out: &mut W,
    record: &log::Record<'_>,
    timestamp: u64,
    ids: Option<TraceIds>,
    service: &ServiceFields,
) -> io::Result<()> {
    let thread = std::thread::current();
    let level = record.level().as_str().to_ascii_lowercase();
    let message = record.args().to_string();
    let record = Record {
        timestamp,
        level: &level,
        message: &message,
        logger: Some(record.target()),
        file: record.file(),
        line: record.line(),
        thread: thread.name(),
        ids,
        error_id: ERROR.get(),
    };
    let mut line = Vec::with_capacity(256 + message.len());
    record.write_ecs(service, &mut line);
    out.write_all(&line)
}

/// The settings of the agent that records here; before one is started, those of the environment.
fn settings() -> Arc<Snapshot> {
    static ENVIRONMENT: LazyLock<Arc<Snapshot>> =
        LazyLock::new(|| Config::resolve(LocalSources::from_process()).0.snapshot());
    let here = context::with(|current| Some(Arc::clone(&current.transaction.recorder)));
    match here.or_else(recorder::running) {
        Some(agent) => agent.config.snapshot(),
        None => Arc::clone(&ENVIRONMENT),
    }
}
