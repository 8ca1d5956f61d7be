//! `/services/{s}/dependencies` and `/dependencies`: what services call, how often, and how long they wait.

use apm_store::OTHER;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page, service_crumbs, service_tabs};
use crate::analytics::dependencies::Dependency;
use crate::analytics::series::Axis;
use crate::answers::dependencies::{All, Answer as Found, Params};
use crate::answers::listing::Sort;
use crate::ui::budget::each;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, swatch};
use crate::ui::components::choose;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::components::waterfall::type_class;
use crate::ui::number::{self, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 6] = [
    Column::text("Dependency").by("name"),
    Column::figure("Avg").by("avg"),
    Column::figure("p95").by("p95"),
    Column::bare("Calls/min").by("rate"),
    Column::figure("Failed").by("failed"),
    Column::figure("Share of time").by("impact"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[Crumb::here("Dependencies")]);
        let (answer, why) = headline(view, &words::cut(service, 60), found);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (service_tabs(view, service, "dependencies"))
            (list(view, found))
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Dependencies · {service}"), body)
        })
    }
}

impl Rendered for All {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let chosen = choose::narrowed(view);
        let who = chosen.as_deref().unwrap_or("services");
        let (answer, why) = match (&chosen, &found.most_time) {
            (None, Some(first)) if found.rows.total > 1 || view.param("search").is_some() => (
                format!(
                    "{} of the time that services wait for others goes to {}.",
                    percent(first.impact),
                    words::cut(&first.name, 80)
                ),
                calls(first),
            ),
            (None, Some(one)) => (
                format!("Services call {} only.", words::cut(&one.name, 80)),
                calls(one),
            ),
            (None, None) => (
                format!("No service called anything {}.", words::range(view)),
                NONE.to_owned(),
            ),
            _ => headline(view, who, found),
        };
        let body = html! {
            (page_head(&[Crumb::here("Dependencies")], answer, why))
            (list(view, found))
        };
        Answer::Page(page(Section::Dependencies, "Dependencies", body))
    }
}

/// The panel with the list.
fn list(view: &View, found: &Found) -> Markup {
    if found.rows.total == 0 {
        return super::nothing_here(view, "No calls");
    }
    let count = number::grouped(found.rows.total as u64);
    let other = found.dependencies.iter().any(|one| one.name == OTHER);
    let rows = html! {
        (table(view, &found.dependencies, &found.axis, Some(found.sort)))
        (super::pager(view, &found.rows, "time", other))
    };
    panel("Dependencies", count, html! {}, rows)
}

/// The reason why a list of dependencies is empty.
const NONE: &str = "Databases, other services and queues that are called are listed here.";

fn headline(view: &View, service: &str, found: &Found) -> (String, String) {
    match &found.most_time {
        None => (
            format!("{service} called nothing {}.", words::range(view)),
            NONE.to_owned(),
        ),
        Some(one) if found.rows.total == 1 && view.param("search").is_none() => (
            format!("{service} calls {} only.", words::cut(&one.name, 80)),
            calls(one),
        ),
        Some(first) => (
            format!(
                "{} of the time that {service} waits for others goes to {}.",
                percent(first.impact),
                words::cut(&first.name, 80)
            ),
            calls(first),
        ),
    }
}

pub(crate) fn calls(dependency: &Dependency) -> String {
    format!(
        "{}, {} on average.",
        words::per_minute(dependency.throughput, "call", "calls"),
        number::duration(dependency.latency_avg.unwrap_or(0.0))
    )
}

/// Services that are named behind a dependency.
const NAMED: usize = 3;

/// The services that answered its calls.
pub(crate) fn behind(view: &View, one: &Dependency) -> Markup {
    let named = one.services.iter().take(NAMED);
    let more = one.services.len().saturating_sub(NAMED);
    html! {
        @if !one.services.is_empty() {
            span.sub {
                "answered by "
                @for (place, answered) in named.enumerate() {
                    @if place > 0 { ", " }
                    a.plain href=(view.to(&["services", &answered.service])) title=(answered.service) {
                        (words::cut(&answered.service, 60))
                    }
                }
                @if more > 0 { " and " (words::count(more as u64, "other", "others")) }
            }
        }
    }
}

/// The table. Without `sort` it cannot be sorted.
pub(crate) fn table(view: &View, list: &[Dependency], axis: &Axis, sort: Option<Sort>) -> Markup {
    let widest = list.iter().map(|one| one.impact).fold(0.0, f64::max);
    let row = |one: &Dependency| {
        let throughput = settled(axis, one.series.throughput.iter().copied().map(Some));
        let class = type_class(&one.kind);
        let fill = if class == "t-db" { "fill-db" } else { "fill" };
        let latency = spark(&one.series.latency, "average duration over time", false);
        let rate = spark(&throughput, "calls per minute over time", false);
        html! {
            tr {
                th.grow scope="row" {
                    span.row.row--c {
                        (swatch(class))
                        a href=(view.to(&["dependencies", &one.name])) title=(one.name) { (one.name) }
                        @let kind = if one.subtype.is_empty() { &one.kind } else { &one.subtype };
                        span.dim title=(kind) { (words::cut(kind, 20)) }
                    }
                    (behind(view, one))
                }
                (cells::trend(latency, one.latency_avg.map(number::duration)))
                (cells::duration(one.latency.map(|p| p.p95)))
                (cells::trend_bare(rate, &number::rate(one.throughput)))
                (cells::percent(one.failed_rate))
                (cells::share(Some(one.impact), widest, fill))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Dependencies",
        name: "dependencies",
        columns: &COLUMNS,
        sort,
    };
    framed(view, frame, each(list, row))
}
