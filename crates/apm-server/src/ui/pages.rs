//! The pages: each a short composition of components over answers from `analytics`.
//!
//! A page is a function of its address and the data. It says what it is about in one sentence, computed from that data.

pub(crate) mod alerts;
pub(crate) mod charts;
pub(crate) mod compare;
pub(crate) mod compare_traces;
pub(crate) mod console;
pub(crate) mod correlations;
pub(crate) mod dashboard;
pub(crate) mod dependencies;
pub(crate) mod dependency;
pub(crate) mod discover;
pub(crate) mod distribution;
pub(crate) mod error;
pub(crate) mod errors;
pub(crate) mod insights;
pub(crate) mod instances;
pub(crate) mod kept;
pub(crate) mod live;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod narrowed;
pub(crate) mod queries;
pub(crate) mod refused;
pub(crate) mod service;
pub(crate) mod service_map;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod slos;
pub(crate) mod suggest;
pub(crate) mod trace;
pub(crate) mod traces;
pub(crate) mod transaction;
pub(crate) mod transactions;
pub(crate) mod versions;
pub(crate) mod vitals;

use apm_store::OTHER;
use maud::{Markup, html};

use super::chart::flags::Flag;
use super::components::choose;
use super::components::head::Crumb;
use super::components::header::QueryState;
use super::components::panel::empty;
use super::components::shell::{Page, Section};
use super::href::Href;
use super::number;
use super::view::View;
use super::words;
use crate::answers::elsewhere::Elsewhere;
use crate::answers::listing::{MOST, Rows};
use crate::answers::matching::Scan;
use crate::answers::{Problem, Question};

/// The surroundings of a page that is rendered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) view: &'a View,
    /// Markers that charts over time show.
    pub(crate) flags: &'a [Flag],
    /// The part of the page that is asked for.
    pub(crate) part: Part,
    /// Whether other servers share the engine. Their events are not stored here.
    pub(crate) has_others: bool,
}

/// A question whose answer is shown as a page.
pub(crate) trait Rendered: Question {
    /// The page of an answer.
    fn render(&self, context: &Context<'_>, answer: &Self::Answer) -> Answer;

    /// The page that says that there is no such thing.
    fn missing(context: &Context<'_>, problem: &Problem) -> Page {
        refused::missing(context.view, problem)
    }
}

/// The parts of a page that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Page,
    /// The details of an item.
    Details,
    /// Rows of a trace.
    Rows,
}

/// The result of rendering.
#[derive(Debug)]
pub(crate) enum Answer {
    Page(Page),
    /// A part of a page, for a script that asked for no more.
    Fragment(Markup),
    /// There is no such thing: a page that says so, with status 404.
    Missing(Page),
}

/// A page that refreshes itself, titled by its last crumb.
pub(crate) fn page(section: Section, title: impl Into<String>, body: Markup) -> Page {
    Page {
        title: title.into(),
        section,
        service: None,
        query: QueryState::default(),
        body,
        fresh: true,
    }
}

/// `Services / name / …`.
pub(crate) fn service_crumbs(view: &View, service: &str, rest: &[Crumb]) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb::link("Services", view.to(&["services"]).to_string())];
    if rest.is_empty() {
        crumbs.push(Crumb::here(service));
    } else {
        crumbs.push(Crumb::link(
            service,
            view.to(&["services", service]).to_string(),
        ));
        crumbs.extend_from_slice(rest);
    }
    crumbs
}

/// The views of one service, as tabs.
pub(crate) fn service_tabs(view: &View, service: &str, current: &str) -> Markup {
    const TABS: [(&str, &str); 9] = [
        ("", "Overview"),
        ("transactions", "Transactions"),
        ("errors", "Errors"),
        ("dependencies", "Dependencies"),
        ("map", "Map"),
        ("logs", "Logs"),
        ("metrics", "Metrics"),
        ("instances", "Instances"),
        ("versions", "Versions"),
    ];
    html! {
        nav.tabs aria-label="Service" {
            @for (path, title) in TABS {
                @let place = view.to(&["services", service]);
                @let href = if path.is_empty() { place } else { view.to(&["services", service, path]) };
                a href=(href) aria-current=[(path == current).then_some("page")] { (title) }
            }
        }
    }
}

/// The page of one transaction group.
pub(crate) fn transaction_href(view: &View, service: &str, kind: &str, name: &str) -> Href {
    view.to(&["services", service, "transactions", "view"])
        .set("type", kind)
        .set("name", name)
}

/// The link to the same page without its query, and in Discover without the filters that were added to it.
pub(crate) fn remove_filter(view: &View) -> Markup {
    let plain = view.at_first_row().without("q").without("filter");
    html! { a.btn.btn--primary href=(plain) { "Remove the filter" } }
}

/// Links that lead out of an empty page: without what narrows it, or over a longer range.
pub(crate) fn wider(view: &View) -> Markup {
    html! {
        @if view.param("search").is_some() {
            a.btn.btn--primary href=(view.at_first_row().without("search")) { "Clear the search" }
        }
        @if view.asked.expr.is_some() || view.param("filter").is_some() {
            (remove_filter(view))
        }
        @let longer = [("now-1h", "Show last hour"), ("now-24h", "Show last 24 hours"), ("now-7d", "Show last 7 days")];
        @for (from, words) in longer {
            @if view.param("from") != Some(from) {
                a.btn href=(view.at_first_row().set("from", from).without("to")) { (words) }
            }
        }
        @if !view.is_of_service() && let Some(services) = choose::narrowed(view) {
            a.btn href=(view.with_service(None)) { "Show all services, not only " (services) }
        }
        @if !view.environments.is_all() {
            a.btn href=(view.at_first_row().without("env").without("not_env")) {
                "Show all environments, not only " (choose::words(choose::ENVIRONMENTS, &view.environments))
            }
        }
    }
}

/// A list without rows: what narrows it, and the ways out.
pub(crate) fn nothing_here(view: &View, what: &str) -> Markup {
    let reason = html! {
        @if let Some(search) = view.param("search") {
            "No row has the text " code { (words::cut(search, 60)) } " "
        } @else if view.asked.expr.is_some() {
            "The filter "
            code { (words::cut(view.query(), 200)) } " matches nothing "
        } @else {
            "None were stored "
        }
        (words::range(view))
        @if !view.is_of_service() && let Some(services) = choose::narrowed(view) { " for " b { (services) } }
        @if let Some(environment) = view.environment() { " in the environment " b { (environment) } } "."
    };
    empty(what, reason, wider(view))
}

/// Tells which events of an answer came from the engine, or are missing; nothing where everything is stored here.
pub(crate) fn elsewhere_note(elsewhere: &Elsewhere) -> Markup {
    html! { @if let Some(words) = elsewhere.words() { p.note-box.pad-note role="status" { (words) } } }
}

/// Says from when on instances of all servers are counted, where that is not all of a range. `since`: seconds.
pub(crate) fn counted_since(view: &View, since: Option<i64>) -> Markup {
    html! {
        @if let Some(since) = since {
            p.note-box.pad-note role="status" {
                "Instances of all servers are counted since " (view.clock.minute(since * apm_time::SECOND)) "."
            }
        }
    }
}

/// The requests that a page was counted from one by one, if it was.
pub(crate) fn scan_note(context: &Context<'_>, scan: Option<&Scan>) -> Markup {
    let view = context.view;
    html! {
        @if let Some(scan) = scan {
            p.scan-note {
                "Counted from " (words::count(scan.requests, "request", "requests")) " that "
                @if scan.requests == 1 { "matches" } @else { "match" } " the filter, one by one: "
                @if let Some(since) = scan.whole_since {
                    "an estimate. Before " (view.clock.second(since * apm_time::SECOND))
                    ", only kept traces and samples are stored."
                } @else if scan.complete {
                    "exact."
                } @else {
                    "exact from " (view.clock.minute(scan.from * apm_time::SECOND))
                    " on. The search stopped there: choose a shorter range or filter more."
                }
                @if context.has_others { " Requests that other servers got are not among them." }
                " Statements, errors and dependencies are not known for single requests."
                @if view.comparison().is_some() && !scan.compared {
                    " The earlier window has too many events to search."
                }
            }
        }
    }
}

/// The foot of a list: the rows that are shown, and the ways to the others. The list ranks rows by `what`; `other`:
/// whether it has a row that stands for many names.
pub(crate) fn pager(view: &View, rows: &Rows, what: &str, other: bool) -> Markup {
    let count = |n: usize| number::grouped(n as u64);
    let page = |page: usize| match page {
        1 => view.here().without("page"),
        page => view.here().set("page", &page.to_string()),
    };
    let end = rows.first + rows.shown;
    // Sorting is within a thousand rows: those with most of `what`, or the next.
    let first = rows.first / MOST * MOST;
    let last = (first + MOST).min(rows.total);
    html! {
        @if rows.shown < rows.total {
            p.panel-foot {
                @match (rows.first, rows.shown) {
                    (0, 1) => { "The first of " (count(rows.total)) " is shown" }
                    (0, _) => { "The first " (count(end)) " of " (count(rows.total)) " are shown" }
                    (_, 1) => { "Row " (count(end)) " of " (count(rows.total)) " is shown" }
                    _ => {
                        "Rows " (count(rows.first + 1)) " to " (count(end)) " of " (count(rows.total)) " are shown"
                    }
                }
                @if !rows.sorted_whole && first == 0 { "; only the " (count(last)) " with most " (what) " are sorted" }
                @if !rows.sorted_whole && first > 0 {
                    "; only those ranked " (count(first + 1)) " to " (count(last)) " by " (what) " are sorted"
                }
                "."
                @if rows.page > 1 { " " a href=(page(rows.page - 1)) rel="prev" { "Previous" } }
                @if let Some(next) = rows.next_page { " " a href=(page(next)) rel="next" { "Next" } }
            }
        }
        @if other {
            p.panel-foot {
                code { (OTHER) } " stands for all names beyond the limit. "
                a href="/settings#names" { "Limits and causes" }
            }
        }
    }
}

/// Says how many rows of a table by time are not shown.
pub(crate) fn beyond(more: usize, one: &str, many: &str) -> Markup {
    let (noun, verb) = if more == 1 {
        (one, "is")
    } else {
        (many, "are")
    };
    html! {
        @if more > 0 {
            p.panel-foot { (number::grouped(more as u64)) " more " (noun) " with less time " (verb) " not shown." }
        }
    }
}

/// A weighted count as people read it.
pub(crate) fn whole(count: f64) -> u64 {
    if count.is_finite() && count > 0.0 {
        count.round() as u64
    } else {
        0
    }
}
