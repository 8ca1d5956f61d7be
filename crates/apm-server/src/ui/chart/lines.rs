//! Line charts over time: latency and any metric, with labels at the right end and gaps where nothing was measured.

use maud::{Markup, html};

use super::axis::{Measure, ValueAxis};
use super::buckets::Buckets;
use super::flags::{self, Flag};
use super::frame::{Data, Frame};
use super::labels;
use crate::ui::moment::Clock;
use crate::ui::plot::coordinate::{PLOT, Pc, Px, points};
use crate::ui::plot::scale::Scale;

/// One line: a value per bucket, `None` where nothing was measured.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    /// `lat-avg`, `lat-p95`, `lat-p99`, `lat-prev`, or `series-1` … `series-6`.
    pub(crate) class: &'static str,
    pub(crate) values: &'a [Option<f64>],
    /// Buckets with too few events for a line: drawn as dots.
    pub(crate) sparse: bool,
}

/// A line chart and what it needs to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct LineChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) note: &'a str,
    pub(crate) says: &'a str,
    pub(crate) measure: Measure,
    pub(crate) buckets: Buckets,
    /// Drawn in this order: the most important last.
    pub(crate) lines: &'a [Line<'a>],
    /// True if values are reported at an interval, such as those of a gauge: less than two of them is no gap.
    pub(crate) is_reported: bool,
    /// Events per bucket, for the tooltip; may be empty.
    pub(crate) counts: &'a [u64],
    pub(crate) counts_name: &'a str,
    pub(crate) height: u32,
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
}

/// Width of the gutter for labels at the right end.
const RIGHT: u32 = 118;
/// Least distance of two labels.
const LABEL_GAP: f64 = 15.0;

impl LineChart<'_> {
    pub(crate) fn render(&self, clock: &Clock, flags: &[Flag]) -> Markup {
        self.render_with(clock, flags, html! {}, false)
    }

    /// The same with controls in its head, and on a logarithmic axis where that is asked for and there is a duration.
    pub(crate) fn render_with(
        &self,
        clock: &Clock,
        flags: &[Flag],
        controls: Markup,
        is_log: bool,
    ) -> Markup {
        let values = self
            .lines
            .iter()
            .flat_map(|line| line.values.iter().flatten());
        let (lowest, max) = values
            .copied()
            .filter(|value| value.is_finite())
            .fold((0.0, 0.0), |(lowest, max): (f64, f64), value| {
                (lowest.min(value), max.max(value))
            });
        let positive = |value: &f64| value.is_finite() && *value > 0.0;
        let all = self
            .lines
            .iter()
            .flat_map(|line| line.values.iter().flatten());
        let least = all.copied().filter(positive).fold(f64::INFINITY, f64::min);
        let axis = match is_log && self.measure == Measure::Duration && least.is_finite() {
            // A tenth of room on either side, so that no line lies on an edge.
            true => ValueAxis::durations(Scale::log(least / 1.1, max * 1.1), self.height),
            false => ValueAxis::between(self.measure, (lowest, max), self.height, 8.0),
        };
        let data = self.data(clock);
        let over =
            html! { (flags::draw(flags, self.buckets, axis.height.height)) (self.dots(&axis)) };
        let says = format!("{}{}", self.says, flags::said(flags, self.buckets, clock));
        maud::Render::render(&Frame {
            id: self.id,
            title: self.title,
            note: html! { (self.note) },
            head: controls,
            says: &says,
            axis: &axis,
            x: &self.buckets.ticks(clock),
            plot: html! { (self.gaps(&axis)) @for line in self.lines { (self.line(line, &axis)) } },
            over,
            right: Some((RIGHT, self.right(&axis))),
            data: Some(&data),
            sql: self.sql,
            file: self.file,
            time: Some(self.buckets),
        })
    }

    /// The unbroken runs of a line.
    fn runs(&self, line: &Line<'_>) -> Vec<std::ops::Range<usize>> {
        let reach = if self.is_reported {
            reach(line.values)
        } else {
            1
        };
        runs(line.values, reach)
    }

    /// One polyline per unbroken run; a run of one bucket has no length and becomes a dot.
    fn line(&self, line: &Line<'_>, axis: &ValueAxis) -> Markup {
        let runs = self.runs(line);
        html! {
            @for run in runs.iter().filter(|run| run.len() > 1 && !line.sparse) {
                polyline class={ "line " (line.class) }
                    points=(points(run.clone().filter_map(|i| {
                        line.values[i].map(|value| (self.buckets.middle(i), axis.y(value)))
                    }))) {}
            }
        }
    }

    fn dots(&self, axis: &ValueAxis) -> Markup {
        html! {
            @for line in self.lines {
                @for run in self.runs(line) {
                    @if run.len() == 1 || line.sparse {
                        @for i in run {
                            @if let Some(value) = line.values[i] {
                                circle class={ "dot dot-" (line.class) } cx=(Pc(self.buckets.middle(i) / PLOT))
                                    cy=(Px(axis.y(value))) r="2.5" {}
                            }
                        }
                    }
                }
            }
        }
    }

    /// Pale blocks where no line has a value between two that have: a gap is shown, never bridged.
    fn gaps(&self, axis: &ValueAxis) -> Markup {
        let mut measured = vec![false; self.buckets.count];
        // A value of the previous window does not fill a gap of this one.
        for line in self.lines.iter().filter(|line| line.class != "lat-prev") {
            for place in self.runs(line).into_iter().flatten() {
                if let Some(is) = measured.get_mut(place) {
                    *is = true;
                }
            }
        }
        let (Some(first), Some(last)) = (
            measured.iter().position(|is| *is),
            measured.iter().rposition(|is| *is),
        ) else {
            return html! {};
        };
        let missing: Vec<Option<f64>> = measured
            .iter()
            .enumerate()
            .map(|(i, is)| (!is && i > first && i < last).then_some(0.0))
            .collect();
        let width = PLOT / self.buckets.count.max(1) as f64;
        let height = axis.height;
        html! {
            @for run in runs(&missing, 1) {
                rect.nodata x=(Px(run.start as f64 * width)) width=(Px(run.len() as f64 * width)) y=(Px(height.room))
                    height=(Px(height.height - height.room)) {
                    title { "no data" }
                }
            }
        }
    }

    /// The last value and the name of each line, pushed apart.
    fn right(&self, axis: &ValueAxis) -> Markup {
        let ends: Vec<(&Line<'_>, f64)> = self
            .lines
            .iter()
            .filter_map(|line| {
                line.values
                    .iter()
                    .rev()
                    .flatten()
                    .next()
                    .map(|value| (line, *value))
            })
            .collect();
        let wanted: Vec<f64> = ends.iter().map(|(_, value)| axis.y(*value)).collect();
        let places = labels::spread(&wanted, LABEL_GAP, 6.0, axis.height.height - 4.0);
        html! {
            @for ((line, value), y) in ends.iter().zip(places) {
                text data-kind=(line.class) x="8" y=(Px(y)) {
                    tspan { (self.measure.write(*value)) }
                    tspan.lab dx="5" { (line.name) }
                }
            }
        }
    }

    fn data(&self, clock: &Clock) -> Data {
        let mut heads = vec!["Time".to_owned()];
        let mut classes = vec![""];
        // Drawn last, the most important one stands first in a table.
        for line in self.lines.iter().rev() {
            heads.push(line.name.to_owned());
            classes.push(line.class);
        }
        if !self.counts.is_empty() {
            heads.push(self.counts_name.to_owned());
            classes.push("");
        }
        let rows = (0..self.buckets.count).map(|i| {
            let mut row = vec![self.buckets.name(i, clock)];
            for line in self.lines.iter().rev() {
                row.push(
                    line.values
                        .get(i)
                        .copied()
                        .flatten()
                        .map_or_else(|| "–".to_owned(), |value| self.measure.write(value)),
                );
            }
            if let Some(count) = self.counts.get(i) {
                row.push(crate::ui::number::grouped(*count));
            }
            row
        });
        Data {
            heads,
            rows: rows.collect(),
            classes,
            links: Vec::new(),
        }
    }
}

/// The distance of two values, in buckets, up to which there is no gap between them: less than two of the usual ones.
fn reach(values: &[Option<f64>]) -> usize {
    let known = values.iter().enumerate();
    let known: Vec<usize> = known.filter_map(|(i, value)| value.map(|_| i)).collect();
    let mut distances: Vec<usize> = known.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_unstable();
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(1);
    // At twice the usual distance a value is missing.
    2 * usual - 1
}

/// Index ranges of values that are at most `reach` buckets from each other.
fn runs(values: &[Option<f64>], reach: usize) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, value) in values.iter().enumerate() {
        if value.is_none() {
            continue;
        }
        match out.last_mut() {
            Some(run) if i < run.end + reach => run.end = i + 1,
            _ => out.push(i..i + 1),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn runs_end_where_a_value_is_missing() {
        assert_eq!(
            runs(&[None, Some(1.0), Some(2.0), None, Some(3.0)], 1),
            [1..3, 4..5]
        );
        assert!(runs(&[None, None], 1).is_empty());
    }

    #[test]
    fn values_that_are_reported_in_every_second_bucket_make_one_line_until_one_is_missing() {
        let mut values = vec![None; 24];
        for place in [0, 2, 4, 6, 9, 11, 16, 18, 20] {
            values[place] = Some(1.0);
        }
        assert_eq!(reach(&values), 3);
        assert_eq!(runs(&values, reach(&values)), [0..12, 16..21]);
        // Each bucket has one: a missing one is a gap.
        let values = [Some(1.0), Some(1.0), None, Some(1.0), Some(1.0)];
        assert_eq!(runs(&values, reach(&values)), [0..2, 3..5]);
        assert_eq!([reach(&[]), reach(&[Some(1.0)])], [1, 1]);
    }

    #[test]
    fn a_gap_is_a_pale_block_and_never_a_line() {
        let buckets = Buckets {
            from: 1_795_348_800_000_000,
            step: 30_000_000,
            count: 5,
        };
        let values = [
            Some(10_000.0),
            Some(20_000.0),
            None,
            Some(30_000.0),
            Some(40_000.0),
        ];
        let lines = [Line {
            name: "p95",
            class: "lat-p95",
            values: &values,
            sparse: false,
        }];
        let chart = LineChart {
            id: "lat",
            title: "Latency",
            note: "per 30 s",
            says: "p95 rises from 10 to 40 ms",
            measure: Measure::Duration,
            buckets,
            lines: &lines,
            is_reported: false,
            counts: &[3, 4, 0, 5, 6],
            counts_name: "requests",
            height: 172,
            sql: &[],
            file: "latency",
        };
        let clock = Clock {
            now: buckets.to(),
            zone: TimeZone::UTC,
        };
        insta::assert_snapshot!(
            chart
                .render(&clock, &[])
                .into_string()
                .replace("><", ">\n<")
        );
    }
}
