//! The end of a statement at a time, from a thread of its own.
//!
//! SQLite calls its progress handler where its program jumps. What counts the rows of a table is one step, which takes
//! seconds for some gigabytes: it looks at nothing but the flag of an interrupt.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

/// The pause before a statement is interrupted again: SQLite forgets an interrupt before a statement begins.
const AGAIN: Duration = Duration::from_millis(100);

/// Interrupts what runs on a connection from a time on. Ends with its thread when it is dropped.
#[derive(Debug)]
pub struct Alarm {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    at: Option<Instant>,
    has_ended: bool,
}

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(conn: &Connection) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (own, handle) = (Arc::clone(&shared), conn.get_interrupt_handle());
        let thread = thread::Builder::new()
            .name("apm-sql-alarm".to_owned())
            .spawn(move || own.wait(&handle))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Sets it to a time, or to none. After that no statement is interrupted for an earlier one.
    pub fn set(&self, at: Option<Instant>) {
        self.shared.lock().at = at;
        self.shared.changed.notify_one();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It does nothing that panics.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, handle: &InterruptHandle) {
        let mut state = self.lock();
        while !state.has_ended {
            let now = Instant::now();
            let left = match state.at {
                None => None,
                Some(at) if at > now => Some(at - now),
                Some(_) => {
                    // With the lock held, so that what follows on this statement is not meant.
                    handle.interrupt();
                    Some(AGAIN)
                }
            };
            state = match left {
                None => self.changed.wait(state),
                Some(left) => self
                    .changed
                    .wait_timeout(state, left)
                    .map(|(state, _)| state)
                    .map_err(|error| PoisonError::new(error.into_inner().0)),
            }
            .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ErrorCode;

    use super::*;

    /// Runs a statement without end.
    fn endless(conn: &Connection) -> rusqlite::Result<i64> {
        let sql =
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
        conn.query_row(sql, [], |row| row.get(0))
    }

    #[test]
    fn a_statement_ends_at_its_time_and_the_next_one_is_left_alone() {
        let conn = Connection::open_in_memory().unwrap();
        let alarm = Alarm::start(&conn).unwrap();
        for left in [Duration::ZERO, Duration::from_millis(30)] {
            alarm.set(Some(Instant::now() + left));
            let error = endless(&conn).unwrap_err();
            let code = error.sqlite_error_code();
            assert_eq!(code, Some(ErrorCode::OperationInterrupted), "{error}");
            alarm.set(None);
            for _ in 0..1_000 {
                let one: i64 = conn.query_row("SELECT 1", [], |row| row.get(0)).unwrap();
                assert_eq!(one, 1);
            }
        }
    }

    #[test]
    fn an_alarm_that_is_dropped_ends_at_once_and_one_may_outlive_its_connection() {
        let conn = Connection::open_in_memory().unwrap();
        let alarm = Alarm::start(&conn).unwrap();
        alarm.set(Some(Instant::now() + Duration::from_secs(3_600)));
        drop(alarm);
        let alarm = Alarm::start(&conn).unwrap();
        drop(conn);
        alarm.set(Some(Instant::now()));
        drop(alarm);
    }
}
