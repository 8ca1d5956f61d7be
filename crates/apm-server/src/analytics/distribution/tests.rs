use super::*;

fn value(value: f64, count: f64) -> Value {
    Value {
        value,
        count,
        failed: count / 2.0,
    }
}

#[test]
fn every_duration_has_exactly_one_bucket() {
    for scale in [Scale::Log, Scale::Linear] {
        for (min, max) in [
            (0, 0),
            (0, 1),
            (1, 1),
            (3, 5),
            (100, 27_000),
            (1, 600_000_000),
            (999, 1000),
        ] {
            let bounds = bounds(min, max, scale);
            assert!(
                bounds.windows(2).all(|pair| pair[0] < pair[1]),
                "{scale:?} {min} {max}: {bounds:?}"
            );
            assert!(
                bounds[0] <= min && max < *bounds.last().unwrap(),
                "{scale:?} {min} {max}: {bounds:?}"
            );
            let values = [value(min as f64, 2.0), value(max as f64, 4.0)];
            let bars = bars(&values, scale);
            let total: f64 = bars.iter().map(|bar| bar.count).sum();
            assert_eq!(total, 6.0);
            let last = bars.iter().rfind(|bar| bar.count > 0.0).unwrap();
            assert!(last.from <= max && max < last.to, "{last:?}");
        }
    }
}

#[test]
fn steps_are_those_of_the_formula() {
    let log = bounds(1_000, 50_000, Scale::Log);
    assert_eq!((log.len(), log[0], log[99]), (100, 1_000, 100_000));
    assert_eq!(
        log[1],
        (1_000.0 * 100.0_f64.powf(1.0 / 99.0)).round() as i64
    );
    let linear = bounds(1_000, 27_000, Scale::Linear);
    assert_eq!(linear[1], 1_000);
    assert_eq!(bounds(0, 100, Scale::Linear)[1], 15);
}

#[test]
fn the_percentiles_of_counted_values_are_by_nearest_rank() {
    let values = [value(10.0, 94.0), value(20.0, 5.0), value(30.0, 1.0)];
    let found = percentiles(&values).unwrap();
    assert_eq!((found.p50, found.p95, found.p99), (10.0, 20.0, 20.0));
    assert_eq!(percentiles(&[]), None);
    assert!(bars(&[], Scale::Log).is_empty());
}

#[test]
fn requests_of_one_duration_are_one_value_in_whatever_order_they_come() {
    let conn = &mut crate::analytics::tests::empty();
    let sql = Sql::new(
        "SELECT column1 AS duration, column2 AS failed, column3 AS count FROM (VALUES
            (20, 1, 1.0), (10, 0, 4.0), (20, 0, 2.0), (1000, 1, 1.0))",
    );
    let found = of_requests(conn, &sql, Scale::Linear).unwrap();
    let bars: Vec<_> = found.bars.iter().filter(|bar| bar.count > 0.0).collect();
    let counts: Vec<_> = bars.iter().map(|bar| (bar.count, bar.failed)).collect();
    assert_eq!(counts, [(7.0, 1.0), (1.0, 1.0)]);
    assert_eq!((found.count, found.exact), (8.0, true));
    let percentiles = found.percentiles.unwrap();
    assert_eq!(
        (percentiles.p50, percentiles.p75, percentiles.p99),
        (10.0, 20.0, 1000.0)
    );
}
