//! `/services/{s}/transactions`: what a service does, by name, and where its time goes.

use std::collections::HashMap;

use apm_store::OTHER;
use apm_time::SECOND;
use maud::{Markup, html};

use super::{
    Answer, Context, Rendered, charts, narrowed, service_crumbs, service_tabs, transaction_href,
    whole,
};
use crate::analytics::latency::Latency;
use crate::analytics::series::Axis;
use crate::analytics::transactions::Transaction;
use crate::answers::listing::Sort;
use crate::answers::top::sql_of;
use crate::answers::trace::named;
use crate::answers::transactions::{Answer as Found, Params, Previous};
use crate::insight::callers::Caller;
use crate::ui::budget::each;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::controls::segment;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{panel, split};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{COMPARED, Column, Frame, compared, framed};
use crate::ui::number::{self, Delta, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 8] = [
    Column::text("Transaction").by("name"),
    Column::figure("Avg").by("avg"),
    Column::bare(COMPARED).by("change"),
    Column::figure("p95").by("p95"),
    Column::bare("Requests/min").by("rate"),
    Column::figure("Failed").by("failed"),
    Column::bare("Queries/request").by("sql"),
    Column::figure("Share of time").by("impact"),
];

/// The groups of an earlier window by type and name.
pub(crate) struct Earlier<'a> {
    groups: HashMap<(&'a str, &'a str), &'a Transaction>,
    /// Whether all of that window is known.
    is_covered: bool,
}

impl<'a> Earlier<'a> {
    fn of(previous: &'a Previous) -> Self {
        let groups = previous.transactions.iter();
        Self {
            groups: groups.map(|one| ((&*one.kind, &*one.name), one)).collect(),
            is_covered: previous.is_covered,
        }
    }

    /// The change of the mean duration of a group.
    fn change(&self, now: &Transaction) -> Delta {
        let side = |group: &Transaction| (group.latency_avg, whole(group.count));
        let then = self.groups.get(&(&*now.kind, &*now.name));
        Delta::of_row(side(now), then.map(|then| side(then)), self.is_covered)
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[Crumb::here("Transactions")]);
        let tabs = service_tabs(view, service, "transactions");
        if found.rows.total == 0 {
            let name = words::cut(service, 60);
            let (answer, why) = narrowed::none(
                view,
                &format!("transaction of {name}"),
                &format!("{name} recorded no transactions"),
                "A transaction is one request, job or message that an agent has timed.",
            );
            let body = html! {
                (page_head(&crumbs, answer, why))
                (tabs)
                (super::nothing_here(view, "No transactions"))
            };
            return Answer::Page(with_service(service, body));
        }
        let (answer, why) = headline(view, found);
        let (latency, throughput) = (&found.charts.latency, &found.charts.throughput);
        let before = found
            .previous
            .as_ref()
            .map(|before| &*before.charts.latency);
        let other = found.transactions.iter().any(|group| group.name == OTHER);
        let rows = (found.transactions.as_slice(), found.sql.as_slice());
        let since = uncounted(found.sql_since, latency);
        let earlier = found.previous.as_ref().map(Earlier::of);
        let list = html! {
            (table(view, service, rows, (&found.axis, since), (earlier.as_ref(), Some(found.sort))))
            (since_note(view, since))
            (super::pager(view, &found.rows, "time", other))
        };
        let names = number::grouped(found.rows.total as u64);
        let types = kinds(view, &found.transaction_types, found.kind.as_deref());
        let body = html! {
            (page_head(&crumbs, answer, why))
            (super::scan_note(context, found.scan.as_ref()))
            (tabs)
            (split("split--7-5", &[
                charts::latency(context, "requests", latency, before),
                charts::throughput(context, throughput),
            ]))
            (panel("Transactions", names, types, list))
        };
        Answer::Page(with_service(service, body))
    }
}

fn with_service(service: &str, body: Markup) -> Page {
    Page {
        service: Some(service.to_owned()),
        ..super::page(Section::Services, format!("Transactions · {service}"), body)
    }
}

fn kinds(view: &View, types: &[String], current: Option<&str>) -> Markup {
    let choices = types.iter().map(|kind| {
        let href = view.at_first_row().set("type", kind);
        (kind.as_str(), href, current == Some(kind.as_str()))
    });
    html! {
        @if types.len() > 1 {
            (segment("Transaction type", choices))
        }
    }
}

/// The transactions with most time: one if it has half of it, else the two first.
fn headline(view: &View, found: &Found) -> (String, String) {
    let service = words::cut(&found.service, 60);
    let count = whole(found.charts.latency.total.count);
    let why = format!(
        "{}{} {}, under {}.",
        words::count(count, "transaction", "transactions"),
        narrowed::that_matches(view, count),
        words::range(view),
        words::count(found.rows.total as u64, "name", "names")
    );
    // Shares are of the time that the filter leaves.
    let whose = match narrowed::is_filtered(view) {
        true => format!("the transactions of {service} that match the filter"),
        false => service.clone(),
    };
    let answer = match found.most_time.as_slice() {
        [one] => format!(
            "All time of {whose} goes into {}.",
            words::cut(&one.name, 80)
        ),
        [first, ..] if first.impact >= 0.5 => format!(
            "{} of the time of {whose} goes into {}.",
            percent(first.impact),
            words::cut(&first.name, 80)
        ),
        [first, second, ..] => {
            format!(
                "{} and {} take {} of the time of {whose}.",
                words::cut(&first.name, 60),
                words::cut(&second.name, 60),
                percent(first.impact + second.impact)
            )
        }
        [] => format!("{service} recorded no transactions."),
    };
    (answer, why)
}

/// The table of groups, with what their requests ask of databases. Without `sort` it cannot be sorted.
pub(crate) fn table(
    view: &View,
    service: &str,
    (groups, sql): (&[Transaction], &[Caller]),
    (axis, since): (&Axis, Option<i64>),
    (earlier, sort): (Option<&Earlier<'_>>, Option<Sort>),
) -> Markup {
    let counted = since.is_none_or(|since| since.saturating_mul(SECOND) < view.range.to);
    let widest = groups.iter().map(|group| group.impact).fold(0.0, f64::max);
    let row = |group: &Transaction| {
        let throughput = settled(axis, group.series.throughput.iter().copied().map(Some));
        let change = earlier.map(|earlier| earlier.change(group));
        let is_slower = change.is_some_and(|change| cells::is_worse(change, Rise::Worse));
        let latency = spark(
            &group.series.latency,
            "average latency over time",
            is_slower,
        );
        let rate = spark(&throughput, "requests per minute over time", false);
        let failed = spark(
            &group.series.failed_rate,
            "failed requests over time",
            false,
        );
        html! {
            tr {
                th.grow scope="row" { (link(view, service, group)) }
                (cells::trend(latency, group.latency_avg.map(number::duration)))
                @if let Some(change) = change { (cells::delta_cell(change, Rise::Worse, &view.against())) }
                (cells::duration(group.latency.map(|p| p.p95)))
                (cells::trend_bare(rate, &number::rate(group.throughput)))
                (cells::trend(failed, group.failed_rate.map(percent)))
                (statements(view, sql_of(sql, group), counted))
                (cells::share(Some(group.impact), widest, "fill"))
            }
        }
    };
    let columns = compared(&COLUMNS, earlier.is_some());
    let frame = Frame {
        class: "",
        caption: "Transactions by name",
        name: "transactions",
        columns: &columns,
        sort,
    };
    framed(view, frame, each(groups, row))
}

fn link(view: &View, service: &str, group: &Transaction) -> Markup {
    let href = transaction_href(view, service, &group.kind, &group.name);
    html! { a href=(href) title=(group.name) { (named(&group.name)) } }
}

/// From when on the queries of requests were counted, where there were requests before.
pub(crate) fn uncounted(since: Option<i64>, latency: &Latency) -> Option<i64> {
    let since = since?;
    let buckets = latency.axis.buckets.iter().zip(&latency.count);
    let mut before = buckets.filter(|(bucket, _)| bucket.start + latency.axis.interval <= since);
    before.any(|(_, count)| *count > 0.0).then_some(since)
}

/// The note below a table whose requests were not all counted.
pub(crate) fn since_note(view: &View, since: Option<i64>) -> Markup {
    html! {
        @if let Some(since) = since {
            p.panel-foot {
                "Queries of requests are not counted "
                @if since < i64::MAX / SECOND { "before " (view.clock.minute(since * SECOND)) } @else { "yet" } "."
            }
        }
    }
}

/// Statements in a request, their time, and its share of the request's. A dash where there are none.
fn statements(view: &View, asks: Option<&Caller>, counted: bool) -> Markup {
    let Some(asks) = asks else {
        let none = if counted { "–" } else { "not counted" };
        // Words, and no figure.
        let class = if counted { "num none" } else { "none" };
        return html! { td class=(class) { (none) } };
    };
    let most = words::count(whole(asks.most), "statement", "statements");
    let most = format!("A request with {most}, the most");
    html! {
        td.num {
            a.inline href=(view.to(&["traces", &asks.trace]).set("tab", "sql")) title=(most) {
                (number::rate(asks.calls))
            }
            " · " (number::duration(asks.time))
            @if let Some(share) = asks.share { " · " (percent(share)) }
        }
    }
}

/// The short table of another page: name, latency, rate and share.
pub(crate) fn shares(view: &View, service: &str, groups: &[Transaction]) -> Markup {
    const SHORT: [Column; 5] = [
        Column::text("Transaction"),
        Column::figure("Avg"),
        Column::figure("p95"),
        Column::bare("Req/min"),
        Column::figure("Share of time"),
    ];
    let widest = groups.iter().map(|group| group.impact).fold(0.0, f64::max);
    let rows = html! {
        @for group in groups {
            tr {
                th.grow scope="row" { (link(view, service, group)) }
                (cells::duration(group.latency_avg))
                (cells::duration(group.latency.map(|p| p.p95)))
                (cells::rate(group.throughput))
                (cells::share(Some(group.impact), widest, "fill"))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Transactions by share of time",
        name: "transactions",
        columns: &SHORT,
        sort: None,
    };
    framed(view, frame, rows)
}
