//! The details that OpenTelemetry gives of a span beside its time: its kind, the message of its status, the library
//! that made it, and the spans that it is linked with.

use maud::{Markup, html};
use serde_json::Value;

use super::super::document::{field, text};
use crate::agent_config::options::is_opentelemetry;
use crate::ui::components::flyout::section;
use crate::ui::components::panel::pairs;
use crate::ui::view::View;
use crate::ui::words;

/// Links that are listed.
const MOST_LINKS: usize = 50;

/// Kind, message and library; empty where none of them was sent.
pub(super) fn origin(agent: &str, document: &Value) -> Markup {
    let library = text(document, "service.framework.name").map(|name| {
        let version = text(document, "service.framework.version");
        let version = version.map(|version| words::cut(&version, 60));
        html! { (words::cut(&name, 200)) @if let Some(version) = version { " " span.soft { (version) } } }
    });
    // OpenTelemetry's word for the library that made a span.
    let named = match is_opentelemetry(agent) {
        true => "Scope",
        false => "Framework",
    };
    let plain = |path: &str| text(document, path).map(|text| html! { (text) });
    let rows = [
        ("Status message", plain("event.reason")),
        ("Span kind", plain("span.kind")),
        (named, library),
    ];
    let rows: Vec<(&str, Markup)> = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    html! { section { (pairs(rows)) } }
}

/// The spans that a span is linked with; each link opens its trace at it.
pub(super) fn links(view: &View, document: &Value) -> Markup {
    let all = field(document, "span.links").and_then(Value::as_array);
    let id = |link: &Value, of: &str| text(link, of).unwrap_or_default();
    let all: Vec<(String, String)> = all
        .into_iter()
        .flatten()
        .map(|link| (id(link, "trace.id"), id(link, "span.id")))
        .filter(|(trace, _)| !trace.is_empty())
        .collect();
    if all.is_empty() {
        return html! {};
    }
    let more = all.len().saturating_sub(MOST_LINKS);
    let list = html! {
        ol.item-lines {
            @for (trace, span) in all.iter().take(MOST_LINKS) {
                li {
                    a href=(view.to(&["traces", trace]).set("item", span)) {
                        "Trace " code { (words::cut(trace, 64)) }
                    }
                    @if !span.is_empty() { " " span.dim { "span " code { (words::cut(span, 64)) } } }
                }
            }
        }
        @if more > 0 { p.dim { (words::count(more as u64, "more link", "more links")) } }
    };
    section("Links", html! {}, list)
}
