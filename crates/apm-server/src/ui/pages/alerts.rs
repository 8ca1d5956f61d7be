//! `/alerts`: what fires, the rules, the receivers, and what was sent.

mod form;
mod history;
mod receivers;
mod rules;

use apm_alerts::{Firing, Overview};
use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::answers::alerts::Params;
use crate::ui::components::choose;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;
pub(crate) use form::rule_of as read_rule;
pub(crate) use receivers::receiver_of as read_receiver;

/// Longest name that is shown, characters.
const NAME: usize = 60;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Overview) -> Answer {
        let view = context.view;
        let answer = match &found.firing[..] {
            [] => match choose::narrowed(view) {
                Some(services) => format!("No alert is firing for {services}."),
                None => "No alert is firing.".to_owned(),
            },
            [one] => one.alert.text.clone(),
            all => format!("{} alerts are firing.", all.len()),
        };
        let count = words::count(found.rules.len() as u64, "rule is", "rules are");
        let to = match found.receivers.len() {
            0 => "No receiver is set, so messages are kept on this page only.".to_owned(),
            n => format!(
                "Messages go to {}.",
                words::count(n as u64, "receiver", "receivers")
            ),
        };
        let form = form::form(view, found);
        let is_editing = form.is_some();
        let body = html! {
            (page_head(&[Crumb::here("Alerts")], answer, format!("{count} set. {to}")))
            (form.unwrap_or_default())
            @if !found.firing.is_empty() || found.pending > 0 {
                (panel("Firing", grouped(found.firing.len() as u64), pending(found), firing(view, found)))
            }
            (rules::panel_of(view, found))
            div.cols.cols--2 {
                (receivers::panel_of(view, found))
                (history::panel_of(view, found))
            }
        };
        Answer::Page(Page {
            // A form that someone fills in is not taken away.
            fresh: !is_editing,
            ..page(Section::Alerts, "Alerts", body)
        })
    }
}

fn pending(found: &Overview) -> Markup {
    html! {
        @if found.pending > 0 {
            span.note { (words::count(found.pending as u64, "more is", "more are")) " about to fire" }
        }
    }
}

fn firing(view: &View, found: &Overview) -> Markup {
    html! { ul.findings { @for one in &found.firing { (item(view, one)) } } }
}

fn item(view: &View, one: &Firing) -> Markup {
    html! {
        li {
            span class="mark mark--bad" { span.sr { "firing" } }
            a.plain href=(one.alert.link_from(one.since)) { (one.alert.text) }
            span.when { "since " (view.clock.minute(one.since * SECOND)) }
            p { "Rule: " (words::cut(&one.name, NAME)) }
        }
    }
}
