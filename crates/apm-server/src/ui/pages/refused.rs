//! Instead of a list whose query cannot be read or applied: what is wrong, where, and what would help. A list that
//! ignored its filter would mislead.

use apm_store::OTHER;
use maud::html;

use super::{page as page_of, wider};
use crate::answers::Problem;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::header::QueryState;
use crate::ui::components::panel::empty;
use crate::ui::components::query::shown;
use crate::ui::components::shell::{Page, Section};
use crate::ui::query_bar::{QueryBar, Trouble, sentence};
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn page(view: &View, trouble: &Trouble) -> Page {
    let readable = view.asked.expr.is_some();
    let answer = if readable {
        "This list cannot be filtered by that field."
    } else {
        "This filter cannot be read."
    };
    let why = if readable {
        "This list is made of counters, which have few fields. Discover searches all fields of every event."
    } else {
        "Correct the filter to see the list."
    };
    let remedies = html! {
        (super::remove_filter(view))
        @if readable && view.bar != QueryBar::Documents {
            a.btn href=(view.discover(view.query())) { "Search in Discover" }
        }
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
            (empty("The filter was not applied", shown(view.query(), trouble), remedies))
        },
        fresh: false,
    }
}

/// Instead of a page about something that is not there.
pub(crate) fn missing(view: &View, problem: &Problem) -> Page {
    let section = Section::of_path(&view.path);
    let why = sentence(&problem.to_string());
    let answer = "This was not found.";
    let body = html! {
        (page_head(&[Crumb::here(section.title())], answer, &why))
        div.row.wrap { (wider(view)) }
    };
    Page {
        fresh: false,
        ..page_of(section, answer, body)
    }
}

/// Instead of a page of a service that never sent anything, or of which nothing is left. `has_other`: whether events of
/// services beyond the limit of names are counted as those of [`OTHER`].
pub(crate) fn no_service(view: &View, service: &str, has_other: bool) -> Page {
    let answer = format!("No service named “{}” is known.", words::cut(service, 60));
    let why = match has_other {
        true => "It has no figures of its own.",
        false => "Nothing that it sent is stored.",
    };
    let reason = html! {
        "It may be older than the retention, or its name is written differently."
        @if has_other {
            " Or it is beyond the limit of names: then its events are counted under " code { (OTHER) }
            ", and Discover finds them by the name that they were sent with."
        }
    };
    let sent = kql::filter("overflow.service.name", service);
    let remedies = html! {
        a.btn.btn--primary href=(view.to(&["services"])) { "All services" }
        @if has_other {
            a.btn href=(view.to(&["services", OTHER])) { "Figures of " (OTHER) }
            a.btn href=(view.discover(&sent)) { "Search in Discover" }
        }
    };
    let body = html! {
        (page_head(&super::service_crumbs(view, service, &[]), &answer, why))
        (empty("No such service", reason, remedies))
    };
    Page {
        fresh: false,
        ..page_of(Section::Services, answer, body)
    }
}

/// Instead of a page whose address has a parameter that cannot be understood.
pub(crate) fn bad(view: &View, problem: &Problem) -> Page {
    let section = Section::of_path(&view.path);
    // The text begins with the name of the parameter, which stays as it is written in an address.
    let why = match problem.parameter() {
        Some(_) => sentence(&format!("parameter {problem}")),
        None => sentence(&problem.to_string()),
    };
    let answer = match problem.parameter() {
        Some("from" | "to") => "This time range is not valid.",
        _ => "This address is not valid.",
    };
    let href = problem.parameter().map(|name| view.here().without(name));
    let remedies = html! {
        @if let Some(href) = href { a.btn.btn--primary href=(href) { "Remove the parameter" } }
        a.btn href="/services" { "Services, last 15 minutes" }
    };
    let body = html! {
        (page_head(&[Crumb::here(section.title())], answer, &why))
        div.row.wrap { (remedies) }
    };
    Page {
        fresh: false,
        ..page_of(section, answer, body)
    }
}
