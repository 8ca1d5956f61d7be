//! The pages: each a short composition of components over answers from `analytics`.
//!
//! A page is a function of its address and the data. It says what it is about in one sentence, computed from that data.

pub(crate) mod charts;
pub(crate) mod compare;
pub(crate) mod console;
pub(crate) mod dependencies;
pub(crate) mod discover;
pub(crate) mod distribution;
pub(crate) mod error;
pub(crate) mod errors;
pub(crate) mod insights;
pub(crate) mod live;
pub(crate) mod metrics;
pub(crate) mod queries;
pub(crate) mod refused;
pub(crate) mod service;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod suggest;
pub(crate) mod trace;
pub(crate) mod traces;
pub(crate) mod transaction;
pub(crate) mod transactions;

use std::ops::Range;

use apm_store::OTHER;
use diesel::SqliteConnection;
use maud::{Markup, html};

use super::bar::Bar;
use super::chart::flags::Flag;
use super::components::head::Crumb;
use super::components::header::QueryState;
use super::components::panel::empty;
use super::components::shell::{Page, Section};
use super::href::Href;
use super::number;
use super::view::View;
use super::words;
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::minutes;
use crate::analytics::window::Window;

/// What a page function asks with.
pub(crate) struct Ask<'a> {
    pub(crate) conn: &'a mut SqliteConnection,
    pub(crate) view: &'a View,
    pub(crate) window: Window,
    /// The window to compare with, if the reader wants one.
    pub(crate) before: Option<Window>,
    /// Markers that charts over time show.
    pub(crate) flags: &'a [Flag],
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ask")
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn new(conn: &'a mut SqliteConnection, view: &'a View, flags: &'a [Flag]) -> Self {
        let window = view.window();
        let before = view.comparison().map(|comparison| comparison.of(&window));
        // A database that does not answer says so at the page's own question.
        let mut kept = |window: Window| minutes::kept(conn, &window).unwrap_or(window);
        Self {
            window: kept(window),
            before: before.map(kept),
            conn,
            view,
            flags,
        }
    }

    /// Everything in the environment of the address that the query bar leaves.
    pub(crate) fn scope(&self) -> Scope {
        let query = match self.view.bar {
            Bar::List(list) => self.view.asked.on(list).ok().flatten(),
            Bar::Documents | Bar::Elsewhere => None,
        };
        Scope {
            environment: self.view.environment().map(str::to_owned),
            query,
            ..Scope::default()
        }
    }

    /// A scope for another list of the same page; nothing where the query names fields that this list does not have.
    pub(crate) fn beside(&self, scope: &Scope, list: List) -> Option<Scope> {
        let query = self.view.asked.on(list).ok()?;
        Some(Scope {
            query,
            ..scope.clone()
        })
    }

    /// Everything in the environment of the address, whatever the query bar says.
    pub(crate) fn everything(&self) -> Scope {
        Scope {
            query: None,
            ..self.scope()
        }
    }

    /// The same for one service.
    pub(crate) fn service(&self, name: &str) -> Scope {
        Scope {
            service: Some(name.to_owned()),
            ..self.scope()
        }
    }
}

/// How much of a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Page,
    /// The details of an item.
    Details,
    /// Rows of a trace.
    Rows,
}

/// What comes of a page's question.
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
    const TABS: [(&str, &str); 5] = [
        ("", "Overview"),
        ("transactions", "Transactions"),
        ("errors", "Errors"),
        ("dependencies", "Dependencies"),
        ("metrics", "Metrics"),
    ];
    html! {
        nav.tabs aria-label="Service" {
            @for (path, title) in TABS {
                @let href = if path.is_empty() { view.to(&["services", service]) } else { view.to(&["services", service, path]) };
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

/// Links that lead out of an empty page: without what narrows it, or over a longer range.
pub(crate) fn wider(view: &View) -> Markup {
    html! {
        @if view.asked.expr.is_some() { a.btn.btn--primary href=(view.here().without("q")) { "Remove the filter" } }
        @for (from, words) in [("now-1h", "Show last hour"), ("now-24h", "Show last 24 hours"), ("now-7d", "Show last 7 days")] {
            @if view.param("from") != Some(from) { a.btn href=(view.here().set("from", from).without("to")) { (words) } }
        }
        @if let Some(environment) = view.environment() { a.btn href=(view.here().without("env")) { "Show all environments, not only " (environment) } }
    }
}

/// A list without rows: what narrows it, and the ways out.
pub(crate) fn nothing_here(view: &View, what: &str) -> Markup {
    let reason = html! {
        @if view.asked.expr.is_some() { "The filter " code { (words::cut(view.query(), 200)) } " leaves nothing " } @else { "Nothing was stored " }
        (words::range(view)) @if let Some(environment) = view.environment() { " in the environment " b { (environment) } } "."
    };
    empty(what, reason, wider(view))
}

/// Rows of a table that a page shows: more are heavy, and nobody reads them. A file has all.
const ROWS: usize = 200;

/// Which rows of a table of so many the page shows: those of `?page=2`, for example, which begins with 201.
pub(crate) fn shown(view: &View, rows: usize) -> Range<usize> {
    if view.param("csv").is_some() {
        return 0..rows;
    }
    let page: usize = view
        .param("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    // A page beyond the last one, from an old address, is the last one.
    let last = rows.saturating_sub(1) / ROWS;
    let first = page.saturating_sub(1).min(last) * ROWS;
    first..(first + ROWS).min(rows)
}

/// What a table of a list does not show: of `rows` those on other pages, those that the list left out, which have least of `what`, and
/// those that are counted together under one name, where there is one in the list (`other`).
pub(crate) fn beyond(
    view: &View,
    (rows, left_out): (usize, usize),
    what: &str,
    other: bool,
) -> Markup {
    let shown = shown(view, rows);
    let count = |n: usize| number::grouped(n as u64);
    let page = |first: usize| match first / ROWS {
        0 => view.here().without("page"),
        page => view.here().set("page", &(page + 1).to_string()),
    };
    html! {
        @if shown.len() < rows + left_out {
            p.panel-foot {
                @if shown.start == 0 { "The first " (count(shown.end)) } @else { "Rows " (count(shown.start + 1)) " to " (count(shown.end)) }
                " of " (count(rows + left_out)) " are shown"
                @if left_out > 0 { "; listed and sorted are the " (count(rows)) " with most " (what) ", and a filter finds the others" }
                "."
                @if shown.start > 0 { " " a href=(page(shown.start - ROWS)) rel="prev" { "Previous" } }
                @if shown.end < rows { " " a href=(page(shown.end)) rel="next" { "Next" } }
            }
        }
        @if other {
            p.panel-foot { code { (OTHER) } " stands for everything beyond the number of names that are kept apart. " a href="/settings#names" { "Limits and causes" } }
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
