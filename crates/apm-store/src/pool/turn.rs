//! The time that one reader may take while others wait: a search that reads documents takes as long as it is let, and
//! with more readers than connections the last one would wait for all of it, several times.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::options::SEARCH_TIME;

/// The least part of its time that a reader gets, however long it has waited.
const LEAST: u32 = 8;

thread_local! {
    static TURN: Cell<Option<Turn>> = const { Cell::new(None) };
}

/// The reading of this thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// When it asked for a connection.
    pub(super) asked: Instant,
    /// Connections.
    pub(super) limit: usize,
    /// The time that a search may take here; other bounds grow with it.
    pub(super) search_time: Duration,
    /// Readers that had one or waited for one when it got its own.
    pub(super) wanting: usize,
}

/// Ends the turn when it is dropped.
#[derive(Debug)]
pub(super) struct Taken(Option<Turn>);

impl Turn {
    /// Begins it on this thread.
    pub(super) fn begin(self) -> Taken {
        Taken(TURN.replace(Some(self)))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        TURN.set(self.0);
    }
}

/// The time that a query may take, of `most` that it would take alone where a search takes [`SEARCH_TIME`]: more where
/// the store's searches may take longer, less where it waited for its connection, and where more readers want one than
/// there are. Within a reading only; elsewhere it is `most`.
#[must_use]
pub fn fair_time(most: Duration) -> Duration {
    TURN.get().map_or(most, |turn| {
        let most = most.mul_f64(turn.search_time.div_duration_f64(SEARCH_TIME));
        share(most, turn.asked.elapsed(), turn.limit, turn.wanting)
    })
}

fn share(most: Duration, waited: Duration, limit: usize, wanting: usize) -> Duration {
    let part = limit as f64 / wanting.max(limit).max(1) as f64;
    let left = most.saturating_sub(waited);
    most.mul_f64(part).min(left).max(most / LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_and_who_has_others_behind_it_takes_less_but_always_some() {
        const MOST: Duration = Duration::from_secs(2);
        let ms = Duration::from_millis;
        for (waited, limit, wanting, time) in [
            (0, 4, 1, 2_000),
            (0, 4, 4, 2_000),
            (0, 4, 8, 1_000),
            (1_500, 4, 4, 500),
            (1_500, 4, 8, 500),
            (500, 4, 8, 1_000),
            (5_000, 4, 4, 250),
            (0, 1, 100, 250),
        ] {
            let found = share(MOST, ms(waited), limit, wanting);
            assert_eq!(found, ms(time), "{waited} ms, {wanting} of {limit}");
        }
    }

    #[test]
    fn a_thread_that_reads_nothing_has_all_of_its_time() {
        let most = Duration::from_secs(2);
        assert_eq!(fair_time(most), most);
        let turn = Turn {
            asked: Instant::now(),
            limit: 1,
            search_time: SEARCH_TIME,
            wanting: 4,
        };
        let taken = turn.begin();
        assert!(fair_time(most) <= most / 4);
        drop(taken);
        assert_eq!(fair_time(most), most);
    }

    #[test]
    fn a_longer_search_time_lengthens_every_reading_alike() {
        let turn = Turn {
            asked: Instant::now(),
            limit: 4,
            search_time: 10 * SEARCH_TIME,
            wanting: 1,
        };
        let _taken = turn.begin();
        for (most, time) in [(2_000, 20_000), (400, 4_000)] {
            let found = fair_time(Duration::from_millis(most));
            // The wait for the connection, a moment, is taken off.
            let expected = Duration::from_millis(time);
            assert!(found <= expected && found > expected / 2, "{found:?}");
        }
    }
}
