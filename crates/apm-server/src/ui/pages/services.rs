//! `/services`: which services there are, how they do, and which of them needs a look.

mod headline;

use std::collections::HashMap;

use apm_store::OTHER;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, errors, nothing_here, transactions, whole, wider};
use crate::analytics::filter::List;
use crate::analytics::series::Axis;
use crate::analytics::services::{self, Service, Services};
use crate::analytics::{errors as error_groups, transactions as groups};
use crate::insight::finding;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise, Tone};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::number::{self, Delta, delta};
use crate::ui::words;

const COLUMNS: [Column; 8] = [
    Column::text("Service", "name"),
    Column::figure("Avg latency", "avg"),
    Column::bare("vs prev.", "change"),
    Column::figure("p95", "p95"),
    Column::bare("Requests/min", "rate"),
    Column::figure("Failed", "failed"),
    Column::bare("Errors/min", "errors"),
    Column::figure("Time in SQL", "sql"),
];

/// The page.
pub(crate) fn page(ask: &mut Ask<'_>) -> QueryResult<Answer> {
    let scope = ask.scope();
    let now = services::list(ask.conn, &scope, &ask.window)?;
    let before = match &ask.before {
        Some(window) => services::list(ask.conn, &scope, window)?.services,
        None => Vec::new(),
    };
    let before: HashMap<String, Service> = before
        .into_iter()
        .map(|service| (service.name.clone(), service))
        .collect();
    let crumbs = [Crumb::here("Services")];
    if now.services.is_empty() {
        return Ok(none(ask));
    }
    // Both are counted per service: a filter on anything but services leaves them as they are.
    let counted = ask.view.asked.on(List::Metrics).is_ok();
    let insights = finding::counts(ask.conn, &scope)?;
    let said = headline::of(ask.view, &now.services, &before);
    let busiest = now
        .services
        .iter()
        .max_by(|a, b| time(a).total_cmp(&time(b)))
        .filter(|service| service.transactions > 0.0)
        .cloned();
    let failing = match ask.beside(&scope, List::Errors) {
        Some(scope) => Some(error_groups::list(ask.conn, &scope, None, &ask.window)?),
        None => None,
    };
    let hot = match &busiest {
        Some(service) => Some(groups::list(
            ask.conn,
            &ask.service(&service.name),
            &ask.window,
        )?),
        None => None,
    };
    let body = html! {
        (page_head(&crumbs, &said.answer, &said.why))
        (totals(ask, &now.services, &before, counted))
        section.panel {
            (list(ask, &now, &before, &insights, counted))
            @if !counted { p.panel-foot { "Errors and time in SQL are counted per service, not per request: this filter cannot be applied to them." } }
        }
        div.cols.cols--5-7 {
            (errors::short_list(ask.view, failing.as_ref(), &ask.view.to(&["errors"])))
            @if let (Some(service), Some(hot)) = (&busiest, &hot) {
                @let all = html! { a href=(ask.view.to(&["services", &service.name, "transactions"])) { (words::all((hot.transactions.len() + hot.left_out) as u64, "transactions")) } };
                (panel("Where time goes", html! { (service.name) }, all, transactions::shares(ask.view, &service.name, hot, 7)))
            }
        }
    };
    Ok(Answer::Page(super::page(
        Section::Services,
        "Services",
        body,
    )))
}

/// Without a row: what narrows the list, or how to make an agent send.
fn none(ask: &Ask<'_>) -> Answer {
    let view = ask.view;
    let crumbs = [Crumb::here("Services")];
    let body = if view.asked.expr.is_some() {
        let answer = format!("No service has such requests {}.", words::range(view));
        html! { (page_head(&crumbs, answer, "Services are listed by the requests that the filter leaves.")) (nothing_here(view, "No services")) }
    } else {
        let answer = format!("No service has sent anything {}.", words::range(view));
        let remedies = html! { a.btn.btn--primary href=(view.to(&["setup"])) { "Set up an agent" } (wider(view)) };
        html! { (page_head(&crumbs, answer, "Point an agent at this server, or look at a longer range.")) (empty("No services", words::range(view), remedies)) }
    };
    Answer::Page(super::page(Section::Services, "Services", body))
}

/// Time that a service spent in transactions, µs.
fn time(service: &Service) -> f64 {
    service.transactions * service.latency_avg.unwrap_or(0.0)
}

/// A mean of shares, each weighted.
fn weighted<'a>(
    services: impl Iterator<Item = &'a Service>,
    share: impl Fn(&Service) -> Option<f64>,
    weight: impl Fn(&Service) -> f64,
) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for service in services {
        if let Some(share) = share(service) {
            sum += share * weight(service);
            total += weight(service);
        }
    }
    (total > 0.0).then(|| sum / total)
}

fn totals(
    ask: &Ask<'_>,
    now: &[Service],
    before: &HashMap<String, Service>,
    counted: bool,
) -> Markup {
    let against = ask.view.against();
    let events = (
        now.iter().map(|s| whole(s.transactions)).sum(),
        before.values().map(|s| whole(s.transactions)).sum(),
    );
    let compared = |of: &dyn Fn(Vec<&Service>) -> Option<f64>, rise| {
        let then = if before.is_empty() {
            None
        } else {
            of(before.values().collect())
        };
        cells::delta(
            delta(of(now.iter().collect()), then, events),
            rise,
            &against,
        )
    };
    let requests = |list: Vec<&Service>| Some(list.iter().map(|s| s.throughput).sum::<f64>());
    let failed =
        |list: Vec<&Service>| weighted(list.into_iter(), |s| s.failed_rate, |s| s.transactions);
    let errors = |list: Vec<&Service>| Some(list.iter().map(|s| s.errors_per_minute).sum::<f64>());
    let sql = |list: Vec<&Service>| weighted(list.into_iter(), |s| s.db_share, time);
    let all = || now.iter().collect::<Vec<_>>();
    let share = |value: Option<f64>| html! { @match value { Some(value) => (number::percent(value)), None => { span.none { "–" } } } };
    let per_minute = |value: Option<f64>| html! { span { (number::rate(value.unwrap_or(0.0))) span.u { (number::NARROW) "/min" } } };
    let mut list = vec![
        Fact::with(
            "Requests",
            per_minute(requests(all())),
            compared(&requests, Rise::Neutral),
        ),
        Fact::with(
            "Failed",
            share(failed(all())),
            compared(&failed, Rise::Worse),
        ),
    ];
    if counted {
        list.push(Fact::with(
            "Errors",
            per_minute(errors(all())),
            compared(&errors, Rise::Worse),
        ));
        list.push(Fact::with(
            "Time in SQL",
            share(sql(all())),
            compared(&sql, Rise::Neutral),
        ));
    }
    list.push(Fact::new("Services", now.len()));
    facts(&list)
}

fn change(now: &Service, before: Option<&Service>) -> Delta {
    let events = (
        whole(now.transactions),
        before.map_or(0, |before| whole(before.transactions)),
    );
    delta(
        now.latency_avg,
        before.and_then(|before| before.latency_avg),
        events,
    )
}

fn list(
    ask: &Ask<'_>,
    now: &Services,
    before: &HashMap<String, Service>,
    insights: &HashMap<String, u64>,
    counted: bool,
) -> Markup {
    let sort = Sort::of(ask.view, &COLUMNS, "-rate");
    let mut rows: Vec<&Service> = now.services.iter().collect();
    let percent = |service: &Service| match change(service, before.get(&service.name)) {
        Delta::Changed { percent, .. } => Some(percent as f64),
        Delta::Same => Some(0.0),
        Delta::Unknown => None,
    };
    rows.sort_by(|a, b| match sort.key {
        "name" => sort.compare_text(&a.name, &b.name),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "change" => sort.compare(percent(a), percent(b)),
        "p95" => sort.compare(a.latency.map(|p| p.p95), b.latency.map(|p| p.p95)),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        "errors" => sort.compare(Some(a.errors_per_minute), Some(b.errors_per_minute)),
        "sql" => sort.compare(a.db_share, b.db_share),
        _ => sort.compare(Some(a.throughput), Some(b.throughput)),
    });
    let caption = format!("Services {}", words::range(ask.view));
    let shown = &rows[super::shown(ask.view, rows.len())];
    let body = html! { @for service in shown { (row(ask, &now.axis, service, before.get(&service.name), insights.get(&service.name).copied(), counted)) } };
    html! {
        (table(ask.view, "table--lines", &caption, &COLUMNS, &sort, body))
        (super::beyond(ask.view, (rows.len(), now.left_out), "requests", rows.iter().any(|service| service.name == OTHER)))
    }
}

fn row(
    ask: &Ask<'_>,
    axis: &Axis,
    service: &Service,
    before: Option<&Service>,
    insights: Option<u64>,
    counted: bool,
) -> Markup {
    let change = change(service, before);
    let slower = cells::is_worse(change, Rise::Worse);
    let settle = |values: &[Option<f64>]| settled(axis, values.iter().copied());
    let throughput = settled(axis, service.series.throughput.iter().copied().map(Some));
    let failing = cells::is_worse(
        delta(
            service.failed_rate,
            before.and_then(|b| b.failed_rate),
            (
                whole(service.transactions),
                before.map_or(0, |b| whole(b.transactions)),
            ),
        ),
        Rise::Worse,
    );
    let rate = number::rate(service.throughput);
    html! {
        tr class=[(service.transactions == 0.0).then_some("mutedrow")] {
            th scope="row" { a href=(ask.view.to(&["services", &service.name])) { (service.name) } @if let Some(found) = insights { " " (badge(ask, &service.name, found)) } span.sub { (about(service)) } }
            (cells::trend(spark(&settle(&service.series.latency), "average latency over time", slower), service.latency_avg.map(number::duration)))
            (cells::delta_cell(change, Rise::Worse, &ask.view.against()))
            (cells::duration(service.latency.map(|p| p.p95)))
            (cells::trend_bare(spark(&throughput, "requests per minute over time", false), &rate))
            (cells::trend(spark(&settle(&service.series.failed_rate), "failed requests over time", failing), service.failed_rate.map(number::percent)))
            @if counted { (cells::rate(service.errors_per_minute)) } @else { td.num.none { "–" } }
            (cells::share(service.db_share.filter(|_| counted), 1.0, "fill-db"))
        }
    }
}

/// How many insights there are about a service.
fn badge(ask: &Ask<'_>, service: &str, found: u64) -> Markup {
    html! { a.plain href=(ask.view.to(&["insights"]).set("service", service)) { (cells::flag(Tone::Warn, &words::count(found, "insight", "insights"))) } }
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
    parts.extend(
        service
            .environments
            .iter()
            .filter(|name| !name.is_empty())
            .take(3)
            .cloned(),
    );
    parts.join(" · ")
}
