//! The growth of what is counted from a start: the difference to the last value of the same process.
//!
//! A counter that sends its sum and one that sends what was added since last time become the same rows.

use crate::rollup::{Increase, Point};

/// A process whose first value is not known to be its first counts from it, where it began so short a time before, µs.
const RECENT: i64 = 600_000_000;

/// The longest time between two reports without a start of their own that belong together, µs.
const TOGETHER: i64 = 600_000_000;

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
    // A distribution is compared by its number of values: the sum falls where values are negative.
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
    // After a longer silence nothing tells since when this was added up.
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
mod tests;
