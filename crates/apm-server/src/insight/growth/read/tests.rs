use super::super::tests::line;
use super::*;

/// Growth from 2 000 to 97 000 rows at 0.25 µs per row, then `after` for the next 40 000.
fn then(after: impl Fn(f64) -> f64) -> Growth {
    let mut points = line(20, 2_000.0, 5_000.0, 0.0, 0.25, 0.05);
    for i in 0..8 {
        let rows = 102_000.0 + 5_000.0 * f64::from(i);
        points.push(Point {
            at: 200.0 + 10.0 * f64::from(i),
            rows,
            micros: after(rows),
        });
    }
    Growth {
        table: "people".to_owned(),
        source: Source::Inserts,
        rows_unknown: false,
        regimes: regimes(&points),
        points,
        steps: None,
        sql: String::new(),
    }
}

#[test]
fn the_median_of_a_minute_is_that_of_all_outcomes() {
    let bin = |at, bin, count| Bin { at, bin, count };
    // Successes of two bins, then failures of one between them and of one above.
    let bins = [
        bin(60, 10, 2.0),
        bin(60, 30, 2.0),
        bin(60, 20, 3.0),
        bin(60, 90, 1.0),
        bin(120, 50, 1.0),
    ];
    let found = medians(&bins);
    assert_eq!(
        found,
        [(90.0, representative(20)), (150.0, representative(50))]
    );
}

#[test]
fn growth_ends_where_it_gets_better_and_not_where_the_machine_is_busy() {
    // The line that follows growth → whether the growth ended.
    let table = [
        ("kept counts", (90.0, 0.0), true),
        ("an index", (0.0, 0.036), true),
        ("a busy machine", (60_000.0, 0.25), false),
        ("the same", (0.0, 0.25), false),
    ];
    for (name, (at_zero, per_row), ends) in table {
        let growth = then(|rows| at_zero + per_row * rows);
        assert_eq!(growth.ended().is_some(), ends, "{name}: {growth:#?}");
        assert_eq!(growth.growing().is_none(), ends, "{name}");
    }
}
