//! `/services/{s}/transactions`: what a service does, by name, and where its time goes.

use std::ops::Range;

use apm_store::OTHER;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, charts, service_crumbs, service_tabs, transaction_href, whole};
use crate::analytics::transactions::{self, Transaction, Transactions};
use crate::analytics::{Scope, latency, throughput};
use crate::insight::callers::{self, Caller, Of};
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells;
use crate::ui::components::controls::segment;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{panel, split};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::number::{self, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 7] = [
    Column::text("Transaction", "name"),
    Column::figure("Avg", "avg"),
    Column::figure("p95", "p95"),
    Column::bare("Requests/min", "rate"),
    Column::figure("Failed", "failed"),
    Column::bare("SQL/request", "sql"),
    Column::figure("Share of time", "impact"),
];

/// The page. `type` chooses the kind of transaction; without it, the one with most of them.
pub(crate) fn page(ask: &mut Ask<'_>, service: &str) -> QueryResult<Answer> {
    let all = ask.service(service);
    let types = transactions::types(ask.conn, &all, &ask.window)?;
    let kind = ask
        .view
        .param("type")
        .map(str::to_owned)
        .or_else(|| types.first().cloned());
    let scope = Scope {
        transaction_type: kind.clone(),
        ..all
    };
    let list = transactions::list(ask.conn, &scope, &ask.window)?;
    let crumbs = service_crumbs(ask.view, service, &[Crumb::here("Transactions")]);
    let tabs = service_tabs(ask.view, service, "transactions");
    if list.transactions.is_empty() {
        let head = page_head(
            &crumbs,
            format!(
                "{service} recorded no transactions {}.",
                words::range(ask.view)
            ),
            "A transaction is one request, job or message that an agent has timed.",
        );
        let body = html! { (head) (tabs) (super::nothing_here(ask.view, "No transactions")) };
        return Ok(Answer::Page(with_service(service, body)));
    }
    let now = latency::chart(ask.conn, &scope, &ask.window)?;
    let before = ask
        .before
        .as_ref()
        .map(|window| latency::chart(ask.conn, &scope, window))
        .transpose()?;
    let results = throughput::chart(ask.conn, &scope, &ask.window)?;
    let (latency_sql, throughput_sql) = (
        latency::sql(&scope, &ask.window).shell(),
        throughput::sql(&scope, &ask.window).shell(),
    );
    let sql = callers::list(ask.conn, &scope, Of::All, &ask.window)?;
    let (answer, why) = headline(ask.view, service, &list, now.total.count);
    let names = list.transactions.len() + list.left_out;
    let table = html! {
        (rows(ask.view, service, &list, &sql, super::shown(ask.view, list.transactions.len())))
        (super::beyond(ask.view, (list.transactions.len(), list.left_out), "time", list.transactions.iter().any(|group| group.name == OTHER)))
    };
    let body = html! {
        (page_head(&crumbs, answer, why))
        (tabs)
        (split("split--7-5", &[charts::latency(ask, "requests", &now, before.as_ref(), Some(&latency_sql)), charts::throughput(ask, &results, Some(&throughput_sql))]))
        (panel("Transactions", number::grouped(names as u64), kinds(ask.view, &types, kind.as_deref()), table))
    };
    Ok(Answer::Page(with_service(service, body)))
}

fn with_service(service: &str, body: Markup) -> crate::ui::components::shell::Page {
    crate::ui::components::shell::Page {
        service: Some(service.to_owned()),
        ..super::page(Section::Services, format!("Transactions · {service}"), body)
    }
}

fn kinds(view: &View, types: &[String], current: Option<&str>) -> Markup {
    html! {
        @if types.len() > 1 {
            (segment("Transaction type", types.iter().map(|kind| (kind.as_str(), view.here().set("type", kind), current == Some(kind.as_str())))))
        }
    }
}

/// Where the time goes: one transaction if it has half of it, else the two first.
fn headline(view: &View, service: &str, list: &Transactions, count: f64) -> (String, String) {
    let mut by_time: Vec<&Transaction> = list.transactions.iter().collect();
    by_time.sort_by(|a, b| b.impact.total_cmp(&a.impact));
    let why = format!(
        "{} {}, under {}.",
        words::count(whole(count), "transaction", "transactions"),
        words::range(view),
        words::count(
            (list.transactions.len() + list.left_out) as u64,
            "name",
            "names"
        )
    );
    let answer = match by_time.as_slice() {
        [one] => format!(
            "All time of {service} goes into {}.",
            words::cut(&one.name, 80)
        ),
        [first, ..] if first.impact >= 0.5 => format!(
            "{} of the time of {service} goes into {}.",
            percent(first.impact),
            words::cut(&first.name, 80)
        ),
        [first, second, ..] => {
            format!(
                "{} and {} take {} of the time of {service}.",
                words::cut(&first.name, 60),
                words::cut(&second.name, 60),
                percent(first.impact + second.impact)
            )
        }
        [] => format!("{service} recorded no transactions."),
    };
    (answer, why)
}

/// The full table, or the rows of it that are `shown`; `sql`: what their requests ask of databases.
pub(crate) fn rows(
    view: &View,
    service: &str,
    list: &Transactions,
    sql: &[Caller],
    shown: Range<usize>,
) -> Markup {
    let sort = Sort::of(view, &COLUMNS, "-impact");
    let mut groups: Vec<&Transaction> = list.transactions.iter().collect();
    let asks = |group: &Transaction| {
        let mut own = sql
            .iter()
            .filter(|caller| caller.kind == group.kind && caller.transaction == group.name);
        own.next().filter(|caller| caller.calls > 0.0)
    };
    let time = |group: &Transaction| asks(group).map(|caller| caller.time);
    groups.sort_by(|a, b| match sort.key {
        "name" => sort.compare_text(&a.name, &b.name),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "p95" => sort.compare(a.latency.map(|p| p.p95), b.latency.map(|p| p.p95)),
        "rate" => sort.compare(Some(a.throughput), Some(b.throughput)),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        "sql" => sort.compare(time(a), time(b)),
        _ => sort.compare(Some(a.impact), Some(b.impact)),
    });
    let widest = groups.iter().map(|group| group.impact).fold(0.0, f64::max);
    let row = |group: &Transaction| {
        let throughput = settled(
            &list.axis,
            group.series.throughput.iter().copied().map(Some),
        );
        html! {
            tr {
                th.grow scope="row" { a href=(transaction_href(view, service, &group.kind, &group.name)) title=(group.name) { (named(&group.name)) } }
                (cells::trend(spark(&group.series.latency, "average latency over time", false), group.latency_avg.map(number::duration)))
                (cells::duration(group.latency.map(|p| p.p95)))
                (cells::trend_bare(spark(&throughput, "requests per minute over time", false), &number::rate(group.throughput)))
                (cells::trend(spark(&group.series.failed_rate, "failed requests over time", false), group.failed_rate.map(percent)))
                (statements(view, asks(group)))
                (cells::share(Some(group.impact), widest, "fill"))
            }
        }
    };
    table(
        view,
        "",
        "Transactions by name",
        &COLUMNS,
        &sort,
        html! { @for group in &groups[shown] { (row(group)) } },
    )
}

/// Statements in a request, their time, and its share of the request's.
fn statements(view: &View, asks: Option<&Caller>) -> Markup {
    let Some(asks) = asks else {
        return html! { td.num.none { "–" } };
    };
    let most = format!("A request with {:.0} statements, the most", asks.most);
    html! {
        td.num {
            a.inline href=(view.to(&["traces", &asks.trace]).set("tab", "sql")) title=(most) { (number::rate(asks.calls)) }
            " · " (number::duration(asks.time))
            @if let Some(share) = asks.share { " · " (percent(share)) }
        }
    }
}

/// The short table of another page: name, latency, rate and share.
pub(crate) fn shares(view: &View, service: &str, list: &Transactions, most: usize) -> Markup {
    const SHORT: [Column; 5] = [
        Column::text("Transaction", "").fixed(),
        Column::figure("Avg", "").fixed(),
        Column::figure("p95", "").fixed(),
        Column::bare("Req/min", "").fixed(),
        Column::figure("Share of time", "").fixed(),
    ];
    let mut groups: Vec<&Transaction> = list.transactions.iter().collect();
    groups.sort_by(|a, b| b.impact.total_cmp(&a.impact));
    let widest = groups.first().map_or(0.0, |group| group.impact);
    let sort = Sort {
        key: "",
        descending: true,
    };
    let rows = html! {
        @for group in groups.iter().take(most) {
            tr {
                th.grow scope="row" { a href=(transaction_href(view, service, &group.kind, &group.name)) title=(group.name) { (named(&group.name)) } }
                (cells::duration(group.latency_avg))
                (cells::duration(group.latency.map(|p| p.p95)))
                (cells::rate(group.throughput))
                (cells::share(Some(group.impact), widest, "fill"))
            }
        }
    };
    table(
        view,
        "",
        "Transactions by share of time",
        &SHORT,
        &sort,
        rows,
    )
}

/// A name that was sent empty still needs words to be a link.
pub(crate) fn named(name: &str) -> &str {
    if name.is_empty() { "(no name)" } else { name }
}
