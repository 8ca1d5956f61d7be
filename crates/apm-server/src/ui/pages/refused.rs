//! Instead of a list whose query cannot be read or applied: what is wrong, where, and what would help. A list that ignored
//! its filter would mislead.

use maud::html;

use crate::ui::bar::{Bar, Trouble};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::header::QueryState;
use crate::ui::components::panel::empty;
use crate::ui::components::query::shown;
use crate::ui::components::shell::{Page, Section};
use crate::ui::view::View;

/// The page.
pub(crate) fn page(view: &View, trouble: &Trouble) -> Page {
    let readable = view.asked.expr.is_some();
    let answer = if readable {
        "This list cannot be filtered by that."
    } else {
        "This filter cannot be read."
    };
    let why = if readable {
        "It is made of counters that tell a few fields apart; in Discover every event has all of its fields."
    } else {
        "Nothing is listed: a filter that is ignored would mislead."
    };
    let remedies = html! {
        a.btn.btn--primary href=(view.here().without("q")) { "Remove the filter" }
        @if readable && view.bar != Bar::Documents { a.btn href=(view.discover(view.query())) { "Search in Discover" } }
    };
    let section = Section::of_path(&view.path);
    Page {
        title: answer.to_owned(),
        section,
        service: None,
        query: QueryState {
            error: Some(trouble.clone()),
        },
        body: html! {
            (page_head(&[Crumb::here(section.title())], answer, why))
            (empty("Nothing was searched", shown(view.query(), trouble), remedies))
        },
        fresh: false,
    }
}
