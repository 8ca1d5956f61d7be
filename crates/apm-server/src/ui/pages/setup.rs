//! `/setup`: what to paste into a service so that it reports here, and whether anything has arrived yet.

mod snippets;

use apm_store::StoreError;
use diesel::SqliteConnection;
use maud::{Markup, html};

use super::{Answer, page};
use crate::analytics::directory;
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::shell::Section;
use crate::ui::view::View;
use crate::ui::words;
use snippets::{SNIPPETS, Snippet};

/// The page.
pub(crate) fn setup(conn: &mut SqliteConnection, view: &View) -> Result<Answer, StoreError> {
    let known = directory::list(conn)?;
    let (answer, why) = match known.services.as_slice() {
        [] => (
            "No event has arrived yet.".to_owned(),
            "Point an agent at this server, then send a request to your service. This page updates by itself.",
        ),
        services => {
            let names: Vec<String> = services
                .iter()
                .take(4)
                .map(|name| words::cut(name, 40))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let others = if services.len() > 4 {
                format!(" and {} more", services.len() - 4)
            } else {
                String::new()
            };
            (
                format!(
                    "Events arrive: {}{others} {} known.",
                    words::list(&names),
                    if services.len() == 1 { "is" } else { "are" }
                ),
                "Add another service in the same way.",
            )
        }
    };
    let body = html! {
        (page_head(&[Crumb::here("Setup")], answer, why))
        section.panel {
            div.panel-head {
                @if known.services.is_empty() {
                    span.waiting {
                        span.swatch.mark aria-hidden="true" {} "Waiting for the first event at "
                        code { (view.origin) "/intake/v2/events" }
                    }
                }
                @else { span { "The first event has arrived." } a.push href=(view.to(&["services"])) { "Services" } }
            }
        }
        div.cols.cols--2 {
            @for half in [0, 1] {
                div.stack {
                    @for snippet in SNIPPETS.iter().skip(half).step_by(2) { (one_snippet(view, snippet)) }
                }
            }
        }
        p.soft {
            "If this server has a secret token, set the same one for agents: "
            code { "ELASTIC_APM_SECRET_TOKEN" } ", and for SDKs of OpenTelemetry: "
            code { "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN" } "."
        }
    };
    Ok(Answer::Page(page(Section::Setup, "Setup", body)))
}

fn one_snippet(view: &View, snippet: &Snippet) -> Markup {
    html! {
        section.panel {
            div.panel-head {
                h2 { (snippet.title) }
                span.note { (snippet.note) }
                span.push { (copy(snippet.id, "Copy")) }
            }
            div.snippet { (code::block(snippet.id, html! { (snippet.text.replace("{url}", &view.origin)) })) }
        }
    }
}
