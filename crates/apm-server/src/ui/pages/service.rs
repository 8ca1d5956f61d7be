//! `/services/{s}`: one service at a glance.

use maud::{Markup, html};

use super::{
    Answer, Context, Rendered, charts, dependencies, errors, narrowed, page, queries,
    service_crumbs, service_tabs, transactions, whole,
};
use crate::analytics::change::Change;
use crate::analytics::dependencies::Dependency;
use crate::analytics::latency::Latency;
use crate::analytics::statements::Statement;
use crate::answers::service::{Answer as Found, Params};
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::head::{Fact, facts, page_head};
use crate::ui::components::panel::{panel, split};
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::{self, Delta, delta};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[]);
        let (answer, why) = headline(view, found);
        let before = found.previous.as_ref();
        let (latency, throughput) = (&found.charts.latency, &found.charts.throughput);
        let then = before.map(|before| &*before.latency);
        let has_requests = latency.total.count > 0.0;
        let all = ["services", service, "errors"];
        let failing = found.errors.as_deref().zip(found.errors_total);
        let failing = errors::short_list(view, failing, &view.to(&all));
        let body = html! {
            (page_head(&crumbs, answer, why))
            (super::scan_note(context, found.scan.as_ref()))
            (service_tabs(view, service, ""))
            (totals(context, found))
            @if has_requests {
                (split("split--7-5", &[
                    charts::latency(context, "requests", latency, then),
                    charts::throughput(context, throughput),
                ]))
                (groups(view, found))
            } @else {
                (super::nothing_here(view, "No requests"))
            }
            div.cols.cols--5-7 {
                (failing)
                @if has_requests {
                    section.panel { (charts::failed(context, latency, then)) }
                }
            }
            @if let Some(called) = found.dependencies.as_deref().filter(|called| !called.is_empty()) {
                (dependencies(view, found, called))
            }
            @if let Some(run) = found.statements.as_deref().filter(|run| !run.is_empty()) {
                (statements(view, found, run))
            }
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, service, body)
        })
    }
}

/// The transaction groups with most time.
fn groups(view: &View, found: &Found) -> Markup {
    let all = words::all(found.transactions_total as u64, "transactions");
    let link = view.to(&["services", &found.service, "transactions"]);
    let since = transactions::uncounted(found.sql_since, &found.charts.latency);
    let rows = transactions::table(
        view,
        &found.service,
        (&found.transactions, &found.sql),
        (&found.axis, since),
        (None, None),
    );
    let rows = html! { (rows) (transactions::since_note(view, since)) };
    panel(
        "Transactions",
        "by share of time",
        html! { a href=(link) { (all) } },
        rows,
    )
}

/// The dependencies with most time.
fn dependencies(view: &View, found: &Found, called: &[Dependency]) -> Markup {
    let link = view.to(&["services", &found.service, "dependencies"]);
    let rows = dependencies::table(view, called, &found.axis, None, None);
    panel(
        "Dependencies",
        "by share of time",
        html! { a href=(link) { "All dependencies" } },
        rows,
    )
}

/// The statements with most time.
fn statements(view: &View, found: &Found, run: &[Statement]) -> Markup {
    let all = words::all(found.statements_total.unwrap_or(0) as u64, "statements");
    let link = view.to(&["queries"]).set("service", &found.service);
    panel(
        "Statements",
        "by share of time",
        html! { a href=(link) { (all) } },
        queries::short_table(view, "Statements by share of time", run, false),
    )
}

fn headline(view: &View, found: &Found) -> (String, String) {
    let (service, total) = (words::cut(&found.service, 60), &found.charts.latency.total);
    let Some(average) = total.avg else {
        return narrowed::none(
            view,
            &format!("request to {service}"),
            &format!("{service} answered no requests"),
            "Look in Discover for its other events.",
        );
    };
    let change = found.change.as_ref();
    let ratio = change.and_then(Change::ratio);
    let compared = Delta::from_change(change);
    let longer = words::longer(compared, ratio, view).unwrap_or_default();
    let answer = format!(
        "Requests to {service}{} take {} on average{longer}.",
        narrowed::that_match(view),
        number::duration(average)
    );
    let mut why = match found.transactions.first() {
        Some(first) if found.transactions_total > 1 => format!(
            "{} of {} time goes into {}.",
            number::percent(first.impact),
            match narrowed::is_filtered(view) {
                true => "their",
                false => "its",
            },
            words::cut(&first.name, 80)
        ),
        _ => format!(
            "{}{} {}.",
            words::count(whole(total.count), "request", "requests"),
            narrowed::that_matches(view, whole(total.count)),
            words::range(view)
        ),
    };
    if let Some(failed) = total.failed_rate.filter(|failed| *failed >= 0.01) {
        why.push_str(&format!(
            " {} of {} failed.",
            number::percent(failed),
            match narrowed::is_filtered(view) {
                true => "them",
                false => "its requests",
            }
        ));
    }
    if let Some(reason) = words::uncompared(compared, view) {
        why.push_str(&format!(" {reason}"));
    }
    (answer, why)
}

/// The facts strip of a service, with what fires and what was found about it.
fn totals(context: &Context<'_>, found: &Found) -> Markup {
    let before = found.previous.as_ref().map(|before| &*before.latency);
    let now = &found.charts.latency;
    let mut list = match now.total.count > 0.0 {
        true => total_facts(context, now, before, found.change.as_ref()),
        false => Vec::new(),
    };
    let counts = [
        ("Alerts", "alerts", found.alerts),
        ("Insights", "insights", found.insights),
    ];
    for (label, page, count) in counts.into_iter().filter(|(.., count)| *count > 0) {
        let href = context.view.to(&[page]).set("service", &found.service);
        list.push(Fact::new(
            label,
            html! { a href=(href) { (number::grouped(count)) } },
        ));
    }
    html! { @if !list.is_empty() { (facts(&list)) } }
}

/// The numbers of requests as a list: the page of a transaction adds others.
pub(crate) fn total_facts(
    context: &Context<'_>,
    now: &Latency,
    before: Option<&Latency>,
    change: Option<&Change>,
) -> Vec<Fact> {
    let against = context.view.against();
    let events = (
        whole(now.total.count),
        before.map_or(0, |before| whole(before.total.count)),
    );
    let compared = |of: fn(&crate::analytics::latency::Total) -> Option<f64>, rise| {
        let then = before.and_then(|before| of(&before.total));
        let compared = delta(of(&now.total), then, events).where_covered(change);
        cells::delta(compared, rise, &against)
    };
    let figure = |value: Option<number::Figure>| {
        html! { @match value { Some(value) => (value), None => { span.none { "–" } } } }
    };
    vec![
        Fact::with(
            "Average",
            figure(now.total.avg.map(number::duration)),
            cells::delta(Delta::from_change(change), Rise::Worse, &against),
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
