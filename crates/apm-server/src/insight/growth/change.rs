//! The place where one line stops to hold and another begins.
//!
//! Binary segmentation: of all splits the one that leaves the least squared error, taken only if it leaves little of
//! what one line leaves, and if the latency jumps there. The jump keeps a curve from being cut into straight pieces.

use super::moments::Moments;
use super::{FEWEST_POINTS, Point, Regime};

/// Fewest points on each side of a change.
const SIDE: usize = FEWEST_POINTS / 2 + 1;

/// The squared error that two lines may leave of what one leaves.
const LEFT_OVER: f64 = 0.3;

/// The jump at the change, as a share of the higher side.
const JUMP: f64 = 0.4;

/// Changes that are told apart; more are noise.
const MOST: usize = 8;

/// The regimes of points in the order of time, oldest first; none where there are no points.
#[must_use]
pub fn regimes(points: &[Point]) -> Vec<Regime> {
    if points.is_empty() {
        return Vec::new();
    }
    let mut cuts = vec![0, points.len()];
    let mut at = 0;
    while at + 1 < cuts.len() {
        match split(&points[cuts[at]..cuts[at + 1]]) {
            Some(cut) if cuts.len() < MOST + 2 => cuts.insert(at + 1, cuts[at] + cut),
            _ => at += 1,
        }
    }
    cuts.windows(2)
        .map(|cut| Regime::fit(points, cut[0], cut[1]))
        .collect()
}

/// The index at which a second line begins, if one does.
fn split(points: &[Point]) -> Option<usize> {
    // Once forwards and once backwards: every split is then the sum of two known errors, without a fit for each.
    let (before, after) = (errors(points.iter()), errors(points.iter().rev()));
    let whole = before[points.len()];
    let cuts = SIDE..(points.len() + 1).saturating_sub(SIDE);
    let best = cuts
        .map(|cut| (cut, before[cut] + after[points.len() - cut]))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (cut, left) = best;
    // Computed squares of a perfect line are not quite zero.
    let level = points.iter().map(|p| p.micros).fold(0.0, f64::max);
    let exact = (level * 1e-6).powi(2) * points.len() as f64;
    if whole <= exact || left > LEFT_OVER * whole {
        return None;
    }
    let (before, after) = (&points[..cut], &points[cut..]);
    let here = points[cut].rows;
    let (low, high) = {
        let (a, b) = (value(before, here), value(after, here));
        (a.min(b), a.max(b))
    };
    (high > 0.0 && (high - low.max(0.0)) / high >= JUMP).then_some(cut)
}

/// The value of a line through the points for a number of rows; their mean where there is no line.
fn value(points: &[Point], rows: f64) -> f64 {
    let moments = Moments::from_points(points);
    moments.fit().map_or(moments.mean(), |fit| fit.at(rows))
}

/// The errors of the best line through none, one, two … of the points, as squared distances.
fn errors<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<f64> {
    let first = std::iter::once(0.0);
    let mut moments = Moments::default();
    let rest = points.map(|point| {
        moments = moments.with(point);
        moments.error()
    });
    first.chain(rest).collect()
}

#[cfg(test)]
mod tests {
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
}
