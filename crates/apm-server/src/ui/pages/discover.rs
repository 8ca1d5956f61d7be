//! `/discover`: any event by any field. A query, removable filters, the histogram, fields with their top values, documents, and
//! groups by any field.

mod fields;
mod groups;
pub(crate) mod hits;
mod state;

use apm_store::StoreError;
use maud::{Markup, html};

use super::charts::per;
use super::{Answer, Ask, page, wider};
use crate::analytics::discover::{self, Found, Limits, Request};
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::chart::frame::Measure;
use crate::ui::components::controls::chip;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::header::QueryState;
use crate::ui::components::panel::empty;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;
use state::State;

/// Documents of one page.
const SIZE: usize = 50;
/// Documents whose fields are listed.
const LOOKED_AT: usize = 200;

/// The page.
pub(crate) fn page_of(ask: &mut Ask<'_>) -> Result<Answer, StoreError> {
    let view = ask.view;
    let state = State::of(view);
    let crumbs = [Crumb::here("Discover")];
    let query = match state.query(view) {
        Ok(query) => query,
        Err(error) => {
            let body = html! {
                (page_head(&crumbs, "This filter cannot be read.", &error))
                (chips(view, &state))
                (empty("Nothing was searched", html! { code { (words::cut(&state.text(view), 200)) } }, html! { a.btn.btn--primary href=(view.here().without("q").without("filter")) { "Remove the filter" } }))
            };
            return Ok(Answer::Page(Page {
                fresh: false,
                query: QueryState {
                    error: Some(error.into()),
                },
                ..page(Section::Discover, "Discover", body)
            }));
        }
    };
    let after = view.param("after").and_then(discover::Cursor::parse);
    let request = Request {
        query,
        range: view.range,
        size: LOOKED_AT,
        after,
        limits: Limits::default(),
    };
    let found = discover::search(ask.conn, &request)?;
    let (answer, why) = headline(view, &state, &found);
    let sql = discover::sql(&request);
    let content = if found.total == 0 && found.next.is_none() {
        let remedies = html! { @if state.is_filtered(view) { a.btn.btn--primary href=(view.here().without("q").without("filter")) { "Remove the filter" } } (wider(view)) };
        empty(
            "No documents",
            html! { @if state.is_filtered(view) { "The filter " code { (words::cut(&state.text(view), 200)) } " leaves nothing " (words::range(view)) "." } @else { (words::range(view)) } },
            remedies,
        )
    } else {
        match &state.group {
            Some(field) => groups::panel(view, &discover::group(ask.conn, &request, field)?),
            None => hits::panel(ask, &state, &found)?,
        }
    };
    let view = ask.view;
    let body = html! {
        (page_head(&crumbs, answer, why))
        (chips(view, &state))
        div.cols.cols--fields {
            (fields::aside(view, &state, &found))
            div.stack {
                @if found.total > 0 { section.panel { (histogram(ask, &found, &sql)) } }
                (content)
            }
        }
    };
    Ok(Answer::Page(Page {
        fresh: false,
        ..page(Section::Discover, "Discover", body)
    }))
}

fn headline(view: &View, state: &State, found: &Found) -> (String, String) {
    let least = if found.complete { "" } else { "at least " };
    let count = words::count(found.total, "document", "documents");
    let answer = match state.is_filtered(view) {
        true if found.total == 1 => format!("{least}{count} matches {}.", words::range(view)),
        true => format!("{least}{count} match {}.", words::range(view)),
        false => format!("{least}{count} {}.", words::range(view)),
    };
    let answer = answer.replacen("at least", "At least", 1);
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for hit in &found.hits {
        let kind = super::trace::document::text(&hit.document, "processor.event")
            .unwrap_or_else(|| "log".to_owned());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, n)) => *n += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let spoken: Vec<String> = kinds
        .iter()
        .map(|(kind, n)| words::count(*n as u64, kind, &format!("{kind}s")))
        .collect();
    let spoken: Vec<&str> = spoken.iter().map(String::as_str).collect();
    let mut why = match (found.hits.len(), found.total) {
        (0, _) => {
            "Every event that agents send is a document here, with all of its fields.".to_owned()
        }
        (seen, total) if seen as u64 == total => format!("{}.", words::list(&spoken)),
        (seen, _) => format!(
            "The newest {}: {}.",
            grouped(seen as u64),
            words::list(&spoken)
        ),
    };
    if !found.complete {
        why.push_str(" The search stopped after two seconds; a shorter range is searched whole.");
    }
    (answer, why)
}

fn chips(view: &View, state: &State) -> Markup {
    html! {
        @if !state.filters.is_empty() {
            div.row.wrap { @for (i, filter) in state.filters.iter().enumerate() { (chip(filter, state.without_filter(view, i))) } }
        }
    }
}

fn histogram(ask: &Ask<'_>, found: &Found, sql: &str) -> Markup {
    let values: Vec<f64> = found.histogram.iter().map(|n| *n as f64).collect();
    let layers = [Layer {
        name: "documents",
        class: "bar-out",
        values: &values,
        mean: None,
    }];
    BarChart {
        id: "documents",
        title: "Documents",
        note: &per(&found.axis),
        says: &format!(
            "{} {}.",
            words::count(found.total, "document", "documents"),
            words::range(ask.view)
        ),
        measure: Measure::Count,
        buckets: Buckets::from(&found.axis),
        layers: &layers,
        partial: &partial(&found.axis),
        height: 88,
        sql: (!sql.is_empty()).then_some(sql),
    }
    .render(&ask.view.clock, ask.flags)
}
