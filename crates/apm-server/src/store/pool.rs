//! Connections for reading: made when first needed, kept, at most so many at a time.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;

use super::{StoreError, open};

/// How long a query waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    path: PathBuf,
    limit: usize,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    idle: Vec<SqliteConnection>,
    made: usize,
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
    pub(super) fn new(path: PathBuf, limit: usize) -> Self {
        Self {
            path,
            limit: limit.max(1),
            state: Mutex::new(State {
                idle: Vec::new(),
                made: 0,
            }),
            returned: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, which goes back when it is dropped.
    pub(super) fn get(&self) -> Result<Pooled<'_>, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(conn) = state.idle.pop() {
                return Ok(Pooled {
                    pool: self,
                    conn: Some(conn),
                });
            }
            if state.made < self.limit {
                state.made += 1;
                drop(state);
                // Counts as made from here on, and as gone again if it fails.
                let mut pooled = Pooled {
                    pool: self,
                    conn: None,
                };
                pooled.conn = Some(open::reader(&self.path)?);
                return Ok(pooled);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy);
            }
            state = self
                .returned
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

pub(super) struct Pooled<'p> {
    pool: &'p Pool,
    conn: Option<SqliteConnection>,
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
        let mut state = self.pool.lock();
        match self.conn.take() {
            // A query that panicked may have left it in the middle of something.
            Some(conn) if !std::thread::panicking() => state.idle.push(conn),
            _ => state.made -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
