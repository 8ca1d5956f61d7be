//! The receivers of alerts, and the form that adds one.

use apm_alerts::receiver::{Receiver, Written};
use apm_alerts::{Origin, Overview, ShownReceiver};
use maud::{Markup, html};

use super::NAME;
use crate::ui::components::panel::{nothing, panel};
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;

pub(super) fn panel_of(view: &View, found: &Overview) -> Markup {
    let body = html! {
        @if found.receivers.is_empty() {
            (nothing("No receiver is set", "Add one, or write one to the configuration file."))
        } @else {
            ul.findings { @for receiver in &found.receivers { (item(view, receiver)) } }
        }
        (form(view, found))
    };
    panel(
        "Receivers",
        grouped(found.receivers.len() as u64),
        html! {},
        body,
    )
}

fn item(view: &View, receiver: &ShownReceiver) -> Markup {
    let action = |name: &str| view.acting(&["alerts", "receivers", &receiver.name, name]);
    html! {
        li {
            span class="mark mark--info" {}
            span.plain { (words::cut(&receiver.name, NAME)) }
            span.when { (receiver.kind) }
            p { code { (words::cut(&receiver.target, 120)) } }
            div.row.links {
                form method="post" action=(action("test")) { button.btn.btn--small type="submit" { "Test" } }
                @if receiver.origin == Origin::File { span.dim { "in the configuration file" } }
                @else {
                    form method="post" action=(action("delete")) { button.btn.btn--small type="submit" { "Delete" } }
                }
            }
        }
    }
}

fn form(view: &View, found: &Overview) -> Markup {
    html! {
        form.form method="post" action=(view.acting(&["alerts", "receivers"])) {
            h3 { "Add or replace" }
            label { "Name" input.input.input--text name="name" required maxlength="200" autocomplete="off"; }
            label {
                "Kind"
                select name="kind" {
                    option value="webhook" { "Webhook, JSON" }
                    option value="slack" { "Slack, Mattermost and others" }
                    @if found.sends_email { option value="email" { "Email" } }
                }
            }
            label {
                @if found.sends_email {
                    "Address: https://…, or email addresses with commas"
                } @else {
                    "Address: https://…"
                }
                input.input.input--text name="target" required maxlength="2000" autocomplete="off" spellcheck="false";
            }
            p.dim {
                "The address is kept as a secret: this page shows its host only. It has to be public, unless the "
                "configuration file names its network."
                @if !found.sends_email { " For emails, the configuration file has to name a mail server." }
            }
            div.row { button.btn.btn--primary type="submit" { "Save" } }
        }
    }
}

/// The receiver that the form sends; the error says what is wrong.
pub(crate) fn receiver_of(sent: &[(String, String)]) -> Result<Receiver, String> {
    let field = |name: &str| {
        let found = sent.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    };
    let mut written = Written {
        name: field("name").to_owned(),
        kind: field("kind").to_owned(),
        ..Written::default()
    };
    let target = field("target");
    match &*written.kind {
        "email" => {
            let addresses = target.split(',').map(|one| one.trim().to_owned());
            written.to = Some(addresses.collect());
        }
        _ => written.url = Some(target.to_owned()),
    }
    Receiver::try_from(written).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_makes_a_receiver_but_no_command() {
        let of = |kind: &str, target: &str| {
            let pairs = [("name", "ops"), ("kind", kind), ("target", target)];
            let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
            receiver_of(&pairs)
        };
        assert_eq!(
            of("email", "a@example.com, b@example.com")
                .unwrap()
                .target
                .masked(),
            "a@example.com, b@example.com"
        );
        assert!(of("slack", "https://hooks.example.com/x").is_ok());
        assert!(of("webhook", "ftp://hooks.example.com/x").is_err());
        assert!(of("command", "/bin/true").is_err());
    }
}
