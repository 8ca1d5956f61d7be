use proptest::prelude::*;

use super::super::tests::line;
use super::*;

/// The second part follows on the first, in time and in rows.
fn then(mut first: Vec<Point>, second: impl Fn(f64) -> f64, n: usize) -> Vec<Point> {
    let last = first[first.len() - 1];
    let step = last.rows - first[first.len() - 2].rows;
    for i in 1..=n {
        let rows = last.rows + step * i as f64;
        first.push(Point {
            at: last.at + 10.0 * i as f64,
            rows,
            micros: second(rows),
        });
    }
    first
}

#[test]
fn an_index_that_is_added_begins_a_new_regime() {
    let points = then(
        line(20, 2_000.0, 5_000.0, 0.0, 0.25, 0.05),
        |rows| 0.036 * rows,
        15,
    );
    let found = regimes(&points);
    assert_eq!(
        found.iter().map(|r| (r.start, r.end)).collect::<Vec<_>>(),
        [(0, 20), (20, 35)]
    );
    assert!(found[0].grows() && !found[1].grows(), "{found:#?}");
    let slopes: Vec<f64> = found.iter().map(|r| r.fit.unwrap().per_row).collect();
    assert!(
        (slopes[0] - 0.25).abs() < 0.02 && (slopes[1] - 0.036).abs() < 1e-6,
        "{slopes:?}"
    );
}

#[test]
fn a_flat_regime_ends_growth() {
    let points = then(line(12, 0.0, 1_000.0, 100.0, 0.25, 0.02), |_| 90.0, 8);
    let found = regimes(&points);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].grows() && !found[1].grows());
}

#[test]
fn noise_a_line_and_a_curve_are_one_regime() {
    let curve: Vec<Point> = (0..40)
        .map(|i| {
            let rows = f64::from(i) * 1_000.0;
            Point {
                at: f64::from(i),
                rows,
                micros: 200.0 + (rows / 100.0).powi(2),
            }
        })
        .collect();
    for (name, points) in [
        ("line", line(40, 0.0, 1_000.0, 100.0, 0.25, 0.0)),
        ("noise", line(40, 0.0, 1_000.0, 100.0, 0.0, 0.5)),
        ("level", line(40, 5.0, 0.0, 100.0, 0.0, 0.0)),
        ("curve", curve),
        ("few", line(5, 0.0, 1_000.0, 100.0, 0.25, 0.0)),
    ] {
        assert_eq!(regimes(&points).len(), 1, "{name}");
    }
    assert!(regimes(&[]).is_empty());
}

proptest! {
    #[test]
    fn regimes_cover_all_points_once(values in prop::collection::vec((0.0..1e6, 0.0..1e6), 0..60)) {
        let points: Vec<Point> = values
            .iter()
            .enumerate()
            .map(|(i, (rows, micros))| Point { at: i as f64, rows: *rows, micros: *micros })
            .collect();
        let mut end = 0;
        for regime in regimes(&points) {
            prop_assert_eq!(regime.start, end);
            prop_assert!(regime.end > regime.start);
            end = regime.end;
        }
        prop_assert_eq!(end, points.len());
    }
}
