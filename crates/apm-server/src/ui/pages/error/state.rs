//! The decision of people about an error group, and the forms with which they decide.

use apm_time::SECOND;
use maud::{Markup, html};

use super::super::errors::{self, change::ignored};
use crate::analytics::errors::{ErrorGroup, Status};
use crate::answers::error::Answer as Found;
use crate::answers::errors::title;
use crate::insight::triage::LONGEST_NAME;
use crate::ui::components::panel::panel;
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

/// The state in a sentence.
pub(super) fn sentence(view: &View, group: &ErrorGroup) -> String {
    let state = &group.state;
    match (state.status, &state.reopened) {
        (Status::Open, Some(reopened)) => {
            let at = view.clock.minute(reopened.at);
            match (&*reopened.by, &*reopened.version) {
                ("time", _) => {
                    format!("Open again since {at}: the time for which it was ignored is over.")
                }
                ("count", _) => {
                    format!(
                        "Open again since {at}: the number of occurrences to ignore was reached."
                    )
                }
                (_, "") => format!("It came back at {at}."),
                (_, version) => format!("It came back in {} at {at}.", words::cut(version, 40)),
            }
        }
        (Status::Open, None) => "Open.".to_owned(),
        (Status::Resolved, _) if state.until_new_version => {
            "Resolved. It opens again when it occurs in a new version.".to_owned()
        }
        (Status::Resolved, _) => "Resolved. It opens again when it occurs again.".to_owned(),
        (Status::Ignored, _) => {
            let mut until = Vec::new();
            until.extend(state.until.map(|at| view.clock.minute(at * SECOND)));
            until.extend(state.until_occurrences.map(|n| {
                let n = n.unsigned_abs();
                format!("{} more occurrences", number::grouped(n))
            }));
            until.extend(
                state
                    .until_new_version
                    .then(|| "it occurs in a new version".to_owned()),
            );
            match until.is_empty() {
                true => "Ignored for good.".to_owned(),
                false => format!("Ignored until {}.", until.join(", or ")),
            }
        }
    }
}

/// The panel with the state, what changes it, and what was changed.
pub(super) fn part(view: &View, service: &str, found: &Found) -> Markup {
    let group = &*found.group;
    let address = |action: &str| view.acting(&["services", service, "errors", &group.key, action]);
    let button = |action: &str, label: &str, field: Option<(&str, &str)>| {
        html! {
            form method="post" action=(address(action)) {
                @if let Some((name, value)) = field { input type="hidden" name=(name) value=(value); }
                button.btn.btn--small type="submit" { (label) }
            }
        }
    };
    let is_open = group.state.status == Status::Open;
    let body = html! {
        div.pad {
            p { (sentence(view, group)) }
            div.row.row--wrap {
                @if is_open {
                    (button("resolve", "Resolve", None))
                    (button("resolve", "Resolve in the next version", Some(("in", "version"))))
                } @else {
                    (button("reopen", "Reopen", None))
                }
            }
            @if is_open {
                form.line-form method="post" action=(address("ignore")) {
                    select.input name="until" aria-label="Ignore" {
                        @for (value, words) in ignored() { option value=(value) { "Ignore " (words) } }
                    }
                    button.btn.btn--small type="submit" { "Ignore" }
                }
            }
            form.line-form method="post" action=(address("assign")) {
                input.input.input--text name="to" value=(group.state.assignee) maxlength=(LONGEST_NAME)
                    aria-label="Assigned to" placeholder="Assigned to nobody" autocomplete="off";
                button.btn.btn--small type="submit" { "Assign" }
            }
            @if !found.others.is_empty() {
                form.line-form method="post" action=(address("merge")) {
                    select.input name="into" aria-label="Merge into" {
                        @for other in &found.others {
                            option value=(other.key) { (errors::short(&other.key)) " " (words::cut(title(other), 60)) }
                        }
                    }
                    button.btn.btn--small type="submit" { "Merge into it" }
                }
            }
            (members(found, &button))
            (changes(view, found, &button))
        }
    };
    panel("State", group.state.status.as_str(), html! {}, body)
}

type Button<'a> = &'a dyn Fn(&str, &str, Option<(&str, &str)>) -> Markup;

fn members(found: &Found, button: Button<'_>) -> Markup {
    html! {
        @if !found.members.is_empty() {
            h3.sub { "Merged into this error" }
            ul.changes {
                @for member in &found.members {
                    @let name = if member.message.is_empty() { &member.kind } else { &member.message };
                    li {
                        span.grow { code { (errors::short(&member.key)) } " " (words::cut(name, 80)) }
                        (button("separate", "Separate", Some(("key", &member.key))))
                    }
                }
            }
        }
    }
}

fn changes(view: &View, found: &Found, button: Button<'_>) -> Markup {
    html! {
        @if !found.changes.is_empty() {
            h3.sub { "Changes" }
            ul.changes {
                @for made in &found.changes {
                    li {
                        span.grow { (made.change.words()) span.dim { " · " (view.clock.ago(made.at)) } }
                        @if made.undoable { (button("undo", "Undo", Some(("id", &made.id.to_string())))) }
                    }
                }
            }
        }
    }
}

/// The versions in which the error occurred.
pub(super) fn versions(view: &View, found: &Found) -> Markup {
    let told: Vec<_> = found
        .versions
        .iter()
        .filter(|one| !one.version.is_empty())
        .collect();
    html! {
        @if !told.is_empty() {
            section.panel {
                div.panel-head { h2 { "Versions" } span.note { "since the error was first seen" } }
                div.pad {
                    ul.top {
                        @for one in told {
                            li {
                                span.v title=(one.version) { (words::cut(&one.version, 60)) }
                                span.pc {
                                    (number::compact(one.occurrences.unsigned_abs())) " · first "
                                    (view.clock.ago(one.first))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
