//! The header: service, environment, query bar, comparison, time, theme. What it offers comes from the store; what it
//! shows, from the address.

use maud::{Markup, html};

use super::query::query_bar;
use super::surroundings::Surroundings;
use super::{icon, picker};
use crate::analytics::comparison::Comparison;
use crate::ui::href::Href;
use crate::ui::query_bar::Trouble;
use crate::ui::view::View;

/// The query bar's state: what was typed, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryState {
    pub(crate) error: Option<Trouble>,
}

/// The header of every page. `service` is the one that the page is about.
pub(crate) fn header(
    view: &View,
    around: &Surroundings,
    service: Option<&str>,
    query: &QueryState,
) -> Markup {
    html! {
        header.header {
            a.brand href=(view.to(&["services"])) { (icon::logo()) span.lbl { "Pocket APM" } }
            (services(view, around, service.or(view.service())))
            (environments(view, around))
            (query_bar(view, around, service, query.error.as_ref()))
            (comparison(view))
            (picker::picker(view, around))
            (theme(view))
            details.menu.menu--right {
                summary.btn.btn--ghost.btn--icon aria-label="Keyboard shortcuts" title="Keyboard shortcuts" data-help {
                    "?"
                }
                (shortcuts())
            }
        }
    }
}

fn services(view: &View, around: &Surroundings, service: Option<&str>) -> Markup {
    html! {
        details.menu {
            summary.btn { span.clip { (service.unwrap_or("All services")) } (icon::caret()) }
            ul.menu-list {
                (narrow(&around.services, "Find a service"))
                li {
                    a href=(view.with_service(None)) aria-current=[service.is_none().then_some("true")] {
                        "All services"
                    }
                }
                @for name in &around.services {
                    li {
                        a href=(view.with_service(Some(name)))
                            aria-current=[(service == Some(name)).then_some("true")] {
                            (name)
                        }
                    }
                }
            }
        }
    }
}

/// Names in a list that is easier to search than to read.
const MANY: usize = 8;

/// The field that narrows a long list, which its script shows.
fn narrow(names: &[String], label: &str) -> Markup {
    html! {
        @if names.len() > MANY {
            li {
                input.input.input--text type="search" aria-label=(label) placeholder=(label) autocomplete="off"
                    data-narrow hidden;
            }
        }
    }
}

fn environments(view: &View, around: &Surroundings) -> Markup {
    let current = view.environment();
    html! {
        details.menu {
            summary.btn { span.soft { "env" } " " span.clip { (current.unwrap_or("all")) } (icon::caret()) }
            ul.menu-list {
                (narrow(&around.environments, "Find an environment"))
                li { a href=(view.here().without("env")) aria-current=[current.is_none().then_some("true")] { "all" } }
                @for name in &around.environments {
                    li {
                        a href=(view.here().set("env", name)) aria-current=[(current == Some(name)).then_some("true")] {
                            (name)
                        }
                    }
                }
            }
        }
    }
}

fn comparison(view: &View) -> Markup {
    let current = view.comparison();
    html! {
        details.menu.menu--wide {
            summary.btn { span.soft { "vs" } " " (view.against()) (icon::caret()) }
            ul.menu-list {
                @for choice in Comparison::options(view.range) {
                    li {
                        a href=(view.here().set("cmp", choice.as_str()))
                            aria-current=[(current == Some(*choice)).then_some("true")] {
                            (view.words(*choice))
                        }
                    }
                }
                li {
                    a href=(view.here().set("cmp", "off")) aria-current=[current.is_none().then_some("true")] {
                        "nothing"
                    }
                }
            }
        }
    }
}

/// A link that stores the choice and comes back; `theme.js` does the same without a round trip.
fn theme(view: &View) -> Markup {
    use crate::ui::view::Theme;
    let next = if view.theme == Some(Theme::Dark) {
        Theme::Light
    } else {
        Theme::Dark
    };
    let href = Href::to(&["theme", next.name()]).set("back", &view.here().to_string());
    html! {
        a.btn.btn--ghost.btn--icon href=(href) aria-label="Switch theme" title="Switch theme" data-theme-toggle {
            (icon::icon("theme"))
        }
    }
}

fn shortcuts() -> Markup {
    const KEYS: [(&str, &str); 12] = [
        ("/", "Filter"),
        ("g s", "Services"),
        ("g t", "Traces"),
        ("g e", "Errors"),
        ("g q", "Queries"),
        ("g d", "Discover"),
        ("↑ ↓ ← →", "Rows of a trace; fold and unfold"),
        ("Enter", "Open the details of a row"),
        ("e", "Next error in a trace"),
        ("c", "Critical path on and off"),
        ("1 … 9", "On a chart: hide or show a series"),
        ("Esc", "Close details, clear the selection"),
    ];
    html! {
        dl.menu-list.keys {
            @for (key, what) in KEYS { dt { @for part in key.split(' ') { kbd { (part) } " " } } dd { (what) } }
        }
    }
}
