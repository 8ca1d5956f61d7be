//! `/services/{s}/metrics`: CPU and memory, charts of the runtime, and any other metric by its name.

mod chosen;
mod line_names;
mod panels;

use maud::{Markup, html};

use super::charts::per;
use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs};
use crate::agent_config::options::is_opentelemetry;
use crate::analytics::metrics::listed::Listed;
use crate::analytics::metrics::{Gauge, Metrics};
use crate::analytics::series::Axis;
use crate::answers::metrics::{Answer as Found, Params};
use crate::ui::chart::axis::Measure;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::cells::dotted;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

/// Colours of lines, in the order of the lines.
const SERIES: [&str; 6] = [
    "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service, data) = (context.view, self.service.as_str(), &found.now);
        let crumbs = service_crumbs(view, service, &[Crumb::here("Metrics")]);
        let (answer, why) = headline(view, service, found);
        let gauge = |id, title, gauge| {
            let shown = Shown {
                id,
                title,
                sql: &found.sql,
            };
            chart(context, shown, &data.axis, gauge)
        };
        let machine = [&data.system_cpu, &data.process_cpu, &data.memory];
        let body = html! {
            (page_head(&crumbs, answer, why))
            (service_tabs(view, service, "metrics"))
            (super::elsewhere_note(&found.elsewhere))
            @if data.names.is_empty() {
                (super::nothing_here(view, "No metrics"))
            } @else {
                @if machine.iter().any(|gauge| gauge.samples > 0) {
                    (split("split--2", &[
                        gauge("cpu", "CPU of the host", &data.system_cpu),
                        gauge("process", "CPU of the process", &data.process_cpu),
                    ]))
                    section.panel { (gauge("memory", "Memory in use", &data.memory)) }
                }
                (panels::panels(context, &data.axis, &found.panels))
                div.cols.cols--fields {
                    (names(view, data))
                    (chosen::chosen(context, &self.choice, found))
                }
            }
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Metrics · {service}"), body)
        })
    }
}

/// The presentation of a gauge.
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    sql: &'a [String],
}

/// Lines with the colours of their order, the first one drawn last and so on top.
fn lines_of<'a>(names: &'a [String], values: &'a [Vec<Option<f64>>]) -> Vec<Line<'a>> {
    let lines = names.iter().zip(values).zip(SERIES);
    lines
        .map(|((name, values), class)| Line {
            name,
            class,
            values,
            sparse: false,
        })
        .rev()
        .collect()
}

/// The last value of a line.
fn latest(values: &[Option<f64>]) -> Option<f64> {
    latest_at(values).map(|(_, value)| value)
}

/// The last value of a line, and its place.
fn latest_at(values: &[Option<f64>]) -> Option<(usize, f64)> {
    let last = values.iter().enumerate().rev();
    last.flat_map(|(at, value)| Some((at, (*value)?))).next()
}

/// The time of a bucket, at the start of a sentence: `At 13:45`, or `Between 13:45 and 13:50`.
fn when(view: &View, axis: &Axis, place: usize) -> String {
    let Some(bucket) = axis.buckets.get(place) else {
        return words::range(view);
    };
    let from = bucket.start * 1_000_000;
    let from_words = view.clock.minute(from);
    if axis.interval <= 60 {
        return format!("At {from_words}");
    }
    let to = view.clock.minute(from + axis.interval * 1_000_000);
    format!("Between {from_words} and {to}")
}

fn headline(view: &View, service: &str, found: &Found) -> (String, String) {
    let data = &found.now;
    let service = words::cut(service, 60);
    if data.names.is_empty() {
        let why = match is_opentelemetry(&found.agent) {
            true => {
                "SDKs of OpenTelemetry send metrics every minute unless OTEL_METRIC_EXPORT_INTERVAL says otherwise, \
                 and none where OTEL_METRICS_EXPORTER is “none”."
            }
            false => {
                "Agents send CPU and memory every 30 seconds unless ELASTIC_APM_METRICS_INTERVAL says otherwise."
            }
        };
        return narrowed::none(
            view,
            &format!("metric of {service}"),
            &format!("{service} sent no metrics"),
            why,
        );
    }
    let answer = match (
        latest_at(&data.process_cpu.avg),
        latest_at(&data.memory.avg),
    ) {
        (Some((at, cpu)), Some((also, memory))) if at == also => format!(
            "{}, {service} used {} of the CPU, and {} of the memory was in use.",
            when(view, &data.axis, at),
            number::percent(cpu),
            number::percent(memory)
        ),
        (Some((at, cpu)), _) => format!(
            "{}, {service} used {} of the CPU.",
            when(view, &data.axis, at),
            number::percent(cpu)
        ),
        (None, Some((at, memory))) => format!(
            "{}, {} of the memory of {service} was in use.",
            when(view, &data.axis, at),
            number::percent(memory)
        ),
        (None, None) => format!(
            "{service} sends {}.",
            words::count(data.names.len() as u64, "metric", "metrics")
        ),
    };
    let peak = data
        .process_cpu
        .max
        .iter()
        .flatten()
        .copied()
        .fold(0.0, f64::max);
    let why = if data.process_cpu.samples > 0 {
        format!(
            "At most {} of the CPU {}.",
            number::percent(peak),
            words::range(view)
        )
    } else if let Some(other) = data.names.iter().find(|metric| is_of_cpu(&metric.name)) {
        format!(
            "It sent no share of the CPU {}, but {}.",
            words::range(view),
            words::cut(&other.name, 60)
        )
    } else {
        format!("It sent no CPU metrics {}.", words::range(view))
    };
    (answer, why)
}

/// Whether a metric is about processors, by its name.
fn is_of_cpu(name: &str) -> bool {
    name.split(['.', '_']).any(|part| part == "cpu")
}

/// A gauge of the machine or the process: a share.
fn chart(context: &Context<'_>, shown: Shown<'_>, axis: &Axis, gauge: &Gauge) -> Markup {
    let Shown { id, title, sql } = shown;
    let measure = Measure::Share;
    if gauge.samples == 0 {
        return crate::ui::chart::frame::without_data(
            id,
            title,
            &format!("No samples {}.", words::range(context.view)),
            html! { a href=(context.view.here().set("from", "now-1h").without("to")) { "Show last hour" } },
        );
    }
    let same = gauge.avg == gauge.max;
    let mut lines = Vec::new();
    if !same {
        lines.push(Line {
            name: "max",
            class: "series-4",
            values: &gauge.max,
            sparse: false,
        });
    }
    lines.push(Line {
        name: if same { "value" } else { "avg" },
        class: "series-1",
        values: &gauge.avg,
        sparse: false,
    });
    let says = match latest(&gauge.avg) {
        Some(value) => format!("{title}: {} at the end.", measure.write(value)),
        None => format!("{title}."),
    };
    LineChart {
        id,
        title,
        note: &per(axis),
        says: &says,
        measure,
        buckets: Buckets::from(axis),
        lines: &lines,
        is_reported: true,
        counts: &[],
        counts_name: "",
        height: 140,
        sql,
        file: "gauges",
    }
    .render(&context.view.clock, context.flags)
}

/// A letter for the kind of a metric, and the word that it stands for.
fn kind(metric: &Listed) -> (&'static str, &'static str) {
    match metric.kind {
        "counter" => ("+", "counter"),
        "up_down_counter" => ("±", "up-down counter"),
        "histogram" => ("h", "histogram"),
        "summary" => ("s", "summary"),
        _ => ("#", "gauge"),
    }
}

fn names(view: &View, data: &Metrics) -> Markup {
    let names = &data.names;
    let is_first = view.param("names_after").is_none();
    // A choice among the labels of one metric means nothing for another.
    let here = || {
        let here = view.here().without("split").without("label");
        here.without("together")
    };
    html! {
        aside.fields.fields--long aria-label="Metrics" tabindex="0" {
            h2 {
                @if is_first && data.next.is_none() {
                    (words::count(names.len() as u64, "metric", "metrics"))
                } @else {
                    (names.len()) " of the metrics"
                }
            }
            ul {
                @for metric in names {
                    @let (letter, word) = kind(metric);
                    li {
                        a href=(here().set("metric", &metric.name).anchor("metric"))
                            aria-current=[(view.param("metric") == Some(&metric.name)).then_some("true")]
                            title={ (metric.name) ", " (word) } {
                            span.ftype aria-hidden="true" { (letter) }
                            span { (dotted(&metric.name)) }
                            @if metric.series > 1 {
                                span.push.dim { (metric.series) span.sr { " series" } }
                            }
                        }
                    }
                }
            }
            @if !is_first {
                p { a href=(here().without("names_after").anchor("metric")) rel="prev" { "First names" } }
            }
            @if let Some(next) = &data.next {
                p { a href=(here().set("names_after", next).anchor("metric")) rel="next" { "More names" } }
            }
        }
    }
}
