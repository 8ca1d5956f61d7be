//! The latency distribution: bars over a duration axis, with the brush, the previous window, p95 and the open sample.
//!
//! The brush works without a script through its two number inputs; `brush.js` adds dragging and the arrow keys.

use maud::{Markup, html};

use super::axis::{Measure, ValueAxis};
use super::frame::{Data, Frame};
use crate::ui::number::{self, duration, grouped};
use crate::ui::plot::coordinate::{PLOT, Pc, Px};
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;

/// Requests that took `from ..  to` µs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) count: u64,
    /// Of them, those that failed.
    pub(crate) failed: u64,
}

/// A distribution and what is marked on it; all times in µs.
#[derive(Debug, Clone)]
pub(crate) struct Histogram<'a> {
    pub(crate) id: &'a str,
    /// The things that are counted, in the plural: `requests`.
    pub(crate) noun: &'a str,
    pub(crate) bins: &'a [Bin],
    pub(crate) previous: &'a [Bin],
    pub(crate) previous_name: &'a str,
    pub(crate) scale: Scale,
    pub(crate) brush: Option<(f64, f64)>,
    pub(crate) p95: Option<f64>,
    pub(crate) sample: Option<f64>,
    /// Number inputs, "Clear" and the scale switch.
    pub(crate) controls: Markup,
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
}

const HEIGHT: u32 = 140;
/// Least height of a bar that stands for something.
const LEAST: f64 = 1.5;

impl Histogram<'_> {
    /// True if a bin counts as selected: its middle lies in the brush.
    fn selected(&self, bin: &Bin) -> bool {
        self.brush
            .is_some_and(|(from, to)| (from..to).contains(&middle(bin, self.scale)))
    }

    /// The numbers inside and outside of the brush.
    pub(crate) fn split(&self) -> (u64, u64) {
        self.bins.iter().fold((0, 0), |(inside, outside), bin| {
            if self.selected(bin) {
                (inside + bin.count, outside)
            } else {
                (inside, outside + bin.count)
            }
        })
    }

    /// The sentence for those who do not see the bars.
    fn says(&self) -> String {
        let total: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let filled = || self.bins.iter().filter(|bin| bin.count > 0);
        let (Some(first), Some(last)) = (filled().next(), filled().next_back()) else {
            return format!("No {}.", self.noun);
        };
        let mut text = format!(
            "Histogram of {} {} from {} to {}",
            grouped(total),
            self.noun,
            duration(first.from),
            duration(last.to)
        );
        if let Some((from, to)) = self.brush {
            text.push_str(&format!(
                "; {} between {} and {} are selected",
                grouped(self.split().0),
                duration(from),
                duration(to)
            ));
        }
        text.push('.');
        text
    }

    pub(crate) fn render(&self) -> Markup {
        let max = self
            .bins
            .iter()
            .chain(self.previous)
            .map(|bin| bin.count)
            .max()
            .unwrap_or(0);
        // 22 px stay free above for the words at the p95 mark.
        let axis = ValueAxis::new(Measure::Count, max as f64, HEIGHT, 22.0);
        let (from, to) = self.scale.ends();
        let x = match self.scale {
            Scale::Log { .. } => ticks::log_durations(self.scale),
            Scale::Linear { .. } => {
                let (unit, length) = ticks::duration_unit(to);
                ticks::linear(self.scale, 6, unit, length)
            }
        };
        let data = self.data();
        let chart = maud::Render::render(&Frame {
            id: self.id,
            title: "Latency distribution",
            note: html! {},
            head: html! { (self.legend()) div.row.push { (self.controls) } },
            says: &self.says(),
            axis: &axis,
            x: &x,
            plot: self.plot(&axis),
            over: self.over(&axis),
            right: None,
            data: Some(&data),
            sql: self.sql,
            file: self.file,
            time: None,
        });
        html! {
            div.brushable data-from=(from) data-to=(to)
                data-scale=(if matches!(self.scale, Scale::Log { .. }) { "log" } else { "linear" }) {
                (chart)
            }
        }
    }

    fn plot(&self, axis: &ValueAxis) -> Markup {
        let height = axis.height;
        html! {
            @if let Some((from, to)) = self.brush {
                @let (left, right) = (self.scale.place(from) * PLOT, self.scale.place(to) * PLOT);
                rect.band x=(Px(left)) width=(Px(right - left)) y="0" height=(HEIGHT) {}
            }
            @for bin in self.bins.iter().filter(|bin| bin.count > 0) {
                @let (left, right) = (self.scale.place(bin.from) * PLOT, self.scale.place(bin.to) * PLOT);
                @let tall = (height.height - height.y(bin.count as f64)).max(LEAST);
                rect class=(if self.selected(bin) { "bar bar-in" } else { "bar bar-out" }) x=(Px(left))
                    width=(Px(right - left)) y=(Px(height.height - tall)) height=(Px(tall)) data-from=(bin.from)
                    data-to=(bin.to) {
                    title {
                        (duration(bin.from).to_string()) " – " (duration(bin.to).to_string()) ": " (grouped(bin.count))
                        " " (if bin.count == 1 { self.noun.trim_end_matches('s') } else { self.noun })
                    }
                }
                // They are a part of the bar, so they stand before it and not on top of it.
                @if bin.failed > 0 {
                    @let tall = (height.height - height.y(bin.failed as f64)).max(LEAST);
                    rect.bar.r-5xx x=(Px(left)) width=(Px(right - left)) y=(Px(height.height - tall))
                        height=(Px(tall)) {}
                }
            }
            @if !self.previous.is_empty() { path.ghost d=(self.outline(axis)) {} }
        }
    }

    /// The previous window as one stepped line.
    fn outline(&self, axis: &ValueAxis) -> String {
        use maud::Render as _;
        let mut path = String::new();
        for bin in self.previous {
            let (left, right) = (
                self.scale.place(bin.from) * PLOT,
                self.scale.place(bin.to) * PLOT,
            );
            // `M` goes to the first bin, `V` up or down to the next one, and `H` along its top.
            path.push_str(if path.is_empty() { "M" } else { "V" });
            if path.len() == 1 {
                Px(left).render_to(&mut path);
                path.push(' ');
            }
            Px(axis.height.y(bin.count as f64)).render_to(&mut path);
            path.push('H');
            Px(right).render_to(&mut path);
        }
        path
    }

    fn over(&self, axis: &ValueAxis) -> Markup {
        let height = axis.height.height;
        html! {
            @if let Some((from, to)) = self.brush {
                @for (edge, value) in [("from", from), ("to", to)] {
                    @let place = self.scale.place(value);
                    line.band-edge x1=(Pc(place)) x2=(Pc(place)) y1="0" y2=(Px(height)) {}
                    svg x=(Pc(place)) y=(Px(height / 2.0 - 9.0)) overflow="visible" {
                        rect.handle data-edge=(edge) x="-4" width="8" height="18" rx="3" {}
                    }
                }
            }
            @if let Some(p95) = self.p95 {
                @let place = self.scale.place(p95);
                line.mark x1=(Pc(place)) x2=(Pc(place)) y1="2" y2=(Px(height)) {}
                @if place > 0.2 {
                    text.mark-text x=(Pc(place)) dx="-6" y="11" text-anchor="end" { "p95 " (duration(p95).to_string()) }
                } @else {
                    text.mark-text x=(Pc(place)) dx="6" y="11" { "p95 " (duration(p95).to_string()) }
                }
            }
            @if let Some(sample) = self.sample {
                svg x=(Pc(self.scale.place(sample))) y=(Px(height + 1.0)) overflow="visible" {
                    path.here d="M0 0l4.5 7h-9z" {}
                }
            }
        }
    }

    fn legend(&self) -> Markup {
        let (inside, outside) = self.split();
        let failed: u64 = self.bins.iter().map(|bin| bin.failed).sum();
        html! {
            ul.legend {
                @if self.brush.is_some() {
                    li { span.swatch.r-sel aria-hidden="true" {} "selected " b { (number::compact(inside)) } }
                    li { span.swatch.r-bar aria-hidden="true" {} "other " b { (number::compact(outside)) } }
                } @else {
                    li { span.swatch.r-bar aria-hidden="true" {} (self.noun) " " b { (number::compact(outside)) } }
                }
                @if failed > 0 {
                    li { span.swatch.r-5xx aria-hidden="true" {} "failed " b { (number::compact(failed)) } }
                }
                @if !self.previous.is_empty() {
                    li {
                        svg.keydash width="14" height="8" aria-hidden="true" { path d="M0 4h14" {} }
                        (self.previous_name)
                    }
                }
            }
        }
    }

    fn data(&self) -> Data {
        let row = |bin: &Bin| {
            vec![
                duration(bin.from).to_string(),
                duration(bin.to).to_string(),
                grouped(bin.count),
                grouped(bin.failed),
            ]
        };
        Data {
            heads: ["From", "To", "Requests", "Failed"]
                .map(str::to_owned)
                .to_vec(),
            rows: self
                .bins
                .iter()
                .filter(|bin| bin.count > 0)
                .map(row)
                .collect(),
            classes: Vec::new(),
            links: Vec::new(),
        }
    }
}

/// The middle of a bin as the eye sees it on this axis.
fn middle(bin: &Bin, scale: Scale) -> f64 {
    match scale {
        Scale::Linear { .. } => f64::midpoint(bin.from, bin.to),
        Scale::Log { .. } => (bin.from.max(1.0) * bin.to.max(1.0)).sqrt(),
    }
}

/// The axis of a distribution: from a little below the fastest to a little above the slowest.
pub(crate) fn axis(bins: &[Bin], log: bool) -> Scale {
    let filled = || bins.iter().filter(|bin| bin.count > 0);
    let low = filled().map(|bin| bin.from).fold(f64::INFINITY, f64::min);
    let high = filled().map(|bin| bin.to).fold(0.0, f64::max);
    match (high > 0.0, log) {
        (false, _) => Scale::log(1_000.0, 1_000_000.0),
        (true, true) => Scale::log((low.max(1.0)) * 0.7, high * 1.25),
        (true, false) => Scale::linear(0.0, high * 1.05),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins() -> [Bin; 3] {
        [
            Bin {
                from: 10_000.0,
                to: 20_000.0,
                count: 5,
                failed: 0,
            },
            Bin {
                from: 20_000.0,
                to: 40_000.0,
                count: 40,
                failed: 2,
            },
            Bin {
                from: 40_000.0,
                to: 80_000.0,
                count: 1,
                failed: 0,
            },
        ]
    }

    fn histogram(bins: &[Bin]) -> Histogram<'_> {
        Histogram {
            id: "dist",
            noun: "requests",
            bins,
            previous: &[],
            previous_name: "previous 15 min",
            scale: axis(bins, true),
            brush: Some((20_000.0, 40_000.0)),
            p95: Some(39_000.0),
            sample: Some(25_000.0),
            controls: html! {},
            sql: &[],
            file: "latency",
        }
    }

    #[test]
    fn a_bin_is_selected_by_its_middle() {
        let bins = bins();
        assert_eq!(histogram(&bins).split(), (40, 6));
        assert_eq!(
            Histogram {
                brush: None,
                ..histogram(&bins)
            }
            .split(),
            (0, 46)
        );
        assert_eq!(
            Histogram {
                brush: Some((0.0, 1e9)),
                ..histogram(&bins)
            }
            .split(),
            (46, 0)
        );
    }

    #[test]
    fn it_says_what_it_shows() {
        let bins = bins();
        let says = histogram(&bins).says().replace(number::NARROW, " ");
        assert_eq!(
            says,
            "Histogram of 46 requests from 10.0 ms to 80.0 ms; 40 between 20.0 ms and 40.0 ms are selected."
        );
        assert_eq!(histogram(&[]).says(), "No requests.");
    }

    #[test]
    fn marks_are_golden() {
        let bins = bins();
        let chart = Histogram {
            previous: &bins[..2],
            ..histogram(&bins)
        };
        insta::assert_snapshot!(chart.render().into_string().replace("><", ">\n<"));
    }
}
