//! The time that one reader may take while others wait: a search that reads documents takes as long as it is let, and
//! with more readers than connections the last one would wait for all of it, several times.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::options::SEARCH_TIME;

/// The least part of its time that a reader gets, however long it has waited.
const LEAST: u32 = 16;

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// The reading of this thread.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// When it asked for a connection.
    pub(super) asked: Instant,
    /// When it got its place.
    pub(super) began: Instant,
    /// Connections.
    pub(super) limit: usize,
    /// The time that a search may take here; other bounds grow with it.
    pub(super) search_time: Duration,
    /// Readers that have a connection or wait for one, now.
    pub(super) wanting: Arc<AtomicUsize>,
}

/// Ends the turn when it is dropped.
#[derive(Debug)]
pub(super) struct Taken(Option<Turn>);

impl Turn {
    /// Begins it on this thread.
    pub(super) fn begin(self) -> Taken {
        Taken(TURN.replace(Some(self)))
    }

    /// The time that it may take since it began, of `most` that it would take alone where a search takes
    /// [`SEARCH_TIME`].
    fn share(&self, most: Duration) -> Duration {
        let most = most.mul_f64(self.search_time.div_duration_f64(SEARCH_TIME));
        let waited = self.began.duration_since(self.asked);
        share(
            most,
            waited,
            self.limit,
            self.wanting.load(Ordering::Relaxed),
        )
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        TURN.set(self.0.take());
    }
}

/// The part of its time that the reading of this thread has taken, if it would take `most` alone where a search takes
/// [`SEARCH_TIME`]: 1 is all of it. A reading has more time where the store's searches may take longer, and less where
/// it waited for its connection, and while more readers want one than there are: what others want is looked at anew
/// each time. Nothing outside of a reading.
#[must_use]
pub fn share_taken(most: Duration) -> Option<f64> {
    TURN.with_borrow(|turn| {
        let turn = turn.as_ref()?;
        let share = turn.share(most);
        Some(match share.is_zero() {
            true => f64::INFINITY,
            false => turn.began.elapsed().div_duration_f64(share),
        })
    })
}

/// Readers that wait come next with what is left of the same time: each round of them takes as much as this one.
fn share(most: Duration, waited: Duration, limit: usize, wanting: usize) -> Duration {
    let part = limit as f64 / wanting.max(limit).max(1) as f64;
    let left = most.saturating_sub(waited);
    left.mul_f64(part).max(most / LEAST)
}

#[cfg(test)]
mod tests;
