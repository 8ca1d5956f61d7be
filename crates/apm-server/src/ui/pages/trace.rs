//! `/traces/{id}`: one trace, whole, across services; and the panel of a trace that the page of a transaction shows too.

pub(crate) mod details;
pub(crate) mod document;
mod headline;
pub(crate) mod metadata;
pub(crate) mod panel;
mod rows;
mod statements;
mod statistics;

use std::collections::HashSet;

use apm_store::StoreError;
use maud::html;

use super::{Answer, Ask, Part, page};
use crate::analytics::trace::Trace;
use crate::analytics::trace::read;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::empty;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::{self, duration};
use crate::ui::view::View;
use crate::ui::words;
use panel::Panel;

/// The page.
pub(crate) fn one(ask: &mut Ask<'_>, id: &str, part: Part) -> Result<Answer, StoreError> {
    let Some(trace) = read::pasted(ask.conn, id)? else {
        return Ok(Answer::Missing(missing(ask.view, id)));
    };
    let id = trace.id.as_str();
    let panel = Panel {
        trace: &trace,
        current: None,
    };
    match part {
        Part::Details => return Ok(Answer::Fragment(panel.details(ask)?)),
        Part::Rows => return Ok(Answer::Fragment(panel.rows(ask.view))),
        Part::Page => {}
    }
    let said = headline::of(&trace);
    let crumbs = [
        Crumb::link("Traces", ask.view.to(&["traces"]).to_string()),
        Crumb::here(id.get(..8).unwrap_or(id)),
    ];
    let title = trace
        .items
        .first()
        .map_or_else(|| id.to_owned(), |entry| entry.what.name.to_string());
    let body = html! {
        (page_head(&crumbs, &said.answer, &said.why))
        (totals(ask.view, &trace))
        section.panel aria-label="Trace" { (panel.render(ask)?) }
    };
    Ok(Answer::Page(Page {
        fresh: false,
        ..page(Section::Traces, title, body)
    }))
}

fn missing(view: &View, id: &str) -> Page {
    let crumbs = [
        Crumb::link("Traces", view.to(&["traces"]).to_string()),
        Crumb::here("not found"),
    ];
    let body = html! {
        (page_head(&crumbs, "This trace is not stored.", "It was never sent, has not arrived yet, or retention has removed it."))
        (empty("No such trace", html! { "Nothing is stored under the trace id " code { (words::cut(id, 64)) } "." }, html! { a.btn href=(view.to(&["traces"])) { "Recent traces" } }))
    };
    Page {
        fresh: false,
        ..page(Section::Traces, "Trace not found", body)
    }
}

/// The services of a trace, by name.
fn services(trace: &Trace) -> Vec<&str> {
    let mut found: HashSet<&str> = HashSet::new();
    // Neighbours are often of one service.
    for item in trace.items.chunk_by(|a, b| a.what.number == b.what.number) {
        found.insert(&item[0].what.service);
    }
    let mut services: Vec<&str> = found.into_iter().collect();
    services.sort_unstable();
    services
}

fn totals(view: &View, trace: &Trace) -> maud::Markup {
    let services = services(trace);
    let first: Vec<&str> = services.iter().take(10).copied().collect();
    let (statements, time) = statements::total(trace);
    let spans: i64 = trace.items.iter().map(rows::weight).sum();
    let mut list = vec![
        Fact::new("Duration", duration(trace.duration as f64)),
        Fact::with(
            "Started",
            view.clock.second(trace.start),
            dim(view.clock.ago(trace.start)),
        ),
        Fact::new("Items", number::grouped(spans.unsigned_abs())),
        Fact::with(
            "Services",
            services.len(),
            dim(words::cut(&first.join(", "), 60)),
        ),
    ];
    if statements > 0 {
        list.push(Fact::with(
            "SQL statements",
            number::grouped(statements),
            dim(duration(time as f64).to_string()),
        ));
    }
    list.push(Fact::new(
        "Errors",
        number::grouped(trace.errors.len() as u64),
    ));
    facts(&list)
}
