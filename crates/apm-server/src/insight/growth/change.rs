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
mod tests;
