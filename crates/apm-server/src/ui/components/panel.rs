//! Panels, their heads, and the states of a panel that has nothing to show.

use maud::{Markup, Render, html};

/// A unit with a title; `aside` stands at the right end of its head.
pub(crate) fn panel(
    title: &str,
    note: impl Render,
    aside: impl Render,
    body: impl Render,
) -> Markup {
    html! {
        section.panel {
            div.panel-head.panel-head--line { h2 { (title) } span.note { (note) } span.push.row { (aside) } }
            (body)
        }
    }
}

/// Charts that share one frame.
pub(crate) fn split(class: &str, parts: &[Markup]) -> Markup {
    html! { div class={ "split " (class) } { @for part in parts { (part) } } }
}

/// An empty panel, with the filter that emptied it and the remedy.
pub(crate) fn empty(title: &str, reason: impl Render, remedies: impl Render) -> Markup {
    html! { div.panel.empty { h2 { (title) } p { (reason) } div.row { (remedies) } } }
}

/// The same inside of a panel or a tab.
pub(crate) fn nothing(title: &str, reason: impl Render) -> Markup {
    html! { div.empty { h2 { (title) } p { (reason) } } }
}

/// Names and values, as in metadata.
pub(crate) fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, Markup)>) -> Markup {
    html! { dl.pairs { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

/// The line of facts over a sample.
pub(crate) fn meta<'a>(rows: impl IntoIterator<Item = (&'a str, Markup)>) -> Markup {
    html! { dl.meta { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}
