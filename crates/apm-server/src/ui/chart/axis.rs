//! The y axis of a chart, and the unit of its values.

use crate::ui::number::NARROW;
use crate::ui::plot::labels;
use crate::ui::plot::scale::{Height, Scale};
use crate::ui::plot::ticks;

/// The unit of the values of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Microseconds.
    Duration,
    /// Things that are counted: no broken ticks.
    Count,
    /// Per minute.
    Rate,
    /// Shares of 0 … 1.
    Share,
    Bytes,
    /// A number without a unit that we know.
    Plain,
}

impl Measure {
    /// The unit of an axis up to `max`, and its length in the measure's own unit.
    fn unit(self, max: f64) -> (&'static str, f64) {
        match self {
            Self::Duration => ticks::duration_unit(max),
            Self::Share => ("%", 0.01),
            Self::Bytes => match max {
                max if max < 1e3 => ("B", 1.0),
                max if max < 1e6 => ("kB", 1e3),
                max if max < 1e9 => ("MB", 1e6),
                max if max < 1e12 => ("GB", 1e9),
                max if max < 1e15 => ("TB", 1e12),
                _ => ("PB", 1e15),
            },
            Self::Count | Self::Rate | Self::Plain => ("", 1.0),
        }
    }

    /// A value with its unit, as a table or a tooltip shows it.
    pub(crate) fn write(self, value: f64) -> String {
        use crate::ui::number;
        // A metric may be any number: one that is too large for the words of its unit has its power of ten.
        let large =
            |value: f64, unit: &str| format!("{}{NARROW}{unit}", labels::value_label(value));
        match self {
            Self::Count => number::grouped(value.max(0.0).round() as u64),
            Self::Plain => labels::plain(value),
            _ if value < 0.0 => format!("\u{2212}{}", self.write(-value)),
            Self::Duration if value >= 1e20 => large(value / 8.64e10, "d"),
            Self::Duration => number::duration(value).to_string(),
            Self::Rate => number::rate(value),
            Self::Share if value >= 1e13 => large(value * 100.0, "%"),
            Self::Share => number::percent(value).to_string(),
            Self::Bytes if value >= 1e18 => large(value, "B"),
            Self::Bytes => number::bytes(value as u64).to_string(),
        }
    }
}

/// The y axis of one chart: from its first tick to its last.
#[derive(Debug, Clone)]
pub(crate) struct ValueAxis {
    pub(crate) height: Height,
    pub(super) labels: Vec<(f64, String)>,
    /// The last tick and its unit where the scale begins at zero and is linear, for a script that draws a part of the
    /// chart on another scale.
    pub(super) linear: Option<(f64, &'static str)>,
    /// Set where the axis is logarithmic.
    scale: Option<Scale>,
    /// The place of the base line: that of zero, or the bottom.
    pub(super) base: f64,
}

impl ValueAxis {
    /// An axis that holds `max`; `room` px stay free above the top tick (8, or 22 where a label sits inside).
    pub(crate) fn new(measure: Measure, max: f64, height: u32, room: f64) -> Self {
        Self::between(measure, (0.0, max), height, room)
    }

    /// The same from below zero, where there are such values.
    pub(crate) fn between(
        measure: Measure,
        (least, max): (f64, f64),
        height: u32,
        room: f64,
    ) -> Self {
        let (unit, length) = measure.unit(max.max(-least));
        let steps = if height >= 130 { 4 } else { 3 };
        // Ticks are round numbers of the unit that is written, such as ms, and not of the unit of the values.
        let is_whole = measure == Measure::Count;
        let values = ticks::between(least / length, max / length, steps, is_whole);
        let bottom = values.first().copied().unwrap_or(0.0);
        let top = values.last().copied().unwrap_or(1.0);
        let height = Height {
            least: (bottom * length).max(-f64::MAX),
            max: (top * length).min(f64::MAX),
            height: f64::from(height),
            room,
        };
        let labels = values
            .iter()
            .map(|value| {
                let mut label = labels::value_label(*value);
                if *value == top && !unit.is_empty() {
                    label = format!("{label}{NARROW}{unit}");
                }
                (height.y(value * length), label)
            })
            .collect();
        Self {
            base: height.y(0.0),
            height,
            labels,
            linear: (bottom == 0.0).then_some((top, unit)),
            scale: None,
        }
    }

    /// An axis of rows of the same height, with labels at places of its own.
    pub(crate) fn rows(labels: Vec<(f64, String)>, height: u32) -> Self {
        Self {
            height: whole(height),
            labels,
            linear: None,
            scale: None,
            base: f64::from(height),
        }
    }

    /// An axis of durations (µs) on a logarithmic scale.
    pub(crate) fn durations(scale: Scale, height: u32) -> Self {
        let labels = ticks::log_durations(scale)
            .into_iter()
            .map(|tick| (f64::from(height) * (1.0 - tick.place), tick.label))
            .collect();
        Self {
            height: whole(height),
            labels,
            linear: None,
            scale: Some(scale),
            base: f64::from(height),
        }
    }

    /// The distance of a value from the top of the plot.
    pub(crate) fn y(&self, value: f64) -> f64 {
        match self.scale {
            Some(scale) => self.height.height * (1.0 - scale.place(value)),
            None => self.height.y(value),
        }
    }
}

/// A plot whose places are shares of its height.
fn whole(height: u32) -> Height {
    Height {
        least: 0.0,
        max: 1.0,
        height: f64::from(height),
        room: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stands_on_the_top_tick_only() {
        let axis = ValueAxis::new(Measure::Duration, 58_900.0, 172, 8.0);
        let labels: Vec<_> = axis
            .labels
            .iter()
            .map(|(y, label)| format!("{y:.1} {label}"))
            .collect();
        assert_eq!(
            labels,
            ["172.0 0", "117.3 20", "62.7 40", "8.0 60\u{202f}ms"]
        );
    }

    #[test]
    fn shares_are_ticked_in_per_cent_and_counts_in_whole_numbers() {
        let labels = |axis: ValueAxis| {
            axis.labels
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(ValueAxis::new(Measure::Share, 0.018, 172, 8.0)),
            ["0", "0.5", "1", "1.5", "2\u{202f}%"]
        );
        assert_eq!(
            labels(ValueAxis::new(Measure::Count, 2.0, 88, 8.0)),
            ["0", "1", "2"]
        );
    }

    #[test]
    fn any_number_of_a_metric_is_written_in_its_unit() {
        for (measure, value, want) in [
            (Measure::Duration, -12_000.0, "\u{2212}12.0 ms"),
            (Measure::Duration, 1.7e300, "2.0e289 d"),
            (Measure::Share, -0.25, "\u{2212}25 %"),
            (Measure::Share, 1.7e300, "1.7e302 %"),
            (Measure::Bytes, -3e6, "\u{2212}3.00 MB"),
            (Measure::Bytes, 9.9e15, "9.90 PB"),
            (Measure::Bytes, 1.7e300, "1.7e300 B"),
            (Measure::Plain, 5e-324, "4.9e-324"),
            (Measure::Plain, -1.7e300, "\u{2212}1.7e300"),
        ] {
            assert_eq!(measure.write(value).replace(NARROW, " "), want);
        }
    }

    #[test]
    fn the_base_line_of_an_axis_is_at_zero() {
        let span = (-50.0, 50.0);
        let axis = ValueAxis::between(Measure::Plain, span, 100, 0.0);
        assert_eq!(
            (axis.y(-50.0), axis.y(0.0), axis.y(50.0)),
            (100.0, 50.0, 0.0)
        );
        assert_eq!(axis.base, 50.0);
        // A script draws parts of it on scales from zero.
        assert_eq!(axis.linear, None);
        let above = ValueAxis::between(Measure::Plain, (0.0, 60.0), 100, 0.0);
        assert_eq!((above.base, above.linear), (100.0, Some((60.0, ""))));
    }
}
