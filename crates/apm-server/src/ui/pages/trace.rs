//! `/traces/{id}`: one trace, whole, across services; and the panel of a trace that the page of a transaction shows
//! too.

pub(crate) mod details;
pub(crate) mod document;
mod flame;
pub(crate) mod headline;
pub(crate) mod metadata;
pub(crate) mod panel;
mod rows;
mod statements;
mod statistics;

use std::collections::HashSet;

use maud::{Markup, html};

use super::{Answer, Context, Part, Rendered, page};
use crate::analytics::trace::Trace;
use crate::answers::Problem;
use crate::answers::trace::statements::total;
use crate::answers::trace::weights::weight;
use crate::answers::trace::{Answer as Found, Params};
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::empty;
use crate::ui::components::shell::{Page, Section};
use crate::ui::href::Href;
use crate::ui::number::{self, duration};
use crate::ui::view::{View, quoted};
use crate::ui::words;
use panel::Panel;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let trace = &*found.part.trace;
        // A trace is found whenever it was, and links from it have to find it again.
        let from = trace.start.saturating_add(trace.from);
        let view = &context
            .view
            .reaching(from, from.saturating_add(trace.duration));
        let id = trace.id.as_str();
        let panel = Panel {
            trace,
            current: None,
            looked: &found.looked,
        };
        match context.part {
            Part::Details => return Answer::Fragment(panel.details(view)),
            Part::Rows => return Answer::Fragment(panel.rows(view)),
            Part::Page => {}
        }
        let said = headline::headline(trace);
        let crumbs = [
            Crumb::link("Traces", view.to(&["traces"]).to_string()),
            Crumb::here(words::short_trace(id)),
        ];
        let title = trace
            .items
            .first()
            .map_or_else(|| id.to_owned(), |entry| entry.what.name.to_string());
        let body = html! {
            (page_head(&crumbs, &said.answer, &said.why))
            (totals(view, trace))
            div.row.wrap {
                a.btn.btn--small href=(comparable(view, trace)) { "Compare with another trace" }
                (pin(view, id, found.kept))
            }
            (super::elsewhere_note(&found.elsewhere))
            section.panel aria-label="Trace" { (panel.render(view)) }
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Traces, title, body)
        })
    }

    fn missing(context: &Context<'_>, _: &Problem) -> Page {
        let id = context.view.path.rsplit('/').next().unwrap_or_default();
        missing(context.view, id)
    }
}

fn missing(view: &View, id: &str) -> Page {
    let crumbs = [
        Crumb::link("Traces", view.to(&["traces"]).to_string()),
        Crumb::here("not found"),
    ];
    let why = "It was never sent, has not arrived yet, or retention has removed it.";
    let what = html! { "Nothing is stored under the trace id " code { (words::cut(id, 64)) } "." };
    let recent = html! { a.btn href=(view.to(&["traces"])) { "Recent traces" } };
    let body = html! {
        (page_head(&crumbs, "This trace is not stored.", why))
        (empty("No such trace", what, recent))
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

/// The traces that this one may be compared with: those that begin with the same.
fn comparable(view: &View, trace: &Trace) -> Href {
    let like = trace.items.first().map_or_else(String::new, |entry| {
        let name = quoted(&entry.what.name);
        format!("transaction.name: {name}")
    });
    view.to(&["traces"])
        .set("q", &like)
        .set("match", "entry")
        .set("compare", &trace.id)
}

/// Why the trace is kept, and the button that pins it.
fn pin(view: &View, id: &str, kept: Option<&'static str>) -> Markup {
    let address = |action| view.acting(&["traces", id, action]);
    html! {
        div.row.row--c {
            @match kept {
                Some("pinned") => {
                    form method="post" action=(address("unpin")) { button.btn.btn--small type="submit" { "Unpin" } }
                    span.dim {
                        "Pinned: it stays until it is unpinned. "
                        a.inline href=(view.to(&["kept"])) { "Kept traces" }
                    }
                }
                kept => {
                    form method="post" action=(address("pin")) { button.btn.btn--small type="submit" { "Pin" } }
                    span.dim {
                        (match kept {
                            Some("error") => "Kept for now: it has an error.",
                            Some("failure") => "Kept for now: its request failed.",
                            Some("slowest") => "Kept for now: it was the slowest of its name in its hour.",
                            Some(_) => "Kept for now: it is a sample of a statement.",
                            None => "Keeps the trace when the events around it are deleted.",
                        })
                    }
                }
            }
        }
    }
}

fn totals(view: &View, trace: &Trace) -> Markup {
    let services = services(trace);
    let first: Vec<&str> = services.iter().take(10).copied().collect();
    let (statements, time) = total(trace);
    let spans: i64 = trace.items.iter().map(weight).sum();
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
            "Statements",
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
