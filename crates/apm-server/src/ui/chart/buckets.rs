//! The buckets that a chart over time is drawn on.

use apm_time::SECOND;

use crate::analytics::series::Axis;
use crate::ui::moment::{Clock, Micros};
use crate::ui::plot::coordinate::PLOT;
use crate::ui::plot::ticks;

/// The buckets of a time chart: `count` of `step` µs from `from` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) from: Micros,
    pub(crate) step: Micros,
    pub(crate) count: usize,
}

impl Buckets {
    pub(crate) fn to(self) -> Micros {
        self.from + self.step * self.count as Micros
    }

    pub(crate) fn start(self, index: usize) -> Micros {
        self.from + self.step * index as Micros
    }

    /// Time ticks of the x axis.
    pub(crate) fn ticks(self, clock: &Clock) -> Vec<ticks::Tick> {
        ticks::times(self.from, self.to(), &clock.zone)
    }

    /// The first cell of a row in the data table: the bucket's start.
    pub(crate) fn name(self, index: usize, clock: &Clock) -> String {
        if self.step < 60_000_000 {
            clock.second(self.start(index))
        } else {
            clock.minute(self.start(index))
        }
    }

    /// Middle of a bucket on the plot.
    pub(crate) fn middle(self, index: usize) -> f64 {
        (index as f64 + 0.5) / self.count.max(1) as f64 * PLOT
    }
}

impl From<&Axis> for Buckets {
    fn from(axis: &Axis) -> Self {
        let from = axis
            .buckets
            .first()
            .map_or(0, |bucket| bucket.start * SECOND);
        Self {
            from,
            step: axis.interval.max(1) * SECOND,
            count: axis.buckets.len(),
        }
    }
}

/// Buckets that the range or the present cuts.
pub(crate) fn partial(axis: &Axis) -> Vec<usize> {
    // A bucket that has not begun is empty, not cut.
    let cut = |covered: f64| covered > 0.0 && covered < axis.interval as f64 - 0.5;
    axis.buckets
        .iter()
        .enumerate()
        .filter(|(_, bucket)| cut(bucket.covered))
        .map(|(i, _)| i)
        .collect()
}

/// The values of a sparkline: without the buckets at the ends of which less than half has been seen, since a rate of a
/// few seconds is noise.
pub(crate) fn settled(
    axis: &Axis,
    values: impl IntoIterator<Item = Option<f64>>,
) -> Vec<Option<f64>> {
    let half = axis.interval as f64 / 2.0;
    let seen = axis.buckets.iter().map(|bucket| bucket.covered >= half);
    values
        .into_iter()
        .zip(seen)
        .map(|(value, seen)| value.filter(|_| seen))
        .collect()
}
