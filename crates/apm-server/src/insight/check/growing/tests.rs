use super::*;
use crate::insight::growth::Point;
use crate::insight::growth::tests::of_points;

/// Points with so many rows, and a duration that follows from them.
fn growth(rows: impl IntoIterator<Item = f64>, micros: impl Fn(f64) -> f64) -> Growth {
    let points: Vec<Point> = rows
        .into_iter()
        .enumerate()
        .map(|(i, rows)| Point {
            at: i as f64,
            rows,
            micros: micros(rows),
        })
        .collect();
    of_points(points)
}

#[test]
fn what_cannot_be_told_is_not_judged() {
    let rising = |n: usize| (1..=n).map(|i| 1_000.0 * i as f64);
    let scan = |rows: f64| 100.0 + rows;
    let flat = |_: f64| 60.0;
    for (name, growth, expected) in [
        ("a scan", growth(rising(20), scan), "FAILED"),
        ("a look-up by key", growth(rising(20), flat), "ok"),
        ("three calls", growth(rising(3), scan), "too few calls"),
        ("no call", growth(rising(0), scan), "too few calls"),
        (
            "two sizes",
            growth((0..12).map(|i| if i < 6 { 1e3 } else { 9e4 }), scan),
            "too few calls",
        ),
        (
            "few new rows",
            growth((0..20).map(|i| 100_000.0 + f64::from(i)), scan),
            "at least double",
        ),
        (
            "no rows",
            Growth {
                rows_unknown: true,
                ..growth(rising(20), flat)
            },
            "gauge people.rows",
        ),
    ] {
        let found = match judge(&growth) {
            Ok(None) => "ok".to_owned(),
            Ok(Some(_)) => "FAILED".to_owned(),
            Err(why) => why,
        };
        assert!(found.contains(expected), "{name}: {found}");
    }
}
