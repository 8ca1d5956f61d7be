//! Wall-clock time for monotonic instants.
//!
//! A time stamp is a monotonic instant plus one offset, so a clock step never scrambles a trace that is under way; the
//! sender thread measures the offset anew now and then, so a step is followed by the traces that begin after it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Maps [`Instant`] to microseconds since the epoch.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Instant,
    /// Microseconds since the epoch at `base`.
    offset: AtomicI64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self {
            base: Instant::now(),
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
            .saturating_sub(self.since_base(Instant::now()));
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// Microseconds since the epoch at `instant`.
    pub(crate) fn micros(&self, instant: Instant) -> u64 {
        let micros = self
            .since_base(instant)
            .saturating_add(self.offset.load(Ordering::Relaxed));
        u64::try_from(micros).unwrap_or(0)
    }

    fn since_base(&self, instant: Instant) -> i64 {
        match instant.checked_duration_since(self.base) {
            Some(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            None => {
                let before = self.base.duration_since(instant).as_micros();
                i64::try_from(before).unwrap_or(i64::MAX).saturating_neg()
            }
        }
    }
}
