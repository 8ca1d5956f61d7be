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
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(2);

    #[test]
    fn who_waited_and_who_has_others_behind_it_takes_less_but_always_some() {
        let ms = Duration::from_millis;
        for (waited, limit, wanting, time) in [
            (0, 4, 1, 2_000),
            (0, 4, 4, 2_000),
            (0, 4, 8, 1_000),
            (1_500, 4, 4, 500),
            (1_500, 4, 8, 250),
            (500, 4, 8, 750),
            (5_000, 4, 4, 125),
            (0, 1, 100, 125),
        ] {
            let found = share(MOST, ms(waited), limit, wanting);
            assert_eq!(found, ms(time), "{waited} ms, {wanting} of {limit}");
        }
    }

    /// The time at which the last of some readers ends that come at the same time and take all that they may, ms.
    fn last_end(readers: usize, limit: usize) -> u64 {
        let mut waiting = readers;
        let mut began: Vec<u64> = Vec::new();
        for now in 0.. {
            let wanting = waiting + began.len();
            began.retain(|began| {
                let waited = Duration::from_millis(*began);
                Duration::from_millis(now - began) < share(MOST, waited, limit, wanting)
            });
            while waiting > 0 && began.len() < limit {
                waiting -= 1;
                began.push(now);
            }
            if began.is_empty() {
                return now;
            }
        }
        unreachable!("time does not end")
    }

    #[test]
    fn readers_that_come_together_end_together_within_the_time_of_one() {
        for readers in [1, 4, 5, 6, 8, 9, 16, 31, 64] {
            let end = last_end(readers, 4);
            // Each round may be seen to end a millisecond late.
            assert!(end <= 2_000 + 16, "{readers} readers: {end} ms");
        }
        // Beyond, each still gets a sixteenth.
        assert_eq!(last_end(128, 4), 4_000);
    }

    #[test]
    fn a_reading_has_less_time_as_soon_as_others_wait_and_a_thread_that_reads_nothing_has_no_turn()
    {
        assert_eq!(share_taken(MOST), None);
        let wanting = Arc::new(AtomicUsize::new(1));
        let began = Instant::now();
        let turn = Turn {
            asked: began,
            began,
            limit: 1,
            search_time: SEARCH_TIME,
            wanting: Arc::clone(&wanting),
        };
        assert_eq!(turn.share(MOST), MOST);
        wanting.store(4, Ordering::Relaxed);
        assert_eq!(turn.share(MOST), MOST / 4);
        let taken = turn.begin();
        assert!(share_taken(MOST).is_some_and(|part| part >= 0.0));
        assert_eq!(share_taken(Duration::ZERO), Some(f64::INFINITY));
        drop(taken);
        assert_eq!(share_taken(MOST), None);
    }

    #[test]
    fn a_longer_search_time_lengthens_every_reading_alike() {
        let began = Instant::now();
        let turn = Turn {
            asked: began,
            began,
            limit: 4,
            search_time: 10 * SEARCH_TIME,
            wanting: Arc::new(AtomicUsize::new(1)),
        };
        for ms in [2_000, 400] {
            let most = Duration::from_millis(ms);
            assert_eq!(turn.share(most), 10 * most);
        }
    }
}
