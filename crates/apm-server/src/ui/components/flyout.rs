//! The details of a selected item, docked beside the list. Closing it is a link to the page without the item.

use maud::{Markup, Render, html};

use super::icon;

/// A flyout and its sections; each section is made by [`section`].
pub(crate) fn flyout(
    label: &str,
    title: &str,
    sub: impl Render,
    close: impl Render,
    sections: impl Render,
) -> Markup {
    html! {
        aside.flyout id="flyout" aria-label=(label) {
            div.flyout-head {
                div { div.row { h2 title=(title) { (title) } } div.row.soft { (sub) } }
                a.btn.btn--ghost.btn--icon.btn--small.push href=(close) aria-label="Close details (Esc)" data-close {
                    (icon::icon("close"))
                }
            }
            (sections)
        }
    }
}

/// A titled part of a flyout; `aside` stands at the right of its title.
pub(crate) fn section(title: &str, aside: impl Render, body: impl Render) -> Markup {
    html! { section { @if !title.is_empty() { h3 { (title) span.push { (aside) } } } (body) } }
}
