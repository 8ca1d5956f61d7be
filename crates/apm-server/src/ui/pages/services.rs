//! `/services`: which services there are, how they do, and which of them needs a look.

mod headline;

use std::collections::HashMap;

use apm_store::OTHER;
use maud::{Markup, html};

use super::{
    Answer, Context, Rendered, errors, narrowed, nothing_here, transactions, whole, wider,
};
use crate::analytics::services::Service;
use crate::answers::services::{Answer as Found, Busiest, Params, Totals};
use crate::ui::budget::each;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise, Tone};
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{COMPARED, Column, Frame, compared, framed};
use crate::ui::number::{self, Delta, delta};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 8] = [
    Column::text("Service").by("name"),
    Column::figure("Avg latency").by("avg"),
    Column::bare(COMPARED).by("change"),
    Column::figure("p95").by("p95"),
    Column::bare("Requests/min").by("rate"),
    Column::figure("Failed").by("failed"),
    Column::bare("Errors/min").by("errors"),
    Column::figure("Database time").by("sql"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        if found.rows.total == 0 {
            return Answer::Page(without_services(context, found));
        }
        let before: HashMap<&str, &Service> = found
            .previous
            .iter()
            .flat_map(|previous| &previous.services)
            .map(|service| (&*service.name, service))
            .collect();
        let view = context.view;
        let all = (found.rows.total, found.totals.throughput);
        let all = view.param("search").is_none().then_some(all);
        let said = headline::headline(view, &found.services, &found.changes, all);
        let errors = found.top_errors.as_ref();
        let errors = errors.map(|top| (top.errors.as_slice(), top.total));
        let errors = errors::short_list(view, errors, &view.to(&["errors"]));
        let body = html! {
            (page_head(&[Crumb::here("Services")], &said.answer, &said.why))
            (super::scan_note(context, found.scan.as_ref()))
            (totals(context, found))
            section.panel {
                (list(context, found, &before))
                @if found.totals.errors_per_minute.is_none() {
                    p.panel-foot {
                        "Errors and database time are counted per service, not per request: "
                        "this filter cannot be applied to them."
                    }
                }
            }
            // An agent sends metrics before its service answers the first request.
            @if found.totals.transactions == 0.0 && found.call_first.is_some() && !is_narrowed(view) {
                (first_steps(view, found))
            }
            div.cols.cols--5-7 {
                (errors)
                @if let Some(busiest) = &found.busiest { (time_goes(view, busiest)) }
            }
        };
        Answer::Page(super::page(Section::Services, "Services", body))
    }
}

/// The transactions of the service with most time.
fn time_goes(view: &View, busiest: &Busiest) -> Markup {
    let service = &busiest.service;
    let all = words::all(busiest.top.total as u64, "transactions");
    let link = html! { a href=(view.to(&["services", service, "transactions"])) { (all) } };
    let rows = transactions::shares(view, service, &busiest.top.transactions);
    panel("Where time goes", html! { (service) }, link, rows)
}

/// Without a row: what narrows the list, or how to make an agent send.
fn without_services(context: &Context<'_>, found: &Found) -> Page {
    let view = context.view;
    let crumbs = [Crumb::here("Services")];
    let body = if let Some((answer, why)) = narrowed::not_found(view, "service") {
        html! {
            (page_head(&crumbs, answer, why))
            (nothing_here(view, "No services"))
        }
    } else if view.asked.expr.is_some() {
        let answer = format!("No service has such requests {}.", narrowed::within(view));
        html! {
            (page_head(&crumbs, answer, "Only services with requests that match the filter are listed."))
            (nothing_here(view, "No services"))
        }
    } else if is_narrowed(view) {
        let answer = format!("No service has sent anything {}.", narrowed::within(view));
        let why = "Look at another range of time, or at all services and environments.";
        html! {
            (page_head(&crumbs, answer, why))
            (nothing_here(view, "No services"))
        }
    } else {
        let answer = format!("No service has sent anything {}.", words::range(view));
        let why = "Point an agent at this server, or look at a longer range.";
        let remedies = html! {
            a.btn.btn--primary href=(view.to(&["setup"])) { "Set up an agent" }
            (wider(view))
        };
        html! {
            (page_head(&crumbs, answer, why))
            (empty("No services", "Services appear here when they send their first event.", remedies))
            (first_steps(view, found))
        }
    };
    super::page(Section::Services, "Services", body)
}

/// True if the page shows a part only: some services, some requests, or a time that is over.
fn is_narrowed(view: &View) -> bool {
    let is_chosen = !view.services.is_all() || !view.environments.is_all();
    is_chosen || !view.ends_now() || view.asked.expr.is_some() || view.param("search").is_some()
}

/// Commands that bring something to look at.
fn first_steps(view: &View, found: &Found) -> Markup {
    let call = found.call_first.as_ref().map(|url| format!("curl {url}"));
    let demo = format!("pocket-apm generate --server {}", view.origin);
    let step = |id: &str, title: &str, note: &str, command: &str| {
        html! {
            section.panel {
                div.panel-head {
                    h2 { (title) }
                    span.note { (note) }
                    span.push { (copy(id, "Copy")) }
                }
                div.snippet { (code::block(id, html! { (command) })) }
            }
        }
    };
    html! {
        div.cols.cols--2 {
            @if let Some(call) = &call {
                (step("first-call", "Call the service", "it appears here within seconds", call))
            }
            (step("first-demo", "Or look at made-up services", "with requests, statements and errors", &demo))
        }
    }
}

fn totals(context: &Context<'_>, found: &Found) -> Markup {
    let against = context.view.against();
    let (now, then) = (
        &found.totals,
        found
            .previous
            .as_ref()
            .filter(|previous| previous.services.len() + previous.left_out > 0)
            .map(|previous| &previous.totals),
    );
    let events = (
        whole(now.transactions),
        then.map_or(0, |then| whole(then.transactions)),
    );
    // All services together are known of if one is: the others may be new.
    let covered = found.changes.values().find(|change| change.is_covered());
    let covered = covered.or(found.changes.values().next());
    let compared = |of: fn(&Totals) -> Option<f64>, rise| {
        let change = delta(of(now), then.and_then(of), events).where_covered(covered);
        cells::delta(change, rise, &against)
    };
    let share = |value: Option<f64>| match value {
        Some(value) => html! { (number::percent(value)) },
        None => html! { span.none { "–" } },
    };
    let per_minute = |value: f64| {
        html! { span { (number::rate(value)) span.u { (number::NARROW) "/min" } } }
    };
    let mut list = vec![
        Fact::with(
            "Requests",
            per_minute(now.throughput),
            compared(|of| Some(of.throughput), Rise::Neutral),
        ),
        Fact::with(
            "Failed",
            share(now.failed_rate),
            compared(|of| of.failed_rate, Rise::Worse),
        ),
    ];
    if let Some(errors) = now.errors_per_minute {
        list.push(Fact::with(
            "Errors",
            per_minute(errors),
            compared(|of| of.errors_per_minute, Rise::Worse),
        ));
        list.push(Fact::with(
            "Database time",
            share(now.db_share),
            compared(|of| of.db_share, Rise::Neutral),
        ));
    }
    list.push(Fact::new("Services", found.rows.total));
    facts(&list)
}

fn list(context: &Context<'_>, found: &Found, before: &HashMap<&str, &Service>) -> Markup {
    let view = context.view;
    let body = each(&found.services, |service| {
        row(context, found, service, before.get(&*service.name).copied())
    });
    let columns = compared(&COLUMNS, found.previous.is_some());
    let frame = Frame {
        class: "table--lines",
        caption: &format!("Services {}", words::range(view)),
        name: "services",
        columns: &columns,
        sort: Some(found.sort),
    };
    let other = found.services.iter().any(|service| service.name == OTHER);
    html! {
        (framed(view, frame, body))
        (super::pager(view, &found.rows, "time", other))
    }
}

fn row(
    context: &Context<'_>,
    found: &Found,
    service: &Service,
    before: Option<&Service>,
) -> Markup {
    let (view, axis) = (context.view, &found.axis);
    let known = found.changes.get(&service.name);
    let change = Delta::from_change(known.filter(|_| service.transactions > 0.0));
    let slower = cells::is_worse(change, Rise::Worse);
    let settle = |values: &[Option<f64>]| settled(axis, values.iter().copied());
    let throughput = settled(axis, service.series.throughput.iter().copied().map(Some));
    let events = (
        whole(service.transactions),
        before.map_or(0, |before| whole(before.transactions)),
    );
    let failed_then = before.and_then(|before| before.failed_rate);
    let failing = delta(service.failed_rate, failed_then, events).where_covered(known);
    let failing = cells::is_worse(failing, Rise::Worse);
    let latency = spark(
        &settle(&service.series.latency),
        "average latency over time",
        slower,
    );
    let rate = spark(&throughput, "requests per minute over time", false);
    let failed = spark(
        &settle(&service.series.failed_rate),
        "failed requests over time",
        failing,
    );
    html! {
        tr class=[(service.transactions == 0.0).then_some("mutedrow")] {
            th scope="row" {
                a href=(view.to(&["services", &service.name])) { (service.name) }
                @if let Some(count) = found.insights.get(&service.name) {
                    " " (badge(view, &service.name, *count))
                }
                @if let Some(count) = found.alerts.get(&service.name) {
                    @let alerts = words::count(*count, "alert", "alerts");
                    " " a.plain href=(view.to(&["alerts"]).set("service", &service.name)) {
                        (cells::flag(Tone::Bad, &alerts))
                    }
                }
                span.sub { (about(service)) }
            }
            (cells::trend(latency, service.latency_avg.map(number::duration)))
            @if found.previous.is_some() { (cells::delta_cell(change, Rise::Worse, &view.against())) }
            (cells::duration(service.latency.map(|p| p.p95)))
            (cells::trend_bare(rate, &number::rate(service.throughput)))
            (cells::trend(failed, service.failed_rate.map(number::percent)))
            @match service.errors_per_minute {
                Some(errors) => (cells::rate(errors)),
                None => td.num.none { "–" },
            }
            (cells::share(service.db_share, 1.0, "fill-db"))
        }
    }
}

/// The number of insights about a service.
fn badge(view: &View, service: &str, count: u64) -> Markup {
    let insights = words::count(count, "insight", "insights");
    html! {
        a.plain href=(view.to(&["insights"]).set("service", service)) { (cells::flag(Tone::Warn, &insights)) }
    }
}

/// Agent, version and environments, as far as they are known.
fn about(service: &Service) -> String {
    let mut parts = Vec::new();
    let agent = if service.language.is_empty() {
        &service.agent
    } else {
        &service.language
    };
    if !agent.is_empty() {
        parts.push(agent.clone());
    }
    if !service.version.is_empty() {
        parts.push(service.version.clone());
    }
    if service.environments.iter().any(|name| !name.is_empty()) {
        parts.push(words::environments(&service.environments));
    }
    parts.join(" · ")
}
