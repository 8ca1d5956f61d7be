//! Histograms of durations, with the bars of an HDR histogram of two significant digits, as APM Server has them.

use std::collections::BTreeMap;

/// Bits of a duration that are kept.
const BITS: u32 = 8;

/// The longest duration that is told apart, µs: an hour.
const LONGEST: u64 = 3_600_000_000;

/// Counts by duration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram(BTreeMap<u64, f64>);

/// The longest duration of the bar in which one is.
fn bar(duration: u64) -> u64 {
    let duration = duration.min(LONGEST);
    let bits = u64::BITS - duration.leading_zeros();
    // All bits below the highest eight are set: the last duration of the bar.
    duration | ((1 << bits.saturating_sub(BITS)) - 1)
}

impl Histogram {
    /// Counts a duration, µs; gives back how many bars are new.
    pub(super) fn observe(&mut self, duration: i64, count: f64) -> usize {
        let before = self.0.len();
        let bar = bar(u64::try_from(duration).unwrap_or_default());
        *self.0.entry(bar).or_default() += count;
        self.0.len() - before
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (bar, count) in &other.0 {
            *self.0.entry(*bar).or_default() += count;
        }
    }

    pub(super) fn bars(&self) -> usize {
        self.0.len()
    }

    /// Durations and whole counts, without those that round to nothing.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.0.iter().map(|(bar, count)| (*bar, whole(*count)));
        counts.filter(|(_, count)| *count > 0)
    }
}

/// The nearest whole number.
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_named_by_its_longest_duration() {
        for (duration, named) in [
            (0, 0),
            (255, 255),
            (256, 257),
            (2064, 2079),
            (2079, 2079),
            (2080, 2095),
            (6_200_000, 6_225_919),
        ] {
            assert_eq!(bar(duration), named, "{duration}");
        }
        assert_eq!(bar(u64::MAX), bar(LONGEST));
    }
}
