//! `/dependencies/{name}`: one dependency, how long its callers wait, who they are, and what they ask of it.

use maud::{Markup, html};

use super::dependencies::behind;
use super::{Answer, Context, Rendered, charts, narrowed, page, queries, whole};
use crate::analytics::dependencies::Dependency;
use crate::answers::dependency::{Answer as Found, Detail, Params};
use crate::ui::chart::axis::Measure;
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{panel, split};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, Delta};
use crate::ui::view::View;
use crate::ui::words;

/// Rows of each table.
const SHOWN: usize = 100;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, now) = (context.view, &found.now);
        let list = view.to(&["dependencies"]).to_string();
        let crumbs = [
            Crumb::link("Dependencies", list),
            Crumb::here(&*self.dependency),
        ];
        let name = words::cut(&self.dependency, 80);
        let Some(one) = &*now.dependency else {
            let (answer, why) = narrowed::none(
                view,
                &format!("call to {name}"),
                &format!("Nothing called {name}"),
                "It may have been called earlier, by another service, or in another environment.",
            );
            let body = html! {
                (page_head(&crumbs, answer, why))
                (super::nothing_here(view, "No calls"))
            };
            return Answer::Page(page(Section::Dependencies, name, body));
        };
        let average = number::duration(one.latency_avg.unwrap_or_default());
        let callers = words::count(
            (now.callers.len() + now.callers_left_out) as u64,
            "service calls it",
            "services call it",
        );
        let rate = words::per_minute(one.throughput, "time", "times");
        let body = html! {
            (page_head(&crumbs, format!("Calls to {name} take {average} on average."), format!("{callers}, {rate}.")))
            @if !one.services.is_empty() { p { (behind(view, one)) } }
            (totals(context, found, one))
            (split("split--7-5", &[latency(context, now, one), rates(context, now, one)]))
            (panel("Callers", "by share of time", html! {}, self::callers(view, now)))
            @if !now.statements.is_empty() {
                (panel("Statements", "by time", html! {}, statements(view, now)))
            }
        };
        Answer::Page(page(Section::Dependencies, name, body))
    }
}

fn totals(context: &Context<'_>, found: &Found, one: &Dependency) -> Markup {
    let figure = |value: Option<number::Figure>| match value {
        Some(value) => html! { (value) },
        None => html! { span.none { "–" } },
    };
    let against = context.view.against();
    let before = found.before.as_ref();
    let compared = |of: fn(&Dependency) -> Option<f64>, rise| {
        let then = before.and_then(|before| before.dependency.as_ref());
        let side = |one: &Dependency| (of(one), whole(one.count));
        let change =
            before.map(|before| Delta::of_row(side(one), then.map(side), before.is_covered));
        cells::delta(change.unwrap_or(Delta::Unknown), rise, &against)
    };
    let mut list = vec![Fact::with(
        "Average",
        figure(one.latency_avg.map(number::duration)),
        compared(|one| one.latency_avg, Rise::Worse),
    )];
    if let Some(latency) = one.latency {
        // Not compared: it changes with the mix of what is asked.
        list.push(Fact::new("p95", number::duration(latency.p95)));
    }
    list.push(Fact::new(
        "Longest",
        number::duration(one.latency_max as f64),
    ));
    list.push(Fact::with(
        "Calls",
        html! { span { (number::rate(one.throughput)) span.u { (number::NARROW) "/min" } } },
        compared(|one| Some(one.throughput), Rise::Neutral),
    ));
    list.push(Fact::with(
        "Failed",
        figure(one.failed_rate.map(number::percent)),
        compared(|one| one.failed_rate, Rise::Worse),
    ));
    facts(&list)
}

fn latency(context: &Context<'_>, now: &Detail, one: &Dependency) -> Markup {
    let is_log = charts::is_log(context.view);
    LineChart {
        id: "latency",
        title: "Duration",
        note: &charts::per(&now.axis),
        says: "Average duration of calls over time.",
        measure: Measure::Duration,
        buckets: Buckets::from(&now.axis),
        lines: &[Line {
            name: "avg",
            class: "lat-avg",
            values: &one.series.latency,
            sparse: false,
        }],
        is_reported: false,
        counts: &[],
        counts_name: "calls",
        height: charts::TALL,
        sql: &now.dependency.sql,
        file: "series",
    }
    .render_with(
        &context.view.clock,
        context.flags,
        html! { div.row.push { (charts::scale(context.view, is_log)) } },
        is_log,
    )
}

fn rates(context: &Context<'_>, now: &Detail, one: &Dependency) -> Markup {
    let layers = [Layer {
        name: "calls",
        class: "r-2xx",
        values: &one.series.throughput,
        mean: None,
    }];
    BarChart {
        id: "calls",
        title: "Calls/min",
        note: "",
        says: "Calls per minute over time.",
        measure: Measure::Rate,
        buckets: Buckets::from(&now.axis),
        layers: &layers,
        partial: &partial(&now.axis),
        height: charts::TALL,
        sql: &now.dependency.sql,
        file: "series",
        zoom: None,
    }
    .render(&context.view.clock, context.flags)
}

fn callers(view: &View, now: &Detail) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Service"),
        Column::figure("Avg"),
        Column::figure("p95"),
        Column::bare("Calls/min"),
        Column::figure("Failed"),
        Column::figure("Share of time"),
    ];
    let shown = &now.callers[..now.callers.len().min(SHOWN)];
    let widest = shown.iter().map(|one| one.impact).fold(0.0, f64::max);
    let rows = html! {
        @for one in shown {
            tr {
                th.grow scope="row" {
                    a href=(view.to(&["services", &one.service, "dependencies"])) title=(one.service) { (one.service) }
                }
                (cells::duration(one.latency_avg))
                (cells::duration(one.latency.map(|p| p.p95)))
                (cells::rate(one.throughput))
                (cells::percent(one.failed_rate))
                (cells::share(Some(one.impact), widest, "fill"))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Callers",
        name: "dependencies",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, rows))
        (super::beyond(now.callers.len() - shown.len() + now.callers_left_out, "caller", "callers"))
    }
}

fn statements(view: &View, now: &Detail) -> Markup {
    let shown = &now.statements[..now.statements.len().min(SHOWN)];
    html! {
        (queries::short_table(view, "Statements of its callers", shown, true))
        (super::beyond(now.statements.len() - shown.len() + now.statements_left_out, "statement", "statements"))
    }
}
