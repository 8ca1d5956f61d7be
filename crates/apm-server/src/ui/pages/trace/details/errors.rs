//! The errors that were recorded in an item.

use maud::{Markup, html};

use crate::analytics::trace::Trace;
use crate::ui::components::flyout::section;
use crate::ui::number;
use crate::ui::pages::errors::short;
use crate::ui::view::View;

/// Errors that are listed in the details of an item.
const MOST_ERRORS: usize = 50;

pub(super) fn errors(view: &View, trace: &Trace, index: usize) -> Markup {
    let own = trace.errors.iter();
    let own: Vec<_> = own
        .filter(|error| error.item == Some(index as u32))
        .collect();
    if own.is_empty() {
        return html! {};
    }
    let more = own.len().saturating_sub(MOST_ERRORS);
    let list = html! {
        ul.plain-list {
            @for error in own.into_iter().take(MOST_ERRORS) {
                li {
                    a.inline href=(view.to(&["services", &error.service, "errors", &error.key])) {
                        (if error.message.is_empty() { &error.kind } else { &error.message })
                    }
                    " " span.dim { code { (short(&error.key)) } " " (error.culprit) }
                }
            }
            @if more > 0 {
                li.dim { (number::grouped(more as u64)) " more: see the errors of the trace" }
            }
        }
    };
    section("Errors", html! {}, list)
}
