//! Counts the readers, and keeps new ones out for a moment.
//!
//! SQLite can start its log again from the beginning only while nobody reads from it. Readers that overlap never leave
//! such a moment, and the log grows without end. So the writer makes one: it closes the gate, waits for those who read,
//! empties the log, and opens the gate again. Every connection of this process that reads the telemetry file passes
//! through here.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::StoreError;

/// The longest time that a reader waits in front of a closed gate.
const PATIENCE: Duration = Duration::from_secs(6);

#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    reading: usize,
    closed: bool,
}

/// Held while a connection reads.
#[derive(Debug)]
pub(crate) struct Pass<'g>(&'g Gate);

/// Held while no new reader may begin.
#[derive(Debug)]
pub(super) struct Closed<'g> {
    gate: &'g Gate,
    /// Whether all who read before have ended.
    pub(super) drained: bool,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, left: Duration) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Begins to read. A thread that holds a pass must not ask for another one: the writer would wait for the first,
    /// and the second for the writer.
    pub(super) fn enter(&self) -> Result<Pass<'_>, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy);
            }
            state = self.wait(state, left);
        }
        state.reading += 1;
        Ok(Pass(self))
    }

    /// Closes the gate, and waits at most so long for the present readers. For the one writer.
    pub(super) fn close(&self, patience: Duration) -> Closed<'_> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        // Closed before it waits: readers that overlap would never leave a moment without one.
        state.closed = true;
        while state.reading > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
        Closed {
            gate: self,
            drained: state.reading == 0,
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.reading -= 1;
        // Only the writer waits for readers, and only while it keeps new ones out.
        let wakes = state.closed && state.reading == 0;
        drop(state);
        if wakes {
            self.0.changed.notify_all();
        }
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.lock().closed = false;
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_waits_for_those_inside_and_opens_when_it_is_dropped() {
        let gate = Gate::default();
        let pass = gate.enter().expect("open");
        assert!(!gate.close(Duration::ZERO).drained, "one reads");
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| gate.close(Duration::from_secs(10)).drained);
            while !gate.lock().closed {
                std::thread::yield_now();
            }
            let late = scope.spawn(|| gate.enter().is_ok());
            drop(pass);
            assert!(closing.join().expect("no panic"), "it waited");
            assert!(late.join().expect("no panic"), "the gate is open again");
        });
        assert!(gate.close(Duration::ZERO).drained);
    }
}
