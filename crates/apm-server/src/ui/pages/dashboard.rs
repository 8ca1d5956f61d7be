//! `/dashboard`: charts and views that people pinned.
//!
//! A pinned chart is a part of its page: `dashboard.js` fetches the page in the range and environment of the dashboard,
//! and shows the chart. Without a script there are links.

use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::answers::dashboard::{Answer as Found, Params};
use crate::dashboard::{LONGEST_TITLE, Pin};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::Section;
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let (charts, views): (Vec<&Pin>, Vec<&Pin>) =
            found.pins.iter().partition(|pin| !pin.chart.is_empty());
        let answer = match (charts.len(), views.len()) {
            (0, 0) => "Nothing is pinned yet.".to_owned(),
            (1, 0) => "One chart is pinned.".to_owned(),
            (0, 1) => "One view is pinned.".to_owned(),
            (charts, 0) => format!(
                "{} are pinned.",
                words::count(charts as u64, "chart", "charts")
            ),
            (0, views) => format!(
                "{} are pinned.",
                words::count(views as u64, "view", "views")
            ),
            (charts, views) => format!(
                "{} and {} are pinned.",
                words::count(charts as u64, "chart", "charts"),
                words::count(views as u64, "view", "views")
            ),
        };
        let why = "“Pin” at a chart puts it here, with its filter. All charts show the time range of this page.";
        let services = html! { a.btn href=(view.to(&["services"])) { "Services" } };
        let body = html! {
            (page_head(&[Crumb::here("Dashboard")], answer, why))
            @if found.pins.is_empty() {
                (empty("No pins", "Open a page, and choose “Pin” at one of its charts.", services))
            }
            @if !views.is_empty() {
                @let list = html! { ul.changes.pad { @for pin in views { li { (saved(view, pin)) } } } };
                (panel("Views", "", html! {}, list))
            }
            div.pins { @for pin in charts { (chart(view, pin)) } }
            (panel("Pin a page", "", html! {}, form(view)))
        };
        Answer::Page(page(Section::Dashboard, "Dashboard", body))
    }
}

fn saved(view: &View, pin: &Pin) -> Markup {
    html! {
        a.grow href=(pin.address) title=(pin.address) { (pin.title) }
        (remove(view, pin))
    }
}

fn chart(view: &View, pin: &Pin) -> Markup {
    // As its page is shown, in the range of this one.
    let shared: Vec<String> = view
        .shared_params()
        .into_iter()
        .map(|(key, _)| key.to_owned())
        .collect();
    html! {
        section.panel data-pin=(pin.address) data-chart=(pin.chart) data-keep=(shared.join(" ")) {
            div.panel-head {
                h2 { a.plain href=(pin.address) title=(pin.address) { (pin.title) } }
                span.push.row { (remove(view, pin)) }
            }
            div.pad.dim { "The chart stands on " a.inline href=(pin.address) { "its page" } "." }
        }
    }
}

fn remove(view: &View, pin: &Pin) -> Markup {
    let action = view.acting(&["dashboard", &pin.id.to_string(), "remove"]);
    html! {
        form method="post" action=(action) {
            button.btn.btn--small type="submit" aria-label={ "Remove " (words::cut(&pin.title, 60)) } { "Remove" }
        }
    }
}

fn form(view: &View) -> Markup {
    html! {
        form.form method="post" action=(view.acting(&["dashboard"])) {
            label {
                "Title"
                input.input.input--text name="title" required maxlength=(LONGEST_TITLE) autocomplete="off";
            }
            label {
                "Page"
                input.input.input--text name="address" required placeholder="services?from=now-1h"
                    autocomplete="off";
            }
            label {
                "Chart on that page, empty for a link to it"
                input.input.input--text name="chart" placeholder="latency" autocomplete="off";
            }
            div.row { button.btn.btn--primary type="submit" { "Pin" } }
        }
    }
}
