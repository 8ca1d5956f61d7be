//! The sums over points that a line through them needs, point by point.

use super::{Fit, Point};

/// Sums of squares and products about the means, kept up to date by Welford's recurrence: differences of large numbers
/// of rows lose no digits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    pub(super) fn from_points<'a>(points: impl IntoIterator<Item = &'a Point>) -> Self {
        points.into_iter().fold(Self::default(), Self::with)
    }

    /// With one more point.
    pub(super) fn with(self, point: &Point) -> Self {
        let n = self.n + 1.0;
        let (dx, dy) = (point.rows - self.x, point.micros - self.y);
        let (x, y) = (self.x + dx / n, self.y + dy / n);
        Self {
            n,
            x,
            y,
            xx: self.xx + dx * (point.rows - x),
            xy: self.xy + dx * (point.micros - y),
            yy: self.yy + dy * (point.micros - y),
        }
    }

    /// Least squares; none for fewer than two different numbers of rows.
    ///
    /// `slope = Σ(x−x̄)(y−ȳ) / Σ(x−x̄)²`, `R² = (Σ(x−x̄)(y−ȳ))² / (Σ(x−x̄)² Σ(y−ȳ)²)`.
    pub(super) fn fit(self) -> Option<Fit> {
        let Self { xx, xy, yy, .. } = self;
        if self.n < 2.0 || xx <= 0.0 || !xx.is_finite() || !yy.is_finite() {
            return None;
        }
        Some(Fit {
            at_zero: self.y - xy / xx * self.x,
            per_row: xy / xx,
            r_squared: if yy > 0.0 {
                (xy * xy / (xx * yy)).min(1.0)
            } else {
                // A level line is explained by its level, not by the rows.
                0.0
            },
        })
    }

    /// Squared distances from the best line.
    pub(super) fn error(self) -> f64 {
        self.yy * (1.0 - self.fit().map_or(0.0, |fit| fit.r_squared))
    }

    /// The mean latency.
    pub(super) fn mean(self) -> f64 {
        self.y
    }
}
