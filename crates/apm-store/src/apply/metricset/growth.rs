//! The growth of what is counted from a start: the difference to the last value of the same process.
//!
//! A counter that sends its sum and one that sends what was added since last time become the same rows.

use crate::rollup::Increase;

/// A process whose first value is not known to be its first counts from it, where it began so short a time before, µs.
const RECENT: i64 = 600_000_000;

/// The longest time between two reports without a start of their own that belong together, µs.
const TOGETHER: i64 = 600_000_000;

/// A value that counts from a start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point {
    /// The start, µs since the epoch; 0 where none was sent.
    pub(super) start: i64,
    /// When it was read, µs since the epoch.
    pub(super) ts: i64,
    /// Values of a distribution.
    pub(super) count: f64,
    /// Of a counter its value, of a distribution the sum of the values.
    pub(super) sum: f64,
    /// Bins and counts, by bin.
    pub(super) bins: Vec<(i32, f64)>,
}

/// The growth of a sum since the last value; nothing where that is not known, or where it came already.
pub(super) fn since(last: Option<&Point>, now: &Point) -> Option<Increase> {
    let Some(last) = last else {
        let is_recent = now.start > 0 && now.start < now.ts && now.ts - now.start <= RECENT;
        return is_recent.then(|| whole(Some(now.start), now));
    };
    if now.ts <= last.ts {
        return None;
    }
    let is_counter = now.bins.is_empty() && last.bins.is_empty() && now.count == 0.0;
    let is_less = if is_counter {
        now.sum < last.sum
    } else {
        now.count < last.count
    };
    // It began anew, some time after the last value: all of it came since then.
    if is_less {
        return Some(whole(Some(last.ts), now));
    }
    Some(Increase {
        from: Some(last.ts),
        count: now.count - last.count,
        sum: now.sum - last.sum,
        bins: difference(last, now),
        ..Increase::default()
    })
}

/// The sum that was added since last time, as it was sent; nothing where it came already.
pub(super) fn added(last: Option<&Point>, now: &Point) -> Option<Increase> {
    if last.is_some_and(|last| now.ts <= last.ts) {
        return None;
    }
    let before = last
        .map(|last| last.ts)
        .filter(|ts| now.ts - ts <= TOGETHER);
    let from = if now.start > 0 {
        Some(now.start)
    } else {
        before
    };
    Some(whole(from, now))
}

fn whole(from: Option<i64>, now: &Point) -> Increase {
    Increase {
        from,
        count: now.count,
        sum: now.sum,
        bins: now.bins.clone(),
        ..Increase::default()
    }
}

/// The bars that came since the last value.
///
/// An exponential histogram merges its buckets when its range grows. Its bars then do not match those before. What came
/// since is taken to look like all of it.
fn difference(last: &Point, now: &Point) -> Vec<(i32, f64)> {
    let mut before = last.bins.iter().copied().peekable();
    let mut bins = Vec::with_capacity(now.bins.len());
    for (bin, count) in &now.bins {
        let known = match before.peek() {
            // A bar that was there is gone.
            Some((known, _)) if known < bin => return alike(last, now),
            Some((known, count)) if known == bin => *count,
            _ => 0.0,
        };
        if known > 0.0 {
            before.next();
        }
        if *count < known {
            return alike(last, now);
        }
        if *count > known {
            bins.push((*bin, count - known));
        }
    }
    match before.next() {
        Some(_) => alike(last, now),
        None => bins,
    }
}

fn alike(last: &Point, now: &Point) -> Vec<(i32, f64)> {
    let all: f64 = now.bins.iter().map(|(_, count)| count).sum();
    let share = (now.count - last.count) / all.max(1.0);
    let bars = now.bins.iter().map(|(bin, count)| (*bin, count * share));
    bars.filter(|(_, count)| *count > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    /// Some time in 2026.
    const BASE: i64 = 1_790_000_000_000_000;

    fn at(minute: i64, sum: f64) -> Point {
        Point {
            ts: BASE + minute * MINUTE,
            sum,
            ..Point::default()
        }
    }

    fn sum(increase: Option<Increase>) -> Option<f64> {
        increase.map(|increase| increase.sum)
    }

    #[test]
    fn a_sum_grows_by_its_difference_and_begins_anew_at_a_smaller_value() {
        assert_eq!(sum(since(Some(&at(0, 10.0)), &at(1, 25.0))), Some(15.0));
        assert_eq!(sum(since(Some(&at(0, 10.0)), &at(1, 4.0))), Some(4.0));
        assert_eq!(sum(since(Some(&at(0, 10.0)), &at(1, 10.0))), Some(0.0));
    }

    #[test]
    fn what_came_already_counts_once() {
        assert_eq!(since(Some(&at(1, 10.0)), &at(1, 10.0)), None);
        assert_eq!(since(Some(&at(1, 10.0)), &at(0, 5.0)), None);
        assert_eq!(added(Some(&at(1, 10.0)), &at(1, 10.0)), None);
    }

    #[test]
    fn a_first_value_counts_only_where_the_process_began_a_short_time_before() {
        assert_eq!(since(None, &at(0, 10.0)), None);
        let begun = |before: i64| Point {
            start: BASE - before * MINUTE,
            ..at(0, 10.0)
        };
        assert_eq!(sum(since(None, &begun(1))), Some(10.0));
        assert_eq!(since(None, &begun(600)), None);
    }

    fn histogram(minute: i64, bins: &[(i32, f64)]) -> Point {
        Point {
            count: bins.iter().map(|(_, count)| count).sum(),
            bins: bins.to_vec(),
            ..at(minute, 0.0)
        }
    }

    #[test]
    fn a_distribution_grows_bar_by_bar() {
        let first = histogram(0, &[(1, 2.0), (5, 1.0)]);
        let next = histogram(1, &[(1, 2.0), (3, 4.0), (5, 2.0)]);
        let grown = since(Some(&first), &next).expect("grown");
        assert_eq!((grown.count, grown.bins), (5.0, vec![(3, 4.0), (5, 1.0)]));
    }

    #[test]
    fn bars_that_were_merged_keep_the_count_and_take_the_new_shape() {
        let first = histogram(0, &[(1, 2.0), (2, 2.0)]);
        let next = histogram(1, &[(3, 6.0)]);
        let grown = since(Some(&first), &next).expect("grown");
        assert_eq!((grown.count, grown.bins), (2.0, vec![(3, 2.0)]));
    }

    #[test]
    fn added_values_without_a_start_belong_to_the_time_since_the_last_report() {
        let grown = added(Some(&at(0, 1.0)), &at(1, 7.0)).expect("grown");
        assert_eq!((grown.from, grown.sum), (Some(BASE), 7.0));
        assert_eq!(
            added(Some(&at(0, 1.0)), &at(60, 7.0)).expect("grown").from,
            None
        );
    }
}
