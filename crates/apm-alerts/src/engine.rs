//! The thread that evaluates the rules, and the handle on it.

mod actions;
mod evaluate;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use apm_store::Store;
use diesel::SqliteConnection;

use crate::deliver::{Counters, Courier, NO_RECEIVER, Parcel};
use crate::error::AlertError;
use crate::measure::Disk;
use crate::message::Message;
use crate::options::Options;
use crate::overview::{self, Overview};
use crate::storage::history;

/// The longest time between two evaluations while nothing arrives.
const IDLE: Duration = Duration::from_secs(60);

/// The age up to which messages that were not sent are sent after a start, seconds.
const RESUMED: i64 = 3_600;

/// A handle on the alerts of a server; clones share it.
#[derive(Clone, Debug)]
pub struct Alerts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The state that the thread and the handle share.
#[derive(Debug)]
struct Core {
    store: Store,
    options: Options,
    courier: Courier,
    counters: Arc<Counters>,
    /// When it was started, seconds since 1970.
    started: i64,
    stop: (Mutex<bool>, Condvar),
}

/// Seconds since 1970.
fn now() -> i64 {
    apm_time::now() / apm_time::SECOND
}

impl Alerts {
    /// Starts to evaluate rules and to deliver messages.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn start(store: Store, options: Options) -> io::Result<Self> {
        let counters = Arc::<Counters>::default();
        let courier = Courier::start(store.clone(), options.clone(), Arc::clone(&counters))?;
        let core = Arc::new(Core {
            store,
            options,
            courier,
            counters,
            started: now(),
            stop: (Mutex::new(false), Condvar::new()),
        });
        let run = Arc::clone(&core);
        let thread = std::thread::Builder::new()
            .name("apm-alerts".to_owned())
            .spawn(move || run.run())?;
        Ok(Self(Arc::new(Inner {
            core,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Ends both threads. To be called before the store is closed.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Rules, receivers, what fires, and the newest messages.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overview(&self, conn: &mut SqliteConnection) -> Result<Overview, AlertError> {
        Overview::read(conn, &self.0.core.options)
    }

    /// Deliveries since the start: sent, failed and dropped.
    #[must_use]
    pub fn deliveries(&self) -> [(&'static str, u64); 3] {
        let counters = &self.0.core.counters;
        [
            ("sent", counters.sent.load(Ordering::Relaxed)),
            ("failed", counters.failed.load(Ordering::Relaxed)),
            ("dropped", counters.dropped.load(Ordering::Relaxed)),
        ]
    }
}

impl Inner {
    fn stop(&self) {
        let (stopped, told) = &self.core.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        told.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that evaluates alerts panicked");
        }
        // It ends last, as an evaluation may still have handed messages to it.
        self.core.courier.stop();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Core {
    fn run(&self) {
        if let Err(error) = self.resume() {
            log::warn!("alerts that were not sent before the start were not looked for: {error}");
        }
        let mut seen = None;
        let mut looked: Option<Instant> = None;
        let mut is_active = true;
        loop {
            // Before the evaluation: what is committed meanwhile is for the next one.
            let version = self.store.data_version();
            // A pending or firing state changes by time alone, without new events.
            let is_idle = !is_active && seen == Some(version);
            if !is_idle || looked.is_none_or(|at| at.elapsed() >= IDLE) {
                looked = Some(Instant::now());
                match self.look(now()) {
                    Ok(active) => is_active = active,
                    Err(error) => log::warn!("alerts were not evaluated: {error}"),
                }
                seen = Some(version);
            }
            let guard = self.stop.0.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self
                .stop
                .1
                .wait_timeout_while(guard, self.options.look, |stopped| !*stopped);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// Evaluates all rules. Whether anything is pending or fires.
    fn look(&self, now: i64) -> Result<bool, AlertError> {
        // Read first: what is found before a deletion of all data is not written after it.
        let clears = self.store.clears();
        let disk = Disk::measure(&self.store);
        let (changes, is_active, receivers) = self.store.read(|conn| {
            let (changes, is_active) =
                evaluate::evaluate(conn, &self.options, &disk, (now, self.started))?;
            let receivers = overview::receivers(conn, &self.options)?;
            Ok::<_, AlertError>((changes, is_active, receivers))
        })?;
        if changes.is_empty() {
            return Ok(is_active);
        }
        let known: Vec<String> = receivers
            .iter()
            .map(|(receiver, _)| receiver.name.clone())
            .collect();
        let written = self
            .store
            .write_of(clears, move |conn| changes.write(conn, &known))?
            .wait()?;
        for (id, message, to) in written.into_iter().flatten() {
            self.send(id, message, to);
        }
        Ok(is_active)
    }

    /// Hands a message to its receivers, by their names.
    fn send(&self, id: i64, message: Message, to: Vec<String>) {
        let message = Arc::new(message);
        for receiver in to {
            self.courier.send(Parcel {
                id,
                message: Arc::clone(&message),
                receiver,
            });
        }
    }

    /// Sends what waited when the server ended, unless it is old.
    fn resume(&self) -> Result<(), AlertError> {
        let now = now();
        let (waiting, receivers) = self.store.read(|conn| {
            let receivers = overview::receivers(conn, &self.options)?;
            Ok::<_, AlertError>((history::waiting(conn)?, receivers))
        })?;
        let mut failed = Vec::new();
        for (stored, receiver) in waiting {
            let is_known = receivers.iter().any(|(one, _)| one.name == receiver);
            if now - stored.message.at >= RESUMED {
                failed.push((
                    stored.id,
                    receiver,
                    "the server was off for more than an hour",
                ));
            } else if is_known {
                self.send(stored.id, stored.message, vec![receiver]);
            } else {
                // A receiver of the configuration file may be gone from it since the last start.
                failed.push((stored.id, receiver, NO_RECEIVER));
            }
        }
        if !failed.is_empty() {
            self.store.write(move |conn| {
                for (id, receiver, why) in failed {
                    let result = (history::State::Failed, 0, now, Some(why.to_owned()));
                    history::note(conn, id, &receiver, result)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
