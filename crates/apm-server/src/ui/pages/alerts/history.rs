//! The newest messages, and what became of them at each receiver.

use apm_alerts::{Change, Delivery, Overview, Sent};
use apm_time::SECOND;
use maud::{Markup, html};

use super::NAME;
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;

pub(super) fn panel_of(view: &View, found: &Overview) -> Markup {
    let body = html! {
        @if found.history.is_empty() {
            (nothing("No message yet", "A message is written here when a rule fires, resolves or is tested."))
        } @else {
            ul.findings { @for sent in &found.history { (item(view, sent)) } }
        }
    };
    panel(
        "History",
        grouped(found.history.len() as u64),
        html! {},
        body,
    )
}

fn item(view: &View, sent: &Sent) -> Markup {
    let message = &sent.message;
    let (class, word) = match message.change {
        Change::Fired => ("mark mark--bad", "fired"),
        Change::Resolved | Change::Test => ("mark mark--info", message.change.as_str()),
    };
    html! {
        li {
            span class=(class) { span.sr { (word) } }
            span.plain { (message.title) }
            span.when { (view.clock.ago(message.at * SECOND)) }
            @for alert in &message.alerts { p { a.plain href=(alert.link_from(message.at)) { (alert.text) } } }
            @if message.more > 0 { p { "and " (grouped(message.more as u64)) " more" } }
            div.row.links {
                @if sent.silenced { (flag(Tone::Neutral, "silenced")) }
                @else if sent.deliveries.is_empty() { span.dim { "no receiver" } }
                @for one in &sent.deliveries { (delivery(one)) }
            }
        }
    }
}

fn delivery(one: &Delivery) -> Markup {
    let tone = match &*one.state {
        "failed" | "dropped" => Tone::Bad,
        "waiting" => Tone::Warn,
        _ => Tone::Neutral,
    };
    let text = format!("{}: {}", words::cut(&one.receiver, NAME), one.state);
    html! {
        (flag(tone, &text))
        @if let Some(error) = &one.error { span.dim { (error) } }
    }
}
