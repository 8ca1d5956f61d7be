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
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 1_800_000_000;

    fn started(newest: Option<i64>, clock: i64) -> (Clock, Instant) {
        let mut made = Clock::new(Duration::from_secs(3_600));
        let at = Instant::now();
        made.start(newest, clock, at);
        (made, at)
    }

    fn minutes(at: Instant, minutes: u64) -> Instant {
        at + Duration::from_secs(60 * minutes)
    }

    #[test]
    fn a_clock_near_the_newest_arrival_is_believed_and_so_is_one_without_any() {
        let (mut clock, at) = started(Some(NOW - 1800), NOW);
        assert_eq!(clock.now(NOW, at), NOW);
        assert_eq!(clock.now(NOW + 60, minutes(at, 1)), NOW + 60);
        let (mut clock, at) = started(None, NOW + 30 * DAY);
        assert_eq!(clock.now(NOW + 30 * DAY, at), NOW + 30 * DAY);
    }

    #[test]
    fn a_clock_that_is_ahead_is_believed_when_arrivals_agreed_for_a_while() {
        let ahead = NOW + 30 * DAY;
        let (mut clock, at) = started(Some(NOW), ahead);
        assert_eq!(clock.now(ahead, at), NOW);
        // Time goes on from the newest arrival.
        assert_eq!(clock.now(ahead + 300, minutes(at, 5)), NOW + 300);
        clock.arrived(ahead + 300, minutes(at, 5));
        assert_eq!(clock.now(ahead + 840, minutes(at, 14)), NOW + 840);
        assert_eq!(clock.now(ahead + 900, minutes(at, 15)), ahead + 900);
        assert!(!clock.is_in_doubt());
    }

    #[test]
    fn a_clock_that_arrivals_contradict_is_never_believed() {
        let ahead = NOW + 30 * DAY;
        let (mut clock, at) = started(Some(NOW), ahead);
        clock.now(ahead, at);
        for minute in 0..600 {
            let at = minutes(at, minute);
            let passed = 60 * i64::try_from(minute).unwrap();
            clock.arrived(NOW + passed, at);
            // One sender shares the wrong clock.
            if minute % 3 == 0 {
                clock.arrived(ahead + passed, at);
            }
            assert_eq!(clock.now(ahead + passed, at), NOW + passed);
        }
    }

    #[test]
    fn a_jump_while_running_is_doubted_and_a_clock_that_is_behind_deletes_less() {
        let (mut clock, at) = started(Some(NOW), NOW);
        assert_eq!(clock.now(NOW + DAY, minutes(at, 1)), NOW + 60);
        // It is set back.
        assert_eq!(clock.now(NOW + 120, minutes(at, 2)), NOW + 120);
        assert!(!clock.is_in_doubt());
        assert_eq!(clock.now(NOW - DAY, minutes(at, 3)), NOW - DAY);
        // An arrival of the future was dated by a wrong clock.
        let (mut clock, at) = started(Some(NOW + 30 * DAY), NOW);
        assert_eq!(clock.now(NOW, at), NOW);
    }

    #[test]
    fn a_clock_that_is_set_again_has_to_be_agreed_with_anew() {
        let (mut clock, at) = started(Some(NOW), NOW + 30 * DAY);
        clock.now(NOW + 30 * DAY, at);
        clock.arrived(NOW + 30 * DAY, at);
        let other = NOW + 60 * DAY;
        assert_eq!(clock.now(other, minutes(at, 9)), NOW + 540);
        assert_eq!(clock.now(other + 180, minutes(at, 12)), NOW + 720);
    }
}
