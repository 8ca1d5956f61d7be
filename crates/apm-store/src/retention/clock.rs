//! The clock that retention goes by.
//!
//! A machine may start with a clock that is a month ahead. Deleting by it would delete everything. So a clock that is
//! far ahead of the newest arrival is not believed at once: the events that come in carry times of their own, and when
//! those have agreed with the clock for a while, it is. Until then the time goes on from the newest arrival, by a clock
//! that nobody sets.

use std::time::{Duration, Instant};

/// An event agrees with the clock if its own time is at most so far from it, seconds.
const CLOSE: i64 = 3_600;

/// The time for which arrivals have to agree with the clock. A time server corrects a clock within minutes.
const WHILE: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Clock {
    /// A clock that is at most so far ahead of the newest arrival is believed, seconds.
    jump: i64,
    /// The last time that was believed, and when.
    believed: Option<(i64, Instant)>,
    doubt: Option<Doubt>,
}

/// Arrivals since the clock is not believed.
#[derive(Debug, Default)]
struct Doubt {
    /// The clock, seconds since the epoch.
    clock: i64,
    agreed: u64,
    differed: u64,
    /// When the first arrival agreed.
    since: Option<Instant>,
}

impl Clock {
    pub(super) fn new(jump: Duration) -> Self {
        Self {
            jump: i64::try_from(jump.as_secs()).unwrap_or(i64::MAX),
            believed: None,
            doubt: None,
        }
    }

    /// Whether the newest arrival has to be told before the time can be.
    pub(super) fn is_new(&self) -> bool {
        self.believed.is_none()
    }

    /// Begins with the newest arrival that is stored, seconds since the epoch. With none, the clock is believed.
    pub(super) fn start(&mut self, newest: Option<i64>, clock: i64, at: Instant) {
        // A newest arrival in the future was dated by a clock that was wrong then.
        self.believed = Some((newest.unwrap_or(clock), at));
    }

    /// The time to go by. `clock`: what the machine says, seconds since the epoch; `at`: the same moment.
    pub(super) fn now(&mut self, clock: i64, at: Instant) -> i64 {
        let (time, then) = self.believed.unwrap_or((clock, at));
        let passed = at.saturating_duration_since(then).as_secs();
        let expected = time.saturating_add_unsigned(passed);
        // A clock that is behind is believed: it deletes too little, never too much.
        let is_sure = clock.saturating_sub(expected) <= self.jump;
        if is_sure || self.doubt.as_ref().is_some_and(|doubt| doubt.is_over(at)) {
            if self.doubt.take().is_some() {
                log::info!("the clock is trusted again: arrivals agree with it");
            }
            self.believed = Some((clock, at));
            return clock;
        }
        let ahead = Duration::from_secs(clock.saturating_sub(expected).unsigned_abs());
        let doubt = self.doubt.get_or_insert_with(|| {
            log::warn!(
                "the clock is {} h ahead of the newest arrival: no event is deleted for its age until new arrivals \
                 have agreed with the clock for {} min",
                ahead.as_secs() / 3_600,
                WHILE.as_secs() / 60
            );
            Doubt::default()
        });
        // A clock that was set meanwhile has to be agreed with anew.
        if (doubt.clock - clock).abs() > CLOSE + 60 {
            *doubt = Doubt::default();
        }
        doubt.clock = clock;
        expected
    }

    /// An event came in. `time`: its own, seconds since the epoch.
    pub(super) fn arrived(&mut self, time: i64, at: Instant) {
        let Some(doubt) = &mut self.doubt else { return };
        if (time - doubt.clock).abs() <= CLOSE {
            doubt.agreed += 1;
            doubt.since.get_or_insert(at);
        } else {
            doubt.differed += 1;
        }
    }

    /// Whether it matters what comes in.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }
}

impl Doubt {
    fn is_over(&self, at: Instant) -> bool {
        self.agreed > self.differed
            && self
                .since
                .is_some_and(|since| at.saturating_duration_since(since) >= WHILE)
    }
}

#[cfg(test)]
mod tests;
