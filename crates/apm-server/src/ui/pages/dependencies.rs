//! `/services/{s}/dependencies` and `/dependencies`: what services call, how often, and how long they wait.

use std::collections::HashMap;

use apm_store::OTHER;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs, whole};
use crate::analytics::dependencies::Dependency;
use crate::analytics::series::Axis;
use crate::answers::dependencies::{All, Answer as Found, Params, Previous};
use crate::answers::listing::Sort;
use crate::ui::budget::each;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise, swatch};
use crate::ui::components::choose;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{COMPARED, Column, Frame, compared, framed};
use crate::ui::components::waterfall::type_class;
use crate::ui::number::{self, Delta, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 7] = [
    Column::text("Dependency").by("name"),
    Column::figure("Avg").by("avg"),
    Column::bare(COMPARED).by("change"),
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
        let (answer, why) = match (&chosen, most_time(found)) {
            (None, Some(first)) if found.rows.total > 1 || view.param("search").is_some() => (
                format!(
                    "{} of the time that services wait for others{} goes to {}.",
                    percent(first.impact),
                    narrowed::that_match(view),
                    words::cut(&first.name, 80)
                ),
                calls(first),
            ),
            (None, Some(one)) => (only("Services call", view, one), calls(one)),
            (None, None) => narrowed::none(view, "dependency", "No service called anything", NONE),
            _ => headline(view, who, found),
        };
        let body = html! {
            (page_head(&[Crumb::here("Dependencies")], answer, why))
            (list(view, found))
        };
        Answer::Page(page(Section::Dependencies, "Dependencies", body))
    }
}

/// The sentence about a single dependency: under a filter there may be others.
fn only(calls: &str, view: &View, one: &Dependency) -> String {
    let name = words::cut(&one.name, 80);
    match narrowed::is_filtered(view) {
        true => format!("{calls} {name}. No other dependency matches the filter."),
        false => format!("{calls} {name} only."),
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
        (table(view, &found.dependencies, &found.axis, found.previous.as_ref(), Some(found.sort)))
        (super::pager(view, &found.rows, "time", other))
    };
    panel("Dependencies", count, html! {}, rows)
}

/// The reason why a list of dependencies is empty.
const NONE: &str = "Databases, other services and queues that are called are listed here.";

/// The dependency with most time of all; nothing where none is listed, since a search leaves none.
fn most_time(found: &Found) -> Option<&Dependency> {
    found.most_time.as_ref().filter(|_| found.rows.total > 0)
}

fn headline(view: &View, service: &str, found: &Found) -> (String, String) {
    match most_time(found) {
        None => narrowed::none(
            view,
            &format!("dependency of {service}"),
            &format!("{service} called nothing"),
            NONE,
        ),
        Some(one) if found.rows.total == 1 && view.param("search").is_none() => {
            (only(&format!("{service} calls"), view, one), calls(one))
        }
        Some(first) => (
            format!(
                "{} of the time that {service} waits for others{} goes to {}.",
                percent(first.impact),
                narrowed::that_match(view),
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

/// The table. Without `previous` nothing is compared, and without `sort` it cannot be sorted.
pub(crate) fn table(
    view: &View,
    list: &[Dependency],
    axis: &Axis,
    previous: Option<&Previous>,
    sort: Option<Sort>,
) -> Markup {
    let before: HashMap<&str, &Dependency> = previous
        .iter()
        .flat_map(|previous| &previous.dependencies)
        .map(|one| (&*one.name, one))
        .collect();
    let side = |one: &Dependency| (one.latency_avg, whole(one.count));
    let change = |one: &Dependency| {
        let then = before.get(&*one.name).map(|then| side(then));
        previous.map(|all| Delta::of_row(side(one), then, all.is_covered))
    };
    let widest = list.iter().map(|one| one.impact).fold(0.0, f64::max);
    let row = |one: &Dependency| {
        let throughput = settled(axis, one.series.throughput.iter().copied().map(Some));
        let class = type_class(&one.kind);
        let fill = if class == "t-db" { "fill-db" } else { "fill" };
        let change = change(one);
        let is_slower = change.is_some_and(|change| cells::is_worse(change, Rise::Worse));
        let latency = spark(&one.series.latency, "average duration over time", is_slower);
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
                @if let Some(change) = change { (cells::delta_cell(change, Rise::Worse, &view.against())) }
                (cells::duration(one.latency.map(|p| p.p95)))
                (cells::trend_bare(rate, &number::rate(one.throughput)))
                (cells::percent(one.failed_rate))
                (cells::share(Some(one.impact), widest, fill))
            }
        }
    };
    let columns = compared(&COLUMNS, previous.is_some());
    let frame = Frame {
        class: "",
        caption: "Dependencies",
        name: "dependencies",
        columns: &columns,
        sort,
    };
    framed(view, frame, each(list, row))
}
