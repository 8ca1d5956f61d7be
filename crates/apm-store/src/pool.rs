//! Connections for reading: made when first needed, kept, at most so many at a time.

mod turn;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;

use super::error::StoreError;
use super::gate::{Gate, Pass};
use super::open;
use super::options::StoreOptions;
use turn::{Taken, Turn};

pub use turn::share_taken;

/// The longest time that a query waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    path: PathBuf,
    limit: usize,
    search_time: Duration,
    gate: Arc<Gate>,
    state: Mutex<State>,
    returned: Condvar,
    /// Readers that have a connection or wait for one.
    wanting: Arc<AtomicUsize>,
}

struct State {
    idle: Vec<SqliteConnection>,
    /// Connections in use, or about to be.
    taken: usize,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("path", &self.path)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(options: &StoreOptions, gate: Arc<Gate>) -> Self {
        Self {
            path: options.path.clone(),
            limit: options.readers.max(1),
            search_time: options.search_time,
            gate,
            state: Mutex::new(State {
                idle: Vec::new(),
                taken: 0,
            }),
            returned: Condvar::new(),
            wanting: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, which goes back when it is dropped.
    pub(super) fn get(&self) -> Result<Pooled<'_>, StoreError> {
        let turn = self.take_place()?;
        // From here on the place goes back, also where the rest fails.
        let mut pooled = Pooled {
            pool: self,
            conn: None,
            pass: None,
            _turn: turn.begin(),
        };
        // A query that still waits for a place does not read, and must not keep the writer waiting.
        pooled.pass = Some(self.gate.enter()?);
        let kept = self.lock().idle.pop();
        // The lock is released here: opening a file takes time.
        pooled.conn = match kept {
            Some(conn) => Some(conn),
            None => Some(open::reader(&self.path)?),
        };
        Ok(pooled)
    }

    /// Closes the connections that are not in use: the next ones open the files that are at the path then.
    pub(super) fn forget(&self) {
        // Closing connections takes time: the lock is released before.
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn take_place(&self) -> Result<Turn, StoreError> {
        let asked = Instant::now();
        let deadline = asked + PATIENCE;
        let mut state = self.lock();
        // Counted before it waits: those who read meanwhile see that another one wants a connection.
        self.wanting.fetch_add(1, Ordering::Relaxed);
        while state.taken >= self.limit {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.wanting.fetch_sub(1, Ordering::Relaxed);
                return Err(StoreError::Busy);
            }
            state = self
                .returned
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.taken += 1;
        Ok(Turn {
            asked,
            began: Instant::now(),
            limit: self.limit,
            search_time: self.search_time,
            wanting: Arc::clone(&self.wanting),
        })
    }
}

pub(super) struct Pooled<'p> {
    pool: &'p Pool,
    conn: Option<SqliteConnection>,
    /// Given back last: a connection that is being closed still counts as one that reads.
    pass: Option<Pass<'p>>,
    _turn: Taken,
}

impl Pooled<'_> {
    /// The connection.
    ///
    /// # Panics
    /// Never: it is there until the drop.
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        self.conn
            .as_mut()
            .expect("a connection until it is dropped")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        // A query that panicked may have left it in the middle of something.
        let kept = self.conn.take().filter(|_| !std::thread::panicking());
        let mut state = self.pool.lock();
        // The connection is back before its place is free, so that the next reader finds one.
        state.idle.extend(kept);
        state.taken -= 1;
        drop(state);
        self.pool.wanting.fetch_sub(1, Ordering::Relaxed);
        self.pool.returned.notify_one();
    }
}
