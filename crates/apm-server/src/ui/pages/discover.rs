//! `/discover`: any event by any field. A query, removable filters, the histogram, fields with their top values,
//! documents, and groups by any field.

mod fields;
mod groups;
pub(crate) mod hits;
mod state;

use maud::{Markup, html};

use super::charts::per;
use super::{Answer, Context, Rendered, page, wider};
use crate::answers::discover::parts::{Newer, NewerParams, OpenParams, Opened};
use crate::answers::discover::{Answer as Found, Params};
use crate::ui::chart::axis::Measure;
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::components::controls::chip;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::empty;
use crate::ui::components::saved::save;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;
use state::State;

impl Rendered for OpenParams {
    fn render(&self, context: &Context<'_>, found: &Opened) -> Answer {
        let view = context.view;
        let state = State::from_view(view);
        Answer::Fragment(html! {
            table { tbody {
                @match &found.hit {
                    Some(hit) => { (hits::opened(view, &state, hit)) }
                    // The script asks for the whole page then, which has the document.
                    None if found.is_elsewhere => {}
                    None => { tr.detail { td colspan="20" { "This document is no longer stored." } } }
                }
            } }
        })
    }
}

impl Rendered for NewerParams {
    fn render(&self, context: &Context<'_>, found: &Newer) -> Answer {
        Answer::Fragment(hits::newer(context.view, found.newer))
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let state = State::from_view(view);
        let crumbs = [Crumb::here("Discover")];
        let (answer, why) = headline(view, &state, found);
        let content = match &found.groups {
            _ if found.total == 0 && found.next.is_none() => nothing(view, &state, found),
            Some(groups) => groups::panel(view, groups),
            None => hits::panel(view, &state, found),
        };
        let body = html! {
            (page_head(&crumbs, answer, why))
            (chips(view, &state))
            div.row.row--wrap { (metrics(view, found)) span.push {} (save(view, "Discover")) }
            (super::elsewhere_note(&found.elsewhere))
            (super::kept::note(view, found.whole_since))
            div.cols.cols--fields {
                (fields::aside(view, &state, &found.fields))
                div.stack {
                    @if found.total > 0 { section.panel { (histogram(context, found)) } }
                    (content)
                }
            }
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Discover, "Discover", body)
        })
    }
}

/// Without a document: what narrows the search, and the ways out.
fn nothing(view: &View, state: &State, found: &Found) -> Markup {
    let is_filtered = state.is_filtered(view);
    let why = html! {
        @if !found.complete { (words::STOPPED) }
        @else if is_filtered {
            "The filter " code { (words::cut(&state.text(view), 200)) } " matches nothing " (words::range(view)) "."
        } @else { "No document was stored " (words::range(view)) "." }
    };
    empty("No documents", why, wider(view))
}

fn headline(view: &View, state: &State, found: &Found) -> (String, String) {
    let least = if found.complete { "" } else { "at least " };
    let count = words::count(found.total, "document", "documents");
    let answer = match state.is_filtered(view) {
        _ if found.total == 0 && !found.complete => {
            words::none_yet("document", &words::range(view))
        }
        true if found.total == 1 => format!("{least}{count} matches {}.", words::range(view)),
        true => format!("{least}{count} match {}.", words::range(view)),
        false => format!("{least}{count} {}.", words::range(view)),
    };
    let answer = answer.replacen("at least", "At least", 1);
    let kinds = &found.kinds;
    let spoken: Vec<String> = kinds
        .iter()
        .map(|(kind, n)| words::count(*n as u64, kind, &format!("{kind}s")))
        .collect();
    let spoken: Vec<&str> = spoken.iter().map(String::as_str).collect();
    let mut why = match (found.fields.sample, found.total) {
        (0, _) => "Every event that agents send is a document with all of its fields.".to_owned(),
        (seen, total) if seen as u64 == total => format!("{}.", words::list(&spoken)),
        (seen, _) => format!(
            "The newest {}: {}.",
            grouped(seen as u64),
            words::list(&spoken)
        ),
    };
    if !found.complete {
        why.push(' ');
        why.push_str(words::STOPPED);
    }
    (answer, why)
}

fn chips(view: &View, state: &State) -> Markup {
    html! {
        @if !state.filters.is_empty() {
            div.row.wrap {
                @for (i, filter) in state.filters.iter().enumerate() { (chip(filter, state.without_filter(view, i))) }
            }
        }
    }
}

/// Whether metrics are among the documents, and the way to the other choice.
fn metrics(view: &View, found: &Found) -> Markup {
    let plain = view.at_first_row();
    html! {
        @if found.without_metrics {
            p.scan-note { "Metrics are left out. " a href=(plain.set("metrics", "on")) { "Show metrics, too" } }
        } @else if view.param("metrics") == Some("on") {
            p.scan-note { a href=(plain.without("metrics")) { "Leave metrics out" } }
        }
    }
}

fn histogram(context: &Context<'_>, found: &Found) -> Markup {
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
            words::range(context.view)
        ),
        measure: Measure::Count,
        buckets: Buckets::from(&found.axis),
        layers: &layers,
        partial: &partial(&found.axis),
        height: 88,
        sql: &found.histogram.sql,
        file: "histogram",
        zoom: Some(context.view),
    }
    .render(&context.view.clock, context.flags)
}
