//! The header: service, environment, query bar, comparison, time, theme. What it offers comes from the store; what it
//! shows, from the address.

use maud::{Markup, html};

use super::query::query_bar;
use super::surroundings::Surroundings;
use super::{choose, icon, picker};
use crate::analytics::chosen::Choice;
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
    let choice = match service {
        Some(name) => Choice::Only(vec![name.to_owned()]),
        None => view.services.clone(),
    };
    let button = match (service, &choice) {
        (Some(name), _) => html! { span.clip { (name) } },
        (None, choice) => {
            html! { span.clip { (capital(&choose::words(choose::SERVICES, choice))) } }
        }
    };
    let links = (view.with_service(None), |name: &str| {
        view.with_service(Some(name))
    });
    choose::menu(
        view,
        choose::SERVICES,
        &around.services,
        &choice,
        button,
        links,
    )
}

fn environments(view: &View, around: &Surroundings) -> Markup {
    let choice = &view.environments;
    let name = match choice {
        Choice::All => "all".to_owned(),
        choice => choose::words(choose::ENVIRONMENTS, choice),
    };
    let button = html! { span.soft { "env" } " " span.clip { (name) } };
    let all = view.at_first_row().without("env").without("not_env");
    let links = (all.clone(), |name: &str| all.clone().set("env", name));
    choose::menu(
        view,
        choose::ENVIRONMENTS,
        &around.environments,
        choice,
        button,
        links,
    )
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

fn comparison(view: &View) -> Markup {
    html! {
        details.menu.menu--wide {
            summary.btn { span.soft { "vs" } " " (view.against()) (icon::caret()) }
            ul.menu-list {
                @for choice in picker::comparisons(view) {
                    li {
                        a href=(choice.href) aria-current=[choice.is_current.then_some("true")] { (choice.words) }
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
