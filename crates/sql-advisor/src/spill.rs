//! Bytes that a query writes into temporary files.
//!
//! SQLite puts what it sorts and groups beyond its cache into files that have no name any more, and has no bound for
//! them. Linux counts what a thread writes, and a connection that only reads writes nothing else.

use std::time::{Duration, Instant};

/// Time between two looks: each takes some ten microseconds.
const PAUSE: Duration = Duration::from_millis(5);

/// Bytes that this thread has written since it was started; `None` where the system does not say.
#[must_use]
pub fn written() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/io").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("wchar:"))?;
    line.trim().parse().ok()
}

/// Watches what the thread of a query writes.
#[derive(Debug)]
pub struct Spill {
    /// The bytes that it had written before, where the system tells them.
    before: Option<u64>,
    most: u64,
    next: Instant,
}

impl Spill {
    /// Call it on the thread that runs the query.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self {
            before: written(),
            most,
            next: Instant::now() + PAUSE,
        }
    }

    /// Whether it wrote more than it may, if it is time for a look.
    pub fn is_over(&mut self, now: Instant) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        if now < self.next {
            return false;
        }
        self.next = now + PAUSE;
        written().is_some_and(|written| written.saturating_sub(before) > self.most)
    }
}
