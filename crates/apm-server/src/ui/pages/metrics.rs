//! `/services/{s}/metrics`: CPU and memory, and any other metric by its name.

use diesel::QueryResult;
use maud::{Markup, html};

use super::charts::per;
use super::{Answer, Ask, page, service_crumbs, service_tabs};
use crate::analytics::metrics::{self, Gauge};
use crate::analytics::series::Axis;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::frame::Measure;
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

/// The page; `metric` chooses one by its name.
pub(crate) fn one(ask: &mut Ask<'_>, service: &str) -> QueryResult<Answer> {
    let scope = ask.service(service);
    let data = metrics::page(
        ask.conn,
        &scope,
        &ask.window,
        ask.view.param("names_after").unwrap_or_default(),
    )?;
    let chosen = match ask.view.param("metric") {
        Some(name) => Some(metrics::one(ask.conn, &scope, name, &ask.window)?),
        None => None,
    };
    let crumbs = service_crumbs(ask.view, service, &[Crumb::here("Metrics")]);
    let (answer, why) = headline(ask.view, service, &data);
    let sql = |name: &str| metrics::sql(&scope, name, &ask.window).shell();
    let memory_sql = metrics::memory_sql(&scope, &ask.window).shell();
    let body = html! {
        (page_head(&crumbs, answer, why))
        (service_tabs(ask.view, service, "metrics"))
        @if data.names.is_empty() {
            (super::nothing_here(ask.view, "No metrics"))
        } @else {
            (split("split--2", &[
                chart(ask, "cpu", "CPU of the host", &data.axis, &data.system_cpu, Measure::Share, &sql("system.cpu.total.norm.pct")),
                chart(ask, "process", "CPU of the process", &data.axis, &data.process_cpu, Measure::Share, &sql("system.process.cpu.total.norm.pct")),
            ]))
            section.panel { (chart(ask, "memory", "Memory in use", &data.axis, &data.memory, Measure::Share, &memory_sql)) }
            div.cols.cols--fields {
                (names(ask.view, &data))
                @match &chosen {
                    Some(metric) => section.panel { (chart(ask, "metric", &metric.gauge.name, &metric.axis, &metric.gauge, measure(&metric.gauge.name), &sql(&metric.gauge.name))) },
                    None => div.panel.empty { h2 { "Any metric" } p { "Choose one of " (data.names.len()) " names to see its values." } },
                }
            }
        }
    };
    Ok(Answer::Page(Page {
        service: Some(service.to_owned()),
        ..page(Section::Services, format!("Metrics · {service}"), body)
    }))
}

fn latest(gauge: &Gauge) -> Option<f64> {
    gauge.avg.iter().rev().flatten().next().copied()
}

fn headline(view: &View, service: &str, data: &metrics::Metrics) -> (String, String) {
    if data.names.is_empty() {
        return (format!("{service} sent no metrics {}.", words::range(view)), "Agents send CPU and memory every 30 seconds unless ELASTIC_APM_METRICS_INTERVAL says otherwise.".to_owned());
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

/// What a metric measures, as far as its name says.
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

fn chart(
    ask: &Ask<'_>,
    id: &str,
    title: &str,
    axis: &Axis,
    gauge: &Gauge,
    measure: Measure,
    sql: &str,
) -> Markup {
    if gauge.samples == 0 {
        return crate::ui::chart::frame::without_data(
            id,
            title,
            &format!("No samples {}.", words::range(ask.view)),
            html! { a href=(ask.view.here().set("from", "now-1h").without("to")) { "Show last hour" } },
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
        counts: &[],
        counts_name: "",
        height: 140,
        sql: Some(sql),
    }
    .render(&ask.view.clock, ask.flags)
}

fn names(view: &View, data: &metrics::Metrics) -> Markup {
    let names = &data.names;
    let is_first = view.param("names_after").is_none();
    html! {
        aside.fields aria-label="Metrics" {
            h3 { (if is_first && data.next.is_none() { words::count(names.len() as u64, "metric", "metrics") } else { format!("{} of the metrics", names.len()) }) }
            ul {
                @for name in names {
                    li { a href=(view.here().set("metric", name).anchor("metric")) aria-current=[(view.param("metric") == Some(name)).then_some("true")] title=(name) { span.ftype aria-hidden="true" { "#" } span { (name) } } }
                }
            }
            @if !is_first { p { a href=(view.here().without("names_after").anchor("metric")) rel="prev" { "First names" } } }
            @if let Some(next) = &data.next { p { a href=(view.here().set("names_after", next).anchor("metric")) rel="next" { "More names" } } }
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
