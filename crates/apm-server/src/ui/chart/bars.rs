//! Stacked bars over time: requests by result, occurrences, documents.

use maud::{Markup, html};

use super::axis::{Measure, ValueAxis};
use super::buckets::Buckets;
use super::flags::{self, Flag};
use super::frame::{Data, Frame};
use crate::ui::href::Href;
use crate::ui::moment::Clock;
use crate::ui::plot::coordinate::{PLOT, Px};
use crate::ui::view::View;

/// One layer of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Layer<'a> {
    pub(crate) name: &'a str,
    /// `r-2xx` … `r-5xx`, `bar-out`, `series-2`, or `t-db` and the like.
    pub(crate) class: &'static str,
    pub(crate) values: &'a [f64],
    /// The mean of the series, for the legend.
    pub(crate) mean: Option<String>,
}

/// A bar chart and what it needs to be drawn. Layers stand on each other in their order, the first at the base.
#[derive(Debug, Clone)]
pub(crate) struct BarChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) note: &'a str,
    pub(crate) says: &'a str,
    pub(crate) measure: Measure,
    pub(crate) buckets: Buckets,
    pub(crate) layers: &'a [Layer<'a>],
    /// Buckets that the range or the present cuts: hatched, and already scaled to what they cover.
    pub(crate) partial: &'a [usize],
    pub(crate) height: u32,
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
    /// Set where each bucket of the data is a link to the page about it alone, which works without a script.
    pub(crate) zoom: Option<&'a View>,
}

/// A bar of something is never invisible.
const LEAST: f64 = 1.2;

impl BarChart<'_> {
    pub(crate) fn render(&self, clock: &Clock, flags: &[Flag]) -> Markup {
        let total = |i: usize| {
            self.layers
                .iter()
                .filter_map(|layer| layer.values.get(i))
                .sum::<f64>()
        };
        let max = (0..self.buckets.count).map(total).fold(0.0, f64::max);
        let axis = ValueAxis::new(self.measure, max, self.height, 8.0);
        let data = self.data(clock);
        let says = format!("{}{}", self.says, flags::said(flags, self.buckets, clock));
        maud::Render::render(&Frame {
            id: self.id,
            title: self.title,
            note: html! { (self.note) },
            head: self.legend(),
            says: &says,
            axis: &axis,
            x: &self.buckets.ticks(clock),
            plot: html! { @for i in 0..self.buckets.count { (self.stack(i, &axis)) } },
            over: flags::draw(flags, self.buckets, axis.height.height),
            right: None,
            data: Some(&data),
            sql: self.sql,
            file: self.file,
            time: Some(self.buckets),
        })
    }

    fn stack(&self, i: usize, axis: &ValueAxis) -> Markup {
        let width = PLOT / self.buckets.count.max(1) as f64;
        let x = i as f64 * width;
        let mut base = 0.0;
        let mut drawn = Vec::with_capacity(self.layers.len());
        for layer in self.layers {
            let value = layer.values.get(i).copied().unwrap_or(0.0);
            if value > 0.0 {
                drawn.push((layer.class, base, base + value));
                base += value;
            }
        }
        html! {
            @for (class, from, to) in drawn {
                @let top = axis.height.y(to);
                @let bottom = axis.height.y(from);
                // At the base line the canvas-coloured outline would show a gap.
                @let foot = if from == 0.0 { 0.6 } else { 0.0 };
                rect class={ "bar " (class) } x=(Px(x)) width=(Px(width)) y=(Px(top))
                    height=(Px((bottom - top).max(LEAST) + foot)) {}
                @if class == "r-2xx" {
                    rect.cap.r-2xx-cap x=(Px(x)) width=(Px(width)) y=(Px(top)) height="1.5" {}
                }
            }
            @if base > 0.0 && self.partial.contains(&i) {
                rect.hatchfill x=(Px(x)) width=(Px(width)) y=(Px(axis.height.y(base)))
                    height=(Px(axis.height.height - axis.height.y(base))) {}
            }
        }
    }

    fn legend(&self) -> Markup {
        html! {
            @if self.layers.len() > 1 {
                ul.legend.push {
                    @for layer in self.layers {
                        li {
                            span class={ "swatch " (layer.class) } aria-hidden="true" {}
                            span.clamp title=(layer.name) { (layer.name) }
                            @if let Some(mean) = &layer.mean { " " b { (mean) } }
                        }
                    }
                }
            }
        }
    }

    fn data(&self, clock: &Clock) -> Data {
        let mut heads = vec!["Time".to_owned()];
        let mut classes = vec![""];
        for layer in self.layers {
            heads.push(layer.name.to_owned());
            classes.push(layer.class);
        }
        let rows = (0..self.buckets.count).map(|i| {
            let mut name = self.buckets.name(i, clock);
            if self.partial.contains(&i) {
                name.push_str(" (not complete)");
            }
            let mut row = vec![name];
            row.extend(self.layers.iter().map(|layer| {
                self.measure
                    .write(layer.values.get(i).copied().unwrap_or(0.0))
            }));
            row
        });
        Data {
            heads,
            rows: rows.collect(),
            classes,
            links: self.zoom.map(|view| self.links(view)).unwrap_or_default(),
        }
    }

    /// The page about each bucket alone.
    fn links(&self, view: &View) -> Vec<Href> {
        let of = |i: usize| {
            let start = self.buckets.start(i);
            view.here_between(start, start + self.buckets.step)
        };
        (0..self.buckets.count).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn layers_stand_on_each_other_and_cut_buckets_are_hatched() {
        let buckets = Buckets {
            from: 1_795_348_800_000_000,
            step: 60_000_000,
            count: 3,
        };
        let layers = [
            Layer {
                name: "2xx",
                class: "r-2xx",
                values: &[100.0, 0.0, 50.0],
                mean: Some("75".into()),
            },
            Layer {
                name: "5xx",
                class: "r-5xx",
                values: &[0.0, 0.0, 0.01],
                mean: Some("0.3".into()),
            },
        ];
        let chart = BarChart {
            id: "thr",
            title: "Requests per minute",
            note: "by result",
            says: "steady",
            measure: Measure::Rate,
            buckets,
            layers: &layers,
            partial: &[2],
            height: 172,
            sql: &[],
            file: "latency",
            zoom: None,
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
