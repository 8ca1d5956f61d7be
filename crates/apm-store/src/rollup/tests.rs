use super::*;

#[test]
fn a_bin_stands_for_its_durations_within_one_percent() {
    for duration in [1, 2, 3, 49, 50, 51, 999, 1000, 123_456, 600_000_000] {
        let off = (representative(bin(duration)) - duration as f64).abs() / duration as f64;
        assert!(off <= 0.0100, "{duration}: {off}");
    }
    assert_eq!(bin(0), 0);
    assert!(bin(i64::MAX) < 2300);
}

fn seen(ts: i64, count: f64, sum: i64, of: i64) -> Observation {
    Observation {
        ts,
        result: 0,
        outcome: Outcome::Success,
        count,
        n: 1,
        sum,
        of,
    }
}

#[test]
fn levels_hold_what_their_minutes_hold() {
    let mut series = Series::default();
    for minute in 0..61 {
        series.add(1, seen(minute * 60_000_000, 2.0, 10, 1));
    }
    assert_eq!(series.cells(60).len(), 61);
    let hours = series.cells(3600);
    assert_eq!(hours.len(), 2);
    assert_eq!(
        (hours[0].1.count, hours[0].1.n, hours[0].1.sum),
        (120.0, 60, 1200.0)
    );
    assert_eq!(series.bins(600).len(), 7);
}

#[test]
fn a_composite_counts_as_often_as_it_stands_for() {
    let mut series = Series::default();
    series.add(1, seen(-1, 20.0, 500, 10));
    let (key, cell) = series.cells(60)[0];
    assert_eq!(key.bucket, -60);
    assert_eq!(
        (cell.count, cell.n, cell.sum, cell.max),
        (20.0, 1, 1000.0, 50)
    );
    assert_eq!(series.bins(60)[0].0.bin, bin(50));
}

#[test]
fn what_was_sampled_away_counts_nothing_and_tiny_rates_stay_finite() {
    let mut series = Series::default();
    series.add(1, seen(0, weight(Some(0.0)), 10, 1));
    assert!(series.cells(60).is_empty());
    assert!(weight(Some(f64::MIN_POSITIVE)).is_finite());
}
