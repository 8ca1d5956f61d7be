use super::*;

fn buckets(count: i64) -> Vec<Bucket> {
    let bucket = |place| Bucket {
        start: place * 60,
        covered: 60.0,
    };
    (0..count).map(bucket).collect()
}

#[test]
fn a_rate_is_what_was_added_in_a_second_and_whole_at_the_ends() {
    let count = [0.0, 20.0, 120.0, 120.0, 40.0, 0.0];
    let sum = [0.0, 20.0, 120.0, 240.0, 80.0, 0.0];
    let is_there = [false, true, true, true, true, false];
    let found = rates(&count, &sum, &is_there, &buckets(6));
    // Two processes: a second of both makes two seconds.
    assert_eq!(
        found,
        [None, Some(2.0), Some(2.0), Some(4.0), Some(4.0), None]
    );
}

#[test]
fn a_rate_without_known_seconds_is_that_of_the_bucket() {
    let found = rates(&[0.0], &[30.0], &[true], &buckets(1));
    assert_eq!(found, [Some(0.5)]);
}

#[test]
fn gauges_of_one_line_make_their_mean_or_their_sum() {
    let axis = Axis {
        interval: 60,
        buckets: buckets(2),
        widened: false,
    };
    let gauge = |value: f64, count: f64| {
        let mut sums = Sums::new(2);
        sums.add(0, count, value * count, (Some(value), Some(value)));
        sums
    };
    let (one, other) = (gauge(10.0, 2.0), gauge(40.0, 1.0));
    let made = |together| {
        let series = [&one, &other];
        line(BTreeMap::new(), MetricKind::Gauge, together, &series, &axis)
    };
    assert_eq!(made(Together::Mean).values, [Some(20.0), None]);
    let sum = made(Together::Sum);
    assert_eq!((sum.values[0], sum.max), (Some(50.0), Some(50.0)));
    assert_eq!(made(Together::Max).values[0], Some(40.0));
    assert_eq!(made(Together::Min).min, Some(10.0));
}
