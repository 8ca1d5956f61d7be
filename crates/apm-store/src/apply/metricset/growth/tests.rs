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
