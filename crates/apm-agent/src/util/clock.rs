//! Time: moments of a clock that never steps, and the wall-clock time that belongs to them.
//!
//! A time stamp is a moment plus one offset, so a clock step never scrambles a trace that is under way; the sender
//! thread measures the offset anew now and then, so a step is followed by the traces that begin after it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NANOS_PER_MICRO: u64 = 1_000;

/// A moment of the monotonic clock, in nanoseconds.
///
/// [`Instant`](std::time::Instant) keeps seconds and nanoseconds apart, so that a difference of two, of which each span
/// takes two, costs as much as looking at the clock (ADR 442).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    #[cfg(unix)]
    #[inline]
    pub(crate) fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};

        let now = clock_gettime(ClockId::Monotonic);
        // Neither part is negative, and the sum has room for five centuries.
        Self(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
    }

    #[cfg(not(unix))]
    pub(crate) fn now() -> Self {
        use std::sync::LazyLock;
        use std::time::Instant;

        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        Self(u64::try_from(FIRST.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time since an earlier moment; zero if it is a later one.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// The same in nanoseconds.
    #[inline]
    pub(crate) fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same in whole microseconds.
    #[inline]
    pub(crate) fn micros_since(self, earlier: Self) -> u64 {
        self.nanos_since(earlier) / NANOS_PER_MICRO
    }

    /// Whether it is at least so long after an earlier moment, without the division that makes a duration.
    #[inline]
    pub(crate) fn is_after(self, earlier: Self, time: Duration) -> bool {
        u128::from(self.nanos_since(earlier)) >= time.as_nanos()
    }

    /// The moment so long before this one.
    pub(crate) fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(time)))
    }

    /// The moment so long after this one.
    #[cfg(test)]
    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanos(time)))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Maps moments to microseconds since the epoch.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Microseconds since the epoch at the moment zero.
    offset: AtomicI64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self {
            offset: AtomicI64::new(0),
        };
        clock.synchronise();
        clock
    }

    /// Measures the wall clock again.
    pub(crate) fn synchronise(&self) {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_micros();
        let offset = i64::try_from(wall)
            .unwrap_or(i64::MAX)
            .saturating_sub(micros(Moment::now()));
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// Microseconds since the epoch at a moment.
    #[inline]
    pub(crate) fn micros(&self, moment: Moment) -> u64 {
        let since_epoch = micros(moment).saturating_add(self.offset.load(Ordering::Relaxed));
        u64::try_from(since_epoch).unwrap_or(0)
    }
}

/// Microseconds from the moment zero; less than a thousandth of the largest number.
fn micros(moment: Moment) -> i64 {
    (moment.0 / NANOS_PER_MICRO) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_as_long_after_another_as_the_other_before_it() {
        let first = Moment::now();
        let last = Moment::now();
        assert!(last >= first);
        assert_eq!(last.before(last.since(first)), first);
        assert_eq!(first.after(last.since(first)), last);
        let later = last.after(Duration::from_nanos(1));
        assert_eq!(later.nanos_since(last), 1);
        assert_eq!(last.since(later), Duration::ZERO);
        assert!(later.is_after(last, Duration::from_nanos(1)));
        assert!(!later.is_after(last, Duration::from_nanos(2)));
        assert!(last.is_after(later, Duration::ZERO) && !later.is_after(first, Duration::MAX));
        assert_eq!(first.before(Duration::MAX).after(Duration::MAX).0, u64::MAX);
    }

    #[test]
    fn time_stamps_are_microseconds_of_this_epoch() {
        const YEAR_2020: u64 = 1_577_836_800_000_000;
        let (clock, moment) = (Clock::new(), Moment::now());
        let stamp = clock.micros(moment);
        assert!(stamp > YEAR_2020, "{stamp}");
        let later = moment.after(Duration::from_millis(5));
        assert_eq!(clock.micros(later), stamp + 5_000);
        let earlier = moment.before(Duration::from_millis(5));
        assert_eq!(clock.micros(earlier), stamp - 5_000);
    }
}
