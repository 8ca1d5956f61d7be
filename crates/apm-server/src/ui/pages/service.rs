//! `/services/{s}`: one service at a glance.

use diesel::QueryResult;
use maud::{Markup, html};

use super::{
    Answer, Ask, charts, dependencies, errors, page, service_crumbs, service_tabs, transactions,
    whole,
};
use crate::analytics::filter::List;
use crate::analytics::latency::Latency;
use crate::analytics::transactions::Transactions;
use crate::analytics::{errors as error_groups, latency, throughput, transactions as groups};
use crate::insight::callers::{self, Of};
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::head::{Fact, facts, page_head};
use crate::ui::components::panel::{panel, split};
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::{self, delta};
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn overview(ask: &mut Ask<'_>, service: &str) -> QueryResult<Answer> {
    let scope = ask.service(service);
    let now = latency::chart(ask.conn, &scope, &ask.window)?;
    let before = ask
        .before
        .as_ref()
        .map(|window| latency::chart(ask.conn, &scope, window))
        .transpose()?;
    let results = throughput::chart(ask.conn, &scope, &ask.window)?;
    let list = groups::list(ask.conn, &scope, &ask.window)?;
    let failing = match ask.beside(&scope, List::Errors) {
        Some(scope) => Some(error_groups::list(ask.conn, &scope, None, &ask.window)?),
        None => None,
    };
    let calls = match ask.beside(&scope, List::Dependencies) {
        Some(scope) => Some(dependencies::of_scope(ask, &scope)?),
        None => None,
    };
    let sql = callers::list(ask.conn, &scope, Of::All, &ask.window)?;
    let crumbs = service_crumbs(ask.view, service, &[]);
    let (answer, why) = headline(ask.view, service, &now, before.as_ref(), &list);
    let (latency_sql, throughput_sql) = (
        latency::sql(&scope, &ask.window).shell(),
        throughput::sql(&scope, &ask.window).shell(),
    );
    let all = html! { a href=(ask.view.to(&["services", service, "transactions"])) { (words::all((list.transactions.len() + list.left_out) as u64, "transactions")) } };
    let body = html! {
        (page_head(&crumbs, answer, why))
        (service_tabs(ask.view, service, ""))
        @if now.total.count > 0.0 {
            (totals(ask, &now, before.as_ref()))
            (split("split--7-5", &[charts::latency(ask, "requests", &now, before.as_ref(), Some(&latency_sql)), charts::throughput(ask, &results, Some(&throughput_sql))]))
            (panel("Transactions", "by share of time", all, transactions::rows(ask.view, service, &list, &sql, 0..list.transactions.len().min(10))))
        } @else {
            (super::nothing_here(ask.view, "No requests"))
        }
        div.cols.cols--5-7 {
            (errors::short_list(ask.view, failing.as_ref(), &ask.view.to(&["services", service, "errors"])))
            @if now.total.count > 0.0 { section.panel { (charts::failed(ask, &now, before.as_ref(), Some(&latency_sql))) } }
        }
        @if let Some(calls) = calls.filter(|calls| !calls.dependencies.is_empty()) {
            (panel("Dependencies", "by share of time", html! { a href=(ask.view.to(&["services", service, "dependencies"])) { "All dependencies" } }, dependencies::rows(ask.view, &calls)))
        }
    };
    Ok(Answer::Page(Page {
        service: Some(service.to_owned()),
        ..page(Section::Services, service, body)
    }))
}

fn headline(
    view: &View,
    service: &str,
    now: &Latency,
    before: Option<&Latency>,
    list: &Transactions,
) -> (String, String) {
    let total = &now.total;
    let Some(average) = total.avg else {
        return (
            format!("{service} answered no requests {}.", words::range(view)),
            "Other events of it may be in Discover.".to_owned(),
        );
    };
    let events = (
        whole(total.count),
        before.map_or(0, |before| whole(before.total.count)),
    );
    let longer = words::longer(
        Some(average),
        before.and_then(|before| before.total.avg),
        events,
        view,
    )
    .unwrap_or_default();
    let answer = format!(
        "Requests to {service} take {} on average{longer}.",
        number::duration(average)
    );
    let first = list
        .transactions
        .iter()
        .max_by(|a, b| a.impact.total_cmp(&b.impact));
    let mut why = match first {
        Some(first) if list.transactions.len() > 1 => format!(
            "{} of its time goes into {}.",
            number::percent(first.impact),
            words::cut(&first.name, 80)
        ),
        _ => format!(
            "{} {}.",
            words::count(whole(total.count), "request", "requests"),
            words::range(view)
        ),
    };
    if let Some(failed) = total.failed_rate.filter(|failed| *failed >= 0.01) {
        why.push_str(&format!(
            " {} of its requests failed.",
            number::percent(failed)
        ));
    }
    (answer, why)
}

/// The facts strip of a service or of one of its transactions.
pub(crate) fn totals(ask: &Ask<'_>, now: &Latency, before: Option<&Latency>) -> Markup {
    facts(&total_facts(ask, now, before))
}

/// The same as a list, for pages that add to it.
pub(crate) fn total_facts(ask: &Ask<'_>, now: &Latency, before: Option<&Latency>) -> Vec<Fact> {
    let against = ask.view.against();
    let events = (
        whole(now.total.count),
        before.map_or(0, |before| whole(before.total.count)),
    );
    let compared = |of: fn(&crate::analytics::latency::Total) -> Option<f64>, rise| {
        cells::delta(
            delta(
                of(&now.total),
                before.and_then(|before| of(&before.total)),
                events,
            ),
            rise,
            &against,
        )
    };
    let figure = |value: Option<number::Figure>| html! { @match value { Some(value) => (value), None => { span.none { "–" } } } };
    vec![
        Fact::with(
            "Average",
            figure(now.total.avg.map(number::duration)),
            compared(|total| total.avg, Rise::Worse),
        ),
        Fact::new("Longest", number::duration(now.total.max as f64)),
        Fact::with(
            "Requests",
            html! { span { (number::rate(now.total.throughput)) span.u { (number::NARROW) "/min" } } },
            compared(|total| Some(total.throughput), Rise::Neutral),
        ),
        Fact::with(
            "Failed",
            figure(now.total.failed_rate.map(number::percent)),
            compared(|total| total.failed_rate, Rise::Worse),
        ),
    ]
}
