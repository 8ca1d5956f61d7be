//! `/services/{s}/metrics`: CPU and memory, and any other metric by its name.

use maud::{Markup, html};

use super::charts::per;
use super::{Answer, Context, Rendered, page, service_crumbs, service_tabs};
use crate::analytics::metrics::{self, Gauge};
use crate::analytics::series::Axis;
use crate::answers::metrics::{Answer as Found, Params};
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::frame::Measure;
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service, data) = (context.view, self.service.as_str(), &found.now);
        let crumbs = service_crumbs(view, service, &[Crumb::here("Metrics")]);
        let (answer, why) = headline(view, service, data);
        let gauge = |id, title, gauge| {
            let measure = Measure::Share;
            let shown = Shown {
                id,
                title,
                measure,
                sql: &found.sql,
            };
            chart(context, shown, &data.axis, gauge)
        };
        let body = html! {
            (page_head(&crumbs, answer, why))
            (service_tabs(view, service, "metrics"))
            @if data.names.is_empty() {
                (super::nothing_here(view, "No metrics"))
            } @else {
                (split("split--2", &[
                    gauge("cpu", "CPU of the host", &data.system_cpu),
                    gauge("process", "CPU of the process", &data.process_cpu),
                ]))
                section.panel { (gauge("memory", "Memory in use", &data.memory)) }
                div.cols.cols--fields {
                    (names(view, data))
                    (chosen(context, found))
                }
            }
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Metrics · {service}"), body)
        })
    }
}

/// The metric that the address names.
fn chosen(context: &Context<'_>, found: &Found) -> Markup {
    let Some(gauge) = &found.gauge else {
        let count = found.now.names.len();
        return html! {
            div.panel.empty { h2 { "Any metric" } p { "Choose one of " (count) " names to see its values." } }
        };
    };
    let shown = Shown {
        id: "metric",
        title: &gauge.name,
        measure: measure(&gauge.name),
        sql: &gauge.sql,
    };
    html! { section.panel { (chart(context, shown, &found.now.axis, gauge)) } }
}

/// The presentation of a gauge.
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    measure: Measure,
    sql: &'a [String],
}

fn latest(gauge: &Gauge) -> Option<f64> {
    gauge.avg.iter().rev().flatten().next().copied()
}

fn headline(view: &View, service: &str, data: &metrics::Metrics) -> (String, String) {
    let service = words::cut(service, 60);
    if data.names.is_empty() {
        return (
            format!("{service} sent no metrics {}.", words::range(view)),
            "Agents send CPU and memory every 30 seconds unless ELASTIC_APM_METRICS_INTERVAL says otherwise."
                .to_owned(),
        );
    }
    let answer = match (latest(&data.process_cpu), latest(&data.memory)) {
        (Some(cpu), Some(memory)) => format!(
            "{service} uses {} of the CPU; {} of the memory is in use.",
            number::percent(cpu),
            number::percent(memory)
        ),
        (Some(cpu), None) => format!("{service} uses {} of the CPU.", number::percent(cpu)),
        (None, Some(memory)) => format!(
            "{} of the memory of {service} is in use.",
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
    let why = if peak > 0.0 {
        format!(
            "At most {} of the CPU {}.",
            number::percent(peak),
            words::range(view)
        )
    } else {
        format!(
            "{} {}.",
            words::count(data.names.len() as u64, "metric", "metrics"),
            words::range(view)
        )
    };
    (answer, why)
}

/// The unit of a metric, as far as its name tells.
pub(super) fn measure(name: &str) -> Measure {
    let last = name.rsplit('.').next().unwrap_or(name);
    if name.ends_with(".pct") || name == "memory" {
        Measure::Share
    } else if last.contains("bytes") || name.contains("memory") || last == "rss" {
        Measure::Bytes
    } else if last.ends_with("us") && name.contains("time") {
        Measure::Duration
    } else {
        Measure::Plain
    }
}

fn chart(context: &Context<'_>, shown: Shown<'_>, axis: &Axis, gauge: &Gauge) -> Markup {
    let Shown {
        id,
        title,
        measure,
        sql,
    } = shown;
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
    let says = match latest(gauge) {
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

fn names(view: &View, data: &metrics::Metrics) -> Markup {
    let names = &data.names;
    let is_first = view.param("names_after").is_none();
    html! {
        aside.fields aria-label="Metrics" {
            h3 {
                @if is_first && data.next.is_none() {
                    (words::count(names.len() as u64, "metric", "metrics"))
                } @else {
                    (names.len()) " of the metrics"
                }
            }
            ul {
                @for name in names {
                    li {
                        a href=(view.here().set("metric", name).anchor("metric"))
                            aria-current=[(view.param("metric") == Some(name)).then_some("true")] title=(name) {
                            span.ftype aria-hidden="true" { "#" }
                            span { (name) }
                        }
                    }
                }
            }
            @if !is_first {
                p { a href=(view.here().without("names_after").anchor("metric")) rel="prev" { "First names" } }
            }
            @if let Some(next) = &data.next {
                p { a href=(view.here().set("names_after", next).anchor("metric")) rel="next" { "More names" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_measured_as_its_name_says() {
        for (name, want) in [
            ("system.cpu.total.norm.pct", Measure::Share),
            ("system.memory.actual.free", Measure::Bytes),
            ("system.process.memory.rss.bytes", Measure::Bytes),
            ("agent.requests", Measure::Plain),
            ("span.self_time.sum.us", Measure::Duration),
        ] {
            assert_eq!(measure(name), want, "{name}");
        }
    }
}
