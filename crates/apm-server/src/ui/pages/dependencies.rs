//! `/services/{s}/dependencies`: what a service calls, how often, and how long it waits.

use apm_store::OTHER;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, page, service_crumbs, service_tabs};
use crate::analytics::Scope;
use crate::analytics::dependencies::{self, Choice, Dependencies, Dependency};
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, swatch};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::components::waterfall::type_class;
use crate::ui::number::{self, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 6] = [
    Column::text("Dependency", "name"),
    Column::figure("Avg", "avg"),
    Column::figure("p95", "p95"),
    Column::bare("Calls/min", "rate"),
    Column::figure("Failed", "failed"),
    Column::figure("Share of time", "impact"),
];

/// The page.
pub(crate) fn list(ask: &mut Ask<'_>, service: &str) -> QueryResult<Answer> {
    let found = of_service(ask, service)?;
    let crumbs = service_crumbs(ask.view, service, &[Crumb::here("Dependencies")]);
    let (answer, why) = headline(ask.view, service, &found);
    let body = html! {
        (page_head(&crumbs, answer, why))
        (service_tabs(ask.view, service, "dependencies"))
        @if found.dependencies.is_empty() {
            (super::nothing_here(ask.view, "No calls"))
        } @else {
            (panel("Dependencies", number::grouped((found.dependencies.len() + found.left_out) as u64), html! {}, rows(ask.view, &found)))
        }
    };
    Ok(Answer::Page(Page {
        service: Some(service.to_owned()),
        ..page(Section::Services, format!("Dependencies · {service}"), body)
    }))
}

/// What one service calls.
fn of_service(ask: &mut Ask<'_>, service: &str) -> QueryResult<Dependencies> {
    let scope = ask.service(service);
    of_scope(ask, &scope)
}

/// The same with a scope of the caller's.
pub(crate) fn of_scope(ask: &mut Ask<'_>, scope: &Scope) -> QueryResult<Dependencies> {
    dependencies::list(
        ask.conn,
        scope,
        &Choice {
            dependency: None,
            by_service: false,
        },
        &ask.window,
    )
}

fn headline(view: &View, service: &str, found: &Dependencies) -> (String, String) {
    let mut by_time: Vec<&Dependency> = found.dependencies.iter().collect();
    by_time.sort_by(|a, b| b.impact.total_cmp(&a.impact));
    match by_time.as_slice() {
        [] => (
            format!("{service} called nothing {}.", words::range(view)),
            "Databases, other services and queues that it calls would be listed here.".to_owned(),
        ),
        [one] => (
            format!("{service} waits for {} alone.", one.name),
            calls(one),
        ),
        [first, ..] => (
            format!(
                "{} of the time that {service} waits for others goes to {}.",
                percent(first.impact),
                first.name
            ),
            calls(first),
        ),
    }
}

fn calls(dependency: &Dependency) -> String {
    format!(
        "{} calls per minute, {} on average.",
        number::rate(dependency.throughput),
        number::duration(dependency.latency_avg.unwrap_or(0.0))
    )
}

/// The table.
pub(crate) fn rows(view: &View, found: &Dependencies) -> Markup {
    let sort = Sort::of(view, &COLUMNS, "-impact");
    let mut list: Vec<&Dependency> = found.dependencies.iter().collect();
    list.sort_by(|a, b| match sort.key {
        "name" => sort.compare_text(&a.name, &b.name),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "p95" => sort.compare(a.latency.map(|p| p.p95), b.latency.map(|p| p.p95)),
        "rate" => sort.compare(Some(a.throughput), Some(b.throughput)),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        _ => sort.compare(Some(a.impact), Some(b.impact)),
    });
    let widest = list.iter().map(|one| one.impact).fold(0.0, f64::max);
    let row = |one: &Dependency| {
        let throughput = settled(&found.axis, one.series.throughput.iter().copied().map(Some));
        let fill = if type_class(&one.kind) == "t-db" {
            "fill-db"
        } else {
            "fill"
        };
        html! {
            tr {
                th.grow scope="row" { span.row.row--c { (swatch(type_class(&one.kind))) span title=(one.name) { (one.name) } span.dim { (if one.subtype.is_empty() { &one.kind } else { &one.subtype }) } } }
                (cells::trend(spark(&one.series.latency, "average duration over time", false), one.latency_avg.map(number::duration)))
                (cells::duration(one.latency.map(|p| p.p95)))
                (cells::trend_bare(spark(&throughput, "calls per minute over time", false), &number::rate(one.throughput)))
                (cells::percent(one.failed_rate))
                (cells::share(Some(one.impact), widest, fill))
            }
        }
    };
    let shown = &list[super::shown(view, list.len())];
    let body = html! { @for one in shown { (row(one)) } };
    html! {
        (table(view, "", "Dependencies", &COLUMNS, &sort, body))
        (super::beyond(view, (list.len(), found.left_out), "time", list.iter().any(|one| one.name == OTHER)))
    }
}
