//! The time for which a failing server is left alone: `min(n, 6)²` seconds ± 10 %, as the agent specification asks.

use std::time::Duration;

/// Failures in a row, and the pause after each.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure: 0, 1, 4, 9, 16, 25, 36, 36 … seconds, each ± 10 %.
    pub(crate) fn failed(&mut self) -> Duration {
        let seconds = self.failures.min(6).pow(2);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(u64::from(seconds)).mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_the_square_and_stay_at_thirty_six_seconds() {
        let mut backoff = Backoff::default();
        for expected in [0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 36.0, 36.0] {
            let pause = backoff.failed().as_secs_f64();
            assert!(
                (expected * 0.9..=expected * 1.1).contains(&pause),
                "{pause} for {expected}"
            );
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(), Duration::ZERO);
    }
}
