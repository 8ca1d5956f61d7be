//! The rules of alerts, each with what can be done with it.

use apm_alerts::rule::Kind;
use apm_alerts::{Origin, Overview, ShownRule};
use apm_time::SECOND;
use maud::{Markup, html};

use super::NAME;
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::panel::panel;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::moment::span_words;
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 5] = [
    Column::text("Rule"),
    Column::text("Sends a message when"),
    Column::text("For"),
    Column::text("State"),
    Column::text("Change"),
];

pub(super) fn panel_of(view: &View, found: &Overview) -> Markup {
    let rows = html! { @for rule in &found.rules { (row(view, rule)) } };
    let frame = Frame {
        class: "table--lines",
        caption: "Rules of alerts",
        name: "rules",
        columns: &COLUMNS,
        sort: None,
    };
    let body = html! {
        (framed(view, frame, rows))
        div.pad {
            span.dim { "New rule: " }
            @for kind in Kind::ALL {
                " " a.btn.btn--small href=(view.here().without("edit").set("new", kind.as_str()).anchor("rule")) {
                    (kind.title())
                }
            }
        }
    };
    panel("Rules", grouped(found.rules.len() as u64), html! {}, body)
}

fn row(view: &View, shown: &ShownRule) -> Markup {
    let rule = &shown.rule;
    let is_of_file = shown.origin == Origin::File;
    let edit = view
        .here()
        .without("new")
        .set("edit", &rule.id)
        .anchor("rule");
    html! {
        tr {
            th scope="row" {
                @if is_of_file { (words::cut(&rule.name, NAME)) }
                @else { a.plain href=(edit) { (words::cut(&rule.name, NAME)) } }
                div.dim { (origin(shown.origin)) }
            }
            td.soft.says { (shown.words) (held(rule.hold())) }
            td.soft { (scope(view, shown)) }
            td { (state(view, shown)) }
            td { div.row.actions { (actions(view, shown)) } }
        }
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Program => "built in",
        Origin::Changed => "built in, changed",
        Origin::Page => "made on this page",
        Origin::File => "in the configuration file",
    }
}

fn held(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        seconds => format!(", for {}", span_words(seconds * SECOND)),
    }
}

fn scope(view: &View, shown: &ShownRule) -> Markup {
    let rule = &shown.rule;
    html! {
        @if !rule.kind.is_of_services() { "this server" }
        @else if rule.service.is_empty() { "all services" }
        @else { a.plain href=(view.to(&["services", &rule.service])) { (words::cut(&rule.service, NAME)) } }
        @if !rule.environment.is_empty() { " in " (words::cut(&rule.environment, NAME)) }
        @if !rule.receivers.is_empty() {
            div.dim { "to " (words::cut(&rule.receivers.join(", "), NAME)) }
        }
    }
}

fn state(view: &View, shown: &ShownRule) -> Markup {
    html! {
        @if !shown.rule.enabled { (flag(Tone::Neutral, "off")) }
        @else if shown.firing > 0 { (flag(Tone::Bad, &format!("{} firing", shown.firing))) }
        @else { span.dim { "quiet" } }
        @if let Some(until) = shown.silent_until {
            div.dim { "silent until " (view.clock.minute(until * SECOND)) }
        }
    }
}

fn actions(view: &View, shown: &ShownRule) -> Markup {
    let action = |name: &str| view.acting(&["alerts", "rules", &shown.rule.id, name]);
    html! {
        form method="post" action=(action("silence")) {
            @match shown.silent_until {
                Some(_) => {
                    input type="hidden" name="seconds" value="0";
                    button.btn.btn--small type="submit" { "End silence" }
                }
                None => {
                    input type="hidden" name="seconds" value="3600";
                    button.btn.btn--small type="submit" title="Send nothing for an hour" { "Silence 1 h" }
                }
            }
        }
        form method="post" action=(action("test")) {
            button.btn.btn--small type="submit" title="Send a message that says what the rule would find now" { "Test" }
        }
        @match shown.origin {
            Origin::Changed => form method="post" action=(action("delete")) {
                button.btn.btn--small type="submit" title="Back to the built-in rule" { "Reset" }
            },
            Origin::Page => form method="post" action=(action("delete")) {
                button.btn.btn--small type="submit" { "Delete" }
            },
            Origin::Program | Origin::File => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::number::NARROW;

    #[test]
    fn the_time_for_which_a_rule_must_hold_has_a_number() {
        for (seconds, want) in [
            (0, ""),
            (20, ", for 20 s"),
            (60, ", for 1 min"),
            (3_600, ", for 1 h"),
        ] {
            assert_eq!(held(seconds).replace(NARROW, " "), want);
        }
    }
}
