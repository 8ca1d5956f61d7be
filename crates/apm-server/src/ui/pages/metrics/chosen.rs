//! The metric that the address names: its lines, the labels that tell them apart, and the distribution of a histogram.

use maud::{Markup, html};

use super::super::Context;
use super::super::charts::{self, per};
use super::line_names::{full_name, name_of, short};
use super::{SERIES, latest, lines_of};
use crate::analytics::metrics::chart::{Chart, Choice, Split};
use crate::analytics::metrics::labels::Label;
use crate::analytics::metrics::lines::Together;
use crate::analytics::metrics::spread::Spread;
use crate::analytics::series::Axis;
use crate::answers::metrics::Answer;
use crate::answers::sourced::Sourced;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::frame::without_data;
use crate::ui::chart::heat::{HeatMap, Row};
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::cells::swatch;
use crate::ui::components::controls::{chip, segment};
use crate::ui::number;
use crate::ui::plot::labels;
use crate::ui::unit::Unit;
use crate::ui::view::View;
use crate::ui::words;

/// Values of a label that are offered as links.
const MOST_VALUES: usize = 20;

/// The panel of the metric.
pub(super) fn chosen(context: &Context<'_>, choice: &Choice, found: &Answer) -> Markup {
    let Some(chart) = &found.chart else {
        let count = words::count(found.now.names.len() as u64, "name", "names");
        return html! {
            div.panel.empty { h2 { "Any metric" } p { "Choose one of " (count) " to see its values." } }
        };
    };
    let unit = Unit::of(&chart.name, &chart.unit, chart.kind == Some("counter"));
    let shown = Shown {
        context,
        axis: &found.now.axis,
        chart,
        unit,
    };
    html! {
        section.panel id="metric" {
            (picker(context.view, choice, chart))
            @if chart.lines.is_empty() {
                (without_data(
                    "metric-chart", &chart.name, &format!("No values {}.", words::range(context.view)), html! {},
                ))
            } @else {
                @if let Some(distribution) = &chart.distribution {
                    (percentiles(&shown, distribution))
                    (heat(&shown, distribution))
                } @else if !chart.quantiles.is_empty() {
                    (quantiles(&shown))
                } @else {
                    (lines(&shown))
                }
                (undrawn(chart))
                (table(&shown))
                @if chart.is_cut { p.panel-foot { "Only the newest 200,000 samples were read." } }
            }
        }
    }
}

/// A metric and what is needed to show it.
struct Shown<'a> {
    context: &'a Context<'a>,
    axis: &'a Axis,
    chart: &'a Sourced<Chart>,
    unit: Unit,
}

impl Shown<'_> {
    fn note(&self) -> String {
        let kind = match self.chart.kind {
            Some("up_down_counter") => "up-down counter",
            Some(kind) => kind,
            None => "",
        };
        let per = per(self.axis);
        let how = match self.unit.note {
            "" => &*per,
            note => note,
        };
        match kind {
            "" => how.to_owned(),
            kind => format!("{kind}, {how}"),
        }
    }

    fn draw(&self, title: &str, lines: &[Line<'_>], says: &str) -> Markup {
        let is_duration = self.unit.measure == Measure::Duration;
        let is_log = is_duration && charts::is_log(self.context.view);
        let scale = html! {
            @if is_duration { div.row.push { (charts::scale(self.context.view, is_log)) } }
        };
        LineChart {
            id: "metric-chart",
            title,
            note: &self.note(),
            says,
            measure: self.unit.measure,
            buckets: Buckets::from(self.axis),
            lines,
            is_reported: true,
            counts: &[],
            counts_name: "",
            height: 172,
            sql: &self.chart.sql,
            file: "metric",
        }
        .render_with(&self.context.view.clock, self.context.flags, scale, is_log)
    }
}

/// The lines with the largest values.
fn lines(shown: &Shown<'_>) -> Markup {
    let found = &shown.chart.lines;
    let names = match found.len() {
        1 => vec!["value".to_owned()],
        _ => short(found.iter().map(name_of).collect()),
    };
    let values: Vec<Vec<Option<f64>>> = found
        .iter()
        .map(|line| shown.unit.scaled_all(&line.values))
        .collect();
    let drawn = lines_of(&names, &values);
    let says = match values.first().and_then(|values| latest(values)) {
        Some(value) => format!(
            "{}: {} at the end.",
            shown.chart.name,
            shown.unit.measure.write(value)
        ),
        None => format!("{}.", shown.chart.name),
    };
    shown.draw(&shown.chart.name, &drawn, &says)
}

/// Percentiles of a histogram.
fn percentiles(shown: &Shown<'_>, spread: &Spread) -> Markup {
    let scaled =
        [&spread.p99, &spread.p95, &spread.p50].map(|values| shown.unit.scaled_all(values));
    let named = [("p99", "lat-p99"), ("p95", "lat-p95"), ("p50", "lat-avg")];
    let lines: Vec<Line<'_>> = named
        .iter()
        .zip(&scaled)
        .map(|((name, class), values)| Line {
            name,
            class,
            values,
            sparse: false,
        })
        .collect();
    let says = match spread.all {
        Some([p50, p95, p99]) => format!(
            "{}: half of the values are at most {}, 95 of 100 at most {}, 99 of 100 at most {}.",
            shown.chart.name,
            shown.unit.write(p50),
            shown.unit.write(p95),
            shown.unit.write(p99)
        ),
        None => format!("{}.", shown.chart.name),
    };
    shown.draw(&shown.chart.name, &lines, &says)
}

/// Quantiles of a summary, as they were sent.
fn quantiles(shown: &Shown<'_>) -> Markup {
    let found = &shown.chart.quantiles;
    let named = found.iter().map(|one| match one.quantile {
        least if least <= 0.0 => "least".to_owned(),
        most if most >= 1.0 => "greatest".to_owned(),
        share => format!("p{}", labels::plain(share * 100.0)),
    });
    let names: Vec<String> = named.collect();
    let scaled: Vec<Vec<Option<f64>>> = found
        .iter()
        .map(|one| shown.unit.scaled_all(&one.values))
        .collect();
    // Drawn as the percentiles of a histogram are: the greatest first, below the others.
    let mut lines = lines_of(&names, &scaled);
    lines.reverse();
    let last = names.iter().zip(&scaled).filter_map(|(name, values)| {
        latest(values).map(|value| format!("{name} {}", shown.unit.measure.write(value)))
    });
    let last = last.collect::<Vec<_>>().join(", ");
    let says = format!("{}: {last} at the end.", shown.chart.name);
    shown.draw(&shown.chart.name, &lines, &says)
}

fn heat(shown: &Shown<'_>, spread: &Spread) -> Markup {
    let rows: Vec<Row<'_>> = spread
        .rows
        .iter()
        .map(|row| Row {
            from: shown.unit.write(row.from),
            to: shown.unit.write(row.to),
            counts: &row.counts,
        })
        .collect();
    let count: f64 = spread.count.iter().sum();
    let count = words::count(super::super::whole(count), "value", "values");
    HeatMap {
        id: "metric-heat",
        title: "Values by size",
        note: "the darker, the more",
        says: &format!("Heat map of {count}."),
        buckets: Buckets::from(shown.axis),
        rows: &rows,
        sql: &shown.chart.sql,
        file: "metric",
    }
    .render(&shown.context.view.clock)
}

/// The labels that tell lines apart, and their values.
fn picker(view: &View, choice: &Choice, chart: &Chart) -> Markup {
    let several = chart
        .labels
        .iter()
        .filter(|label| label.values.len() + label.more > 1);
    let several: Vec<&Label> = several.collect();
    let at = |key: &str, value: &str| view.here().set(key, value).anchor("metric");
    let is_gauge = matches!(chart.kind, Some("gauge" | "up_down_counter"));
    html! {
        @if !several.is_empty() || choice.label.is_some() || is_gauge {
            div.panel-head.panel-head--line.series-picker {
                @if !several.is_empty() || is_gauge {
                    span.row {
                        span.dim { "Lines by" }
                        (segment("Lines by", several.iter().map(|label| {
                            let name = label.name.as_str();
                            (name, at("split", name), choice.split == Split::By(name.to_owned()))
                        }).chain((is_gauge && choice.label.is_none()).then(|| {
                            ("instance", at("split", "@instance"), choice.split == Split::Instance)
                        })).chain([
                            ("all labels", at("split", "all"), choice.split == Split::All),
                            ("none", at("split", "none"), choice.split == Split::None),
                        ])))
                    }
                    @if is_gauge && choice.split != Split::All {
                        span.row {
                            span.dim { "together" }
                            (segment("Together", [
                                ("mean", Together::Mean), ("sum", Together::Sum), ("min", Together::Min),
                                ("max", Together::Max),
                            ].map(|(word, value)| (word, at("together", word), choice.together == value))))
                        }
                    }
                }
                @if let Some((name, value)) = &choice.label {
                    (chip(&format!("{name}={value}"), view.here().without("label").anchor("metric")))
                }
            }
            @if choice.label.is_none() && choice.split != Split::Instance && !several.is_empty() {
                details.series-values {
                    summary { "Only series with" }
                    @for label in several { (values(view, label)) }
                }
            }
        }
    }
}

fn values(view: &View, label: &Label) -> Markup {
    let more = label.more + label.values.len().saturating_sub(MOST_VALUES);
    html! {
        p.row {
            span.dim.clamp title=(label.name) { (label.name) }
            @for value in label.values.iter().take(MOST_VALUES) {
                @let chosen = format!("{}={}", label.name, value.value);
                a href=(view.here().set("label", &chosen).anchor("metric")) title=(value.value) {
                    @if value.value.is_empty() { "(empty)" } @else { (words::cut(&value.value, 40)) }
                }
            }
            @if more > 0 { span.dim { "and " (more) " more" } }
        }
    }
}

/// Says that a chart has not all lines, or not all quantiles, for which there are colours.
fn undrawn(chart: &Chart) -> Markup {
    let (of, what) = match (&chart.distribution, chart.quantiles.len()) {
        (Some(_), _) => return html! {},
        (None, 0) => (
            chart.lines.len() + chart.more,
            "lines, those with the largest values",
        ),
        (None, quantiles) => (quantiles, "quantiles, the greatest"),
    };
    html! {
        @if of > SERIES.len() {
            p.panel-foot { "The chart has " (SERIES.len()) " of " (number::grouped(of as u64)) " " (what) "." }
        }
    }
}

/// The lines with their labels and figures.
fn table(shown: &Shown<'_>) -> Markup {
    let chart = shown.chart;
    let unit = shown.unit;
    let is_counter = chart.kind == Some("counter");
    let is_distribution = matches!(chart.kind, Some("histogram" | "summary"));
    let draws = chart.distribution.is_none() && chart.quantiles.is_empty();
    let total = |value: f64| match is_counter {
        true => Unit::of(&chart.name, &chart.unit, false).write(value),
        false => number::compact(super::super::whole(value)),
    };
    html! {
        div.wide {
            table.table.table--lines {
                caption.sr { "Lines of " (chart.name) }
                thead { tr {
                    th scope="col" { (words::count(chart.series as u64, "series", "series")) }
                    th.num.num--bare scope="col" { "Last" }
                    th.num.num--bare scope="col" { "Mean" }
                    @if is_counter { th.num.num--bare scope="col" { "Added" } }
                    @if is_distribution { th.num.num--bare scope="col" { "Values" } }
                    @if !is_counter {
                        th.num.num--bare scope="col" { "Least" }
                        th.num.num--bare scope="col" { "Greatest" }
                    }
                } }
                tbody {
                    @for (place, line) in chart.lines.iter().enumerate() {
                        tr {
                            th.grow scope="row" {
                                span.row.row--c {
                                    @if draws { @if let Some(class) = SERIES.get(place) { (swatch(class)) } }
                                    span.clamp title=(full_name(line)) { (words::cut(&full_name(line), 120)) }
                                }
                            }
                            td.num { (figure(latest(&line.values), |value| unit.write(value))) }
                            td.num { (figure(line.mean, |value| unit.write(value))) }
                            @if line.total.is_some() || is_counter || is_distribution {
                                td.num { (figure(line.total, total)) }
                            }
                            @if !is_counter {
                                td.num { (figure(line.min, |value| unit.write(value))) }
                                td.num { (figure(line.max, |value| unit.write(value))) }
                            }
                        }
                    }
                }
            }
        }
        @if chart.more > 0 {
            p.panel-foot { (words::count(chart.more as u64, "more line", "more lines")) " with smaller values." }
        }
    }
}

fn figure(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), write)
}
