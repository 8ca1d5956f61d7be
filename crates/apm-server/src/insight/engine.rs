//! The engine of findings, which looks at the telemetry while nobody else does: one thread that counts callers, sets
//! markers, and applies the rules.
//!
//! It sleeps while nothing arrives. It reads a bounded number of rows per look, writes through the store's writer, and
//! logs its failures: the intake never waits for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use apm_store::{Store, StoreError, SubmitError};
use diesel::SqliteConnection;

use super::observe::{self, Observer};
use super::plan::history::Unseen;
use super::rules::{self, Files, Plans, RuleError};
use super::{bounds, finding, marker, triage};

/// The options of the engine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Services whose SQLite files may be asked for plans.
    pub files: Files,
    /// Between two looks at what arrived.
    pub look: Duration,
    /// Between two applications of the rules.
    pub judge: Duration,
    /// Days for which callers are kept by the hour.
    pub days: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            files: Files::new(),
            look: Duration::from_secs(2),
            judge: Duration::from_secs(10),
            days: 90,
        }
    }
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Engine {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts to look.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Store, options: Options) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("apm-insight".to_owned())
            .spawn(move || run(&store, &options, &told))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that looks for findings panicked");
        }
    }
}

/// The time between two looks for errors that are to be ignored no longer.
const ENDS: Duration = Duration::from_secs(10);

/// Why a look did not come to its end.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<diesel::result::Error> for LookError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

fn run(store: &Store, options: &Options, stop: &(Mutex<bool>, Condvar)) {
    let mut observer = Observer::default();
    let mut sent = Unseen::default();
    let mut plans = Plans::new(options.files.clone());
    let mut seen = None;
    let mut judged: Option<Instant> = None;
    let mut swept: Option<Instant> = None;
    let mut ended: Option<Instant> = None;
    let mut idle = 0;
    let mut due = true;
    loop {
        // The requests of the last look are counted in the next, and what was counted is judged after that.
        let version = store.data_version();
        idle = if seen == Some(version) { idle + 1 } else { 0 };
        if idle < 3 {
            match observe(store, &mut observer, &mut sent) {
                // Events that were found are counted by the next look. A commit can be seen before its version is: then
                // this look was the last idle one, and without a reset there would be no next.
                Ok(true) => {
                    due = true;
                    idle = 0;
                }
                Ok(false) => {}
                Err(error) => log::warn!("counting statements failed: {error}"),
            }
        }
        if due && judged.is_none_or(|at| at.elapsed() >= options.judge) {
            judged = Some(Instant::now());
            due = false;
            if let Err(error) = judge(store, &mut plans) {
                log::warn!("the search for findings failed: {error}");
            }
        }
        if swept.is_none_or(|at| at.elapsed() >= Duration::from_secs(3_600)) {
            swept = Some(Instant::now());
            let days = options.days;
            let now = apm_time::now() / apm_time::SECOND;
            if let Err(error) = write(store, store.clears(), move |conn| {
                observe::sweep(conn, now, days)?;
                bounds::gone_errors(conn)
            }) {
                log::warn!("deleting old callers failed: {error}");
            }
        }
        if ended.is_none_or(|at| at.elapsed() >= ENDS) {
            ended = Some(Instant::now());
            if let Err(error) = end(store) {
                log::warn!("opening ignored errors again failed: {error}");
            }
        }
        seen = Some(store.data_version());
        let guard = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = stop
            .1
            .wait_timeout_while(guard, options.look, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if *guard {
            return;
        }
    }
}

/// Writes what follows from a reading; nothing where everything was deleted meanwhile.
fn write(
    store: &Store,
    clears: u64,
    work: impl FnOnce(&mut SqliteConnection) -> diesel::QueryResult<()> + Send + 'static,
) -> Result<(), LookError> {
    store.write_of(clears, work)?.wait()?;
    Ok(())
}

/// Opens the errors that were to be ignored until now.
fn end(store: &Store) -> Result<(), LookError> {
    let now = apm_time::now() / apm_time::SECOND;
    let clears = store.clears();
    if store.read(|conn| Ok::<_, LookError>(triage::follow::due(conn, now)?))? {
        write(store, clears, move |conn| triage::follow::end(conn, now))?;
    }
    Ok(())
}

/// Counts what came. Returns whether anything came.
fn observe(store: &Store, observer: &mut Observer, sent: &mut Unseen) -> Result<bool, LookError> {
    let clears = store.clears();
    let (observed, arrivals, plans, errors) = store.read(|conn| {
        let plans = sent.look(conn)?;
        let errors = triage::follow::look(conn)?;
        Ok::<_, LookError>((observer.look(conn)?, marker::unseen(conn)?, plans, errors))
    })?;
    let came = observed.is_some() || errors.is_some();
    if came || arrivals.is_some() || plans.is_some() {
        let now = apm_time::now();
        let shares = store.options().shares_counts;
        write(store, clears, move |conn| {
            if let Some(observed) = observed {
                observed.write(conn, shares)?;
            }
            if let Some(arrivals) = arrivals {
                arrivals.write(conn, now)?;
            }
            if let Some(plans) = plans {
                plans.write(conn, now)?;
            }
            if let Some(errors) = errors {
                errors.write(conn, shares)?;
            }
            Ok(())
        })?;
    }
    Ok(came)
}

/// Applies the rules and keeps what they find.
fn judge(store: &Store, plans: &mut Plans) -> Result<(), LookError> {
    let now = apm_time::now() / apm_time::SECOND;
    let clears = store.clears();
    let found = store.read(|conn| Ok::<_, LookError>(rules::apply(conn, plans, now)?))?;
    if !found.services.is_empty() {
        write(store, clears, move |conn| {
            finding::keep(conn, &found.drafts, &found.services, now)?;
            finding::end(conn, &found.ended, now)
        })?;
    }
    Ok(())
}
