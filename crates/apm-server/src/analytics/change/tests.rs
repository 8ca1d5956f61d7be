use super::*;

fn total(count: f64, ms: f64) -> Total {
    Total {
        count,
        sum: count * ms * 1e3,
        ..Total::default()
    }
}

/// Groups as (count before, ms before, count after, ms after).
fn change(covered: bool, groups: &[(f64, f64, f64, f64)]) -> (Comparable, Option<i64>) {
    let mut sides = Sides::default();
    for (n, ms, n_after, ms_after) in groups {
        sides.add(total(*n, *ms), total(*n_after, *ms_after));
    }
    let change = sides.change(covered);
    let percent = |ratio: f64| ((ratio - 1.0) * 100.0).round() as i64;
    (change.comparable, change.ratio().map(percent))
}

#[test]
fn only_the_same_requests_are_compared() {
    use Comparable::{NoEarlierData, OtherRequests, TooFewRequests, Yes};
    for (covered, groups, expected, percent) in [
        (true, &[(50.0, 10.0, 50.0, 14.0)][..], Yes, Some(40)),
        // A slow route gets more traffic: nothing is slower.
        (
            true,
            &[(90.0, 1.0, 50.0, 1.0), (10.0, 100.0, 50.0, 100.0)],
            Yes,
            Some(0),
        ),
        // A route that was not there before does not count.
        (
            true,
            &[(90.0, 1.0, 90.0, 1.0), (0.0, 0.0, 50.0, 900.0)],
            Yes,
            Some(0),
        ),
        (
            true,
            &[(90.0, 1.0, 10.0, 1.0), (0.0, 0.0, 50.0, 9.0)],
            OtherRequests,
            None,
        ),
        (
            true,
            &[(9.0, 1.0, 9.0, 9.0), (9.0, 1.0, 9.0, 9.0)],
            TooFewRequests,
            None,
        ),
        (true, &[(9.0, 1.0, 90.0, 9.0)], TooFewRequests, None),
        (true, &[(90.0, 1.0, 0.0, 0.0)], TooFewRequests, None),
        (false, &[(90.0, 1.0, 90.0, 9.0)], NoEarlierData, None),
        (false, &[], NoEarlierData, None),
    ] {
        assert_eq!(change(covered, groups), (expected, percent), "{groups:?}");
    }
}
