//! Stretches of time, of which the only one that holds a moment can be asked for.

/// A stretch: its first moment, its last one, its number.
pub(crate) type Stretch = (i64, i64, u32);

/// Stretches with their numbers.
#[derive(Debug, Default)]
pub(crate) struct Within {
    begun: Sums,
    ended: Sums,
}

/// Moments in order, each with the sum of the numbers up to there.
#[derive(Debug, Default)]
struct Sums(Vec<(i64, u64)>);

impl Within {
    pub(crate) fn new(stretches: &[Stretch]) -> Self {
        Self {
            begun: Sums::new(stretches.iter().map(|(first, _, number)| (*first, *number))),
            ended: Sums::new(stretches.iter().map(|(_, last, number)| (*last, *number))),
        }
    }

    /// The number of the only stretch that holds a moment; nothing where none does or several do.
    pub(crate) fn only(&self, at: i64) -> Option<u32> {
        // Of those that have begun and not ended only one is left where one more has begun than has ended, and what
        // the sums of their numbers differ by is its number. So many spans of a trace do not look at many requests.
        let (begun, sum) = self.begun.before(|moment| moment <= at);
        let (ended, less) = self.ended.before(|moment| moment < at);
        match begun.checked_sub(ended) {
            Some(1) => sum.checked_sub(less)?.try_into().ok(),
            _ => None,
        }
    }
}

impl Sums {
    fn new(moments: impl Iterator<Item = (i64, u32)>) -> Self {
        let mut sorted: Vec<(i64, u64)> = moments.map(|(at, number)| (at, number.into())).collect();
        sorted.sort_unstable();
        let mut sum = 0;
        for (_, number) in &mut sorted {
            sum += *number;
            *number = sum;
        }
        Self(sorted)
    }

    /// Number and sum of those that come first.
    fn before(&self, is_before: impl Fn(i64) -> bool) -> (usize, u64) {
        let count = self.0.partition_point(|(at, _)| is_before(*at));
        let sum = count.checked_sub(1).map_or(0, |last| self.0[last].1);
        (count, sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_stretch_that_holds_a_moment_is_found() {
        let within = Within::new(&[(10, 20, 7), (15, 30, 0), (40, 50, 3), (40, 40, 9)]);
        for (at, only) in [
            (9, None),
            (10, Some(7)),
            (14, Some(7)),
            (15, None),
            (20, None),
            (21, Some(0)),
            (31, None),
            (40, None),
            (41, Some(3)),
            (50, Some(3)),
            (51, None),
        ] {
            assert_eq!(within.only(at), only, "{at}");
        }
        assert_eq!(Within::default().only(0), None);
    }
}
