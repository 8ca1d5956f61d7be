//! The metadata tab: everything that a document says, by group, each value ready to filter by.

use maud::{Markup, html};
use serde_json::Value;

use super::document::leaves;
use crate::ui::components::controls::plus_minus;
use crate::ui::components::panel::nothing;
use crate::ui::view::{View, quoted};

/// Groups in their order, with the fields that belong to them by prefix; what no prefix claims comes last.
const GROUPS: [(&str, &[&str]); 10] = [
    (
        "Request",
        &[
            "http.request.",
            "url.",
            "client.",
            "source.",
            "user_agent.",
            "http.version",
        ],
    ),
    ("Response", &["http.response."]),
    ("User", &["user."]),
    ("Labels", &["labels.", "numeric_labels."]),
    ("Custom", &["transaction.custom.", "error.custom."]),
    ("Service", &["service.", "agent."]),
    ("Process", &["process."]),
    ("Host", &["host.", "container.", "kubernetes.", "cloud."]),
    ("Message", &["transaction.message.", "span.message."]),
    ("Event", &[""]),
];

/// The fields of a document, grouped.
pub(crate) fn tab(view: &View, document: Option<&Value>) -> Markup {
    let Some(document) = document else {
        return nothing(
            "No metadata",
            "The document of this event is no longer stored.",
        );
    };
    let mut fields: Vec<Option<(String, String)>> =
        leaves(document).into_iter().map(Some).collect();
    html! {
        div.metadata {
            @for (title, prefixes) in GROUPS {
                @let is_own = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
                @let own: Vec<(String, String)> = fields
                    .iter_mut()
                    .filter(|field| field.as_ref().is_some_and(|(name, _)| is_own(name)))
                    .filter_map(Option::take)
                    .collect();
                @if !own.is_empty() {
                    section { h2 { (title) } (rows(view, &own)) }
                }
            }
        }
    }
}

/// Names and values with plus and minus.
pub(crate) fn rows(view: &View, fields: &[(String, String)]) -> Markup {
    html! {
        table.kv { tbody { @for (name, value) in fields { tr {
            td.act {
                @let clause = format!("{name}: {}", quoted(value));
                (plus_minus(value, view.filtered(&clause), view.filtered(&format!("not {clause}"))))
            }
            th scope="row" title=(name) { (name) }
            td { (value) }
        } } } }
    }
}
