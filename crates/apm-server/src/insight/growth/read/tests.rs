use super::super::Point;
use super::super::tests::{line, of_points};
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
    of_points(points)
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
