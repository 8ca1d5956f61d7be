//! The part of an item that its children cover: self time, and the stretches that no child covers.
//!
//! It is an item's duration less the union of its children's intervals, clipped to it.

/// A stretch of the timeline, `from .. to` in µs.
pub(crate) type Interval = (i64, i64);

/// The stretches of `whole` that none of `children` covers, in order.
pub(crate) fn uncovered(
    whole: Interval,
    children: impl IntoIterator<Item = Interval>,
) -> Vec<Interval> {
    let (from, to) = whole;
    let mut children: Vec<Interval> = children
        .into_iter()
        .map(|(a, b)| (a.max(from), b.min(to)))
        .filter(|(a, b)| a < b)
        .collect();
    children.sort_unstable();
    let mut gaps = Vec::new();
    let mut covered = from;
    for (start, end) in children {
        if start > covered {
            gaps.push((covered, start));
        }
        covered = covered.max(end);
    }
    if covered < to {
        gaps.push((covered, to));
    }
    gaps
}

/// Time of `whole` that none of `children` covers.
pub(crate) fn self_time(whole: Interval, children: impl IntoIterator<Item = Interval>) -> i64 {
    uncovered(whole, children)
        .iter()
        .map(|(from, to)| to - from)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_time_is_what_the_union_of_the_children_leaves() {
        for (children, want) in [
            (&[][..], 100),
            (&[(10, 30)], 80),
            (&[(10, 30), (20, 40)], 70),
            (&[(20, 40), (10, 30)], 70),
            (&[(10, 90), (20, 30)], 20),
            (&[(-50, 10), (90, 500)], 80),
            (&[(-50, 500)], 0),
            (&[(200, 300), (-9, -1)], 100),
            (&[(30, 10)], 100),
        ] {
            assert_eq!(
                self_time((0, 100), children.iter().copied()),
                want,
                "{children:?}"
            );
        }
    }

    #[test]
    fn gaps_are_named_in_order() {
        assert_eq!(
            uncovered((0, 100), [(10, 30), (60, 70)]),
            [(0, 10), (30, 60), (70, 100)]
        );
        assert!(uncovered((5, 5), []).is_empty());
    }
}
