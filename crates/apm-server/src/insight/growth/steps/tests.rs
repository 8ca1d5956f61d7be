use super::*;

/// Points at so many rows each, a second apart.
fn points(rows: &[f64], steps: impl Fn(f64) -> f64) -> Vec<StepPoint> {
    let at = |i: usize| i as f64;
    let point = |(i, rows): (usize, &f64)| StepPoint {
        at: at(i),
        rows: *rows,
        steps: steps(*rows),
    };
    rows.iter().enumerate().map(point).collect()
}

#[test]
fn two_sizes_tell_the_order_of_growth() {
    type Steps = fn(f64) -> f64;
    // Steps of a statement by rows → the order, and whether that is worth saying.
    let table: [(&str, [f64; 2], Steps, Order, bool); 8] = [
        ("a look-up", [1e3, 1e6], |_| 9.0, Order::Flat, false),
        ("a tree", [1e3, 1e5], |n| 40.0 * n.ln(), Order::Log, false),
        ("a scan", [1e3, 2e3], |n| 39.0 + 3.0 * n, Order::Rows, true),
        (
            "a young scan",
            [20.0, 400.0],
            |n| 46.0 + 12.0 * n,
            Order::Rows,
            true,
        ),
        (
            "a small scan",
            [10.0, 40.0],
            |n| 46.0 + 3.0 * n,
            Order::Rows,
            false,
        ),
        ("a sort", [1e3, 1e5], |n| n * n.ln(), Order::Rows, true),
        (
            "a join",
            [1e2, 1e3],
            |n| 5.0 * n * n,
            Order::RowsTimesMatches,
            true,
        ),
        ("two joins", [1e1, 1e2], |n| n * n * n, Order::Worse, true),
    ];
    for (name, sizes, steps, order, grows) in table {
        let trend = Trend::fit(&points(&sizes, steps)).expect(name);
        assert_eq!(
            (trend.order, trend.grows()),
            (order, grows),
            "{name}: {trend:?}"
        );
    }
}

#[test]
fn a_table_that_did_not_grow_is_not_judged() {
    for (name, rows) in [
        ("one size", [500.0, 500.0]),
        ("a few more", [500.0, 900.0]),
        ("a tiny table", [1.0, 5.0]),
        ("empty", [0.0, 0.0]),
    ] {
        assert_eq!(Trend::fit(&points(&rows, |n| 12.0 * n)), None, "{name}");
    }
    assert_eq!(Steps::from_points(Vec::new(), &[], None), None);
}

#[test]
fn an_index_ends_growth_and_more_rows_do_not() {
    let rows: Vec<f64> = (1..=24).map(|i| f64::from(i) * 1e3).collect();
    for (name, later, ends) in [("an index", 9.0, true), ("none", 3.0 * 18e3, false)] {
        let found = points(&rows, |n| if n <= 12e3 { 3.0 * n } else { later });
        let found = Steps::from_points(found, &[], None).expect("points");
        assert!(found.is_judged(), "{name}");
        assert_eq!(found.ended().is_some(), ends, "{name}: {found:#?}");
        assert_eq!(found.growing().is_none(), ends, "{name}");
    }
}

#[test]
fn calls_at_about_one_size_are_one_point_and_an_odd_one_does_not_count() {
    let mut calls: Vec<(f64, f64, f64)> = (0..300)
        .map(|i| {
            (
                f64::from(i),
                100.0 + f64::from(i),
                12.0 * (100.0 + f64::from(i)),
            )
        })
        .collect();
    calls[150].2 = 1e9;
    let found = grouped(&calls);
    assert!((10..=POINTS).contains(&found.len()), "{}", found.len());
    assert!(
        found.iter().all(|point| point.steps <= 12.0 * 400.0),
        "{found:?}"
    );
    assert_eq!(grouped(&[]), []);
    assert_eq!(grouped(&calls[..1]).len(), 1);
}

#[test]
fn a_forecast_is_where_rows_and_time_lead_and_none_where_they_do_not() {
    // 3 steps a row, 0.05 µs a step: 100 ms are 2 000 000 steps, 666 667 rows.
    let trend = Trend::fit(&points(&[1e4, 1e5], |n| 3.0 * n)).expect("a trend");
    let pace = Pace {
        at: 0.0,
        rows: 1e5,
        per_day: 4_100.0,
        least_per_day: 4_000.0,
        most_per_day: 4_200.0,
    };
    let found = forecast(&trend, [0.04, 0.05, 0.06], pace).expect("a forecast");
    let days = (2e6 / 3.0 - 1e5) / 4_100.0;
    assert!((found.at / DAY - days).abs() < 0.01, "{found:?}");
    assert!(found.earliest < found.at && found.latest.is_some_and(|latest| latest > found.at));
    let still = Pace {
        per_day: 0.0,
        ..pace
    };
    assert_eq!(forecast(&trend, [0.05; 3], still), None);
    let far = Pace {
        per_day: 100.0,
        ..pace
    };
    assert_eq!(
        forecast(&trend, [0.05; 3], far),
        None,
        "later than two years"
    );
    assert_eq!(
        forecast(&trend, [5.0; 3], pace),
        None,
        "it takes that long now"
    );
    let uncertain = Pace {
        least_per_day: 0.0,
        ..pace
    };
    assert_eq!(
        forecast(&trend, [0.05; 3], uncertain).map(|found| found.latest),
        Some(None)
    );
}

#[test]
fn what_a_step_takes_is_told_by_calls_of_the_same_time() {
    let found = points(&[1e3, 2e3], |n| 10.0 * n);
    let time = |at: f64, micros: f64| Point {
        at,
        rows: 0.0,
        micros,
    };
    let each = micros_per_step(&found, &[time(0.1, 500.0), time(1.1, 1_200.0)]);
    assert_eq!(each, Some([0.05, 0.06, 0.06]));
    assert_eq!(micros_per_step(&found, &[]), None);
}
