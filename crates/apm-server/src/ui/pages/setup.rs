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
pub(crate) fn setup(
    conn: &mut SqliteConnection,
    view: &View,
    needs_secret: bool,
) -> Result<Answer, StoreError> {
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
            let others = ("other service", "other services");
            (
                format!(
                    "Events arrive: {} {} known.",
                    words::list_of(&names, services.len(), others),
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
                @else {
                    span.waiting.arrived {
                        span.swatch.mark aria-hidden="true" {} "The first event has arrived."
                    }
                    a.push href=(view.to(&["services"])) { "Services" }
                }
            }
        }
        div.cols.cols--2 {
            @for half in [0, 1] {
                div.stack {
                    @for snippet in SNIPPETS.iter().skip(half).step_by(2) {
                        (one_snippet(view, snippet, needs_secret))
                    }
                }
            }
        }
        @if needs_secret { (secret()) }
    };
    Ok(Answer::Page(page(Section::Setup, "Setup", body)))
}

/// A sentence that says what to put in the place of `TOKEN`.
fn secret() -> Markup {
    html! {
        p.soft {
            "This server takes events with a secret only. Put its secret token in the place of " code { "TOKEN" }
            ", and keep it in the environment of the service. This page does not show it. Instead of the token, agents "
            "take an API key with the privileges " code { "intake" } " and " code { "config" } " as "
            code { "ELASTIC_APM_API_KEY" } ", and SDKs of OpenTelemetry as "
            code { "OTEL_EXPORTER_OTLP_HEADERS=Authorization=ApiKey%20KEY" } "."
        }
    }
}

fn one_snippet(view: &View, snippet: &Snippet, needs_secret: bool) -> Markup {
    html! {
        section.panel {
            div.panel-head {
                h2 { (snippet.title) }
                span.note { (snippet.note) }
                span.push { (copy(snippet.id, "Copy")) }
            }
            div.snippet { (code::block(snippet.id, html! { (snippet.lines(&view.origin, needs_secret)) })) }
        }
    }
}
