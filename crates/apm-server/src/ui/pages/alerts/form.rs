//! The form of a rule, and what it sends.

use std::collections::BTreeMap;

use apm_alerts::rule::{Kind, Parameter, Rule};
use apm_alerts::{Origin, Overview};
use maud::{Markup, html};

use crate::ui::components::panel::panel;
use crate::ui::view::View;

/// The form of the rule that the address names, if it names one that can be changed.
pub(super) fn form(view: &View, found: &Overview) -> Option<Markup> {
    let rule = match (view.param("edit"), view.param("new")) {
        (Some(id), _) => {
            let own = found.rules.iter().filter(|one| one.origin != Origin::File);
            own.map(|one| &one.rule).find(|rule| rule.id == id)?.clone()
        }
        (None, Some(kind)) => Rule::new(Kind::parse(kind)?),
        (None, None) => return None,
    };
    let title = match &*rule.id {
        "" => format!("New rule: {}", rule.kind.title()),
        _ => format!("Change: {}", rule.name),
    };
    let close =
        html! { a.btn.btn--small href=(view.here().without("edit").without("new")) { "Close" } };
    Some(html! {
        div id="rule" { (panel(&title, rule.words(), close, fields(view, &rule, found))) }
    })
}

fn fields(view: &View, rule: &Rule, found: &Overview) -> Markup {
    let number = |parameter: &Parameter| {
        let value = rule.numbers.get(parameter.name).copied();
        value.unwrap_or(parameter.default).to_string()
    };
    html! {
        form.form method="post" action=(view.acting(&["alerts", "rules"])) {
            input type="hidden" name="id" value=(rule.id);
            input type="hidden" name="kind" value=(rule.kind.as_str());
            label {
                "Name" input.input.input--text name="name" value=(rule.name) required maxlength="200"
                    autocomplete="off";
            }
            @for parameter in rule.kind.parameters() {
                label {
                    (parameter.label)
                    input.input.input--text type="number" step="any" name=(parameter.name) value=(number(parameter))
                        min=(parameter.least) max=(parameter.most) required;
                }
            }
            label {
                "Seconds for which it must hold"
                input.input.input--text type="number" name="hold_seconds" min="0" max="86400" value=(rule.hold());
            }
            @if rule.kind.is_of_services() {
                label {
                    "Service, empty for all"
                    input.input.input--text name="service" value=(rule.service) autocomplete="off";
                }
                label {
                    "Environment, empty for all"
                    input.input.input--text name="environment" value=(rule.environment) autocomplete="off";
                }
            }
            @for receiver in &found.receivers {
                label.check {
                    input type="checkbox" name="receivers" value=(receiver.name)
                        checked[rule.receivers.contains(&receiver.name)];
                    "Send to " (receiver.name)
                }
            }
            // Else saving would send its messages to all.
            @for name in rule.receivers.iter().filter(|name| !found.receivers.iter().any(|one| one.name == **name)) {
                label.check {
                    input type="checkbox" name="receivers" value=(name) checked;
                    "Send to " (name) ", which does not exist"
                }
            }
            @if !found.receivers.is_empty() { span.dim { "With none ticked, all receivers get its messages." } }
            label.check { input type="checkbox" name="enabled" value="yes" checked[rule.enabled]; "Evaluate this rule" }
            div.row { button.btn.btn--primary type="submit" { "Save" } }
        }
    }
}

/// The rule that the form sends; the error says what is wrong.
pub(crate) fn rule_of(sent: &[(String, String)]) -> Result<Rule, String> {
    let field = |name: &str| {
        let found = sent.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    };
    let kind = Kind::parse(field("kind")).ok_or("the form names no kind of rule")?;
    let mut numbers = BTreeMap::new();
    for parameter in kind.parameters() {
        let text = field(parameter.name);
        if text.is_empty() {
            continue;
        }
        let value = text
            .parse::<f64>()
            .map_err(|_| format!("{}: “{text}” is not a number", parameter.label))?;
        numbers.insert(parameter.name.to_owned(), value);
    }
    let hold = field("hold_seconds");
    let hold = match hold {
        "" => kind.hold(),
        text => text
            .parse()
            .map_err(|_| format!("“{text}” is not a number of seconds"))?,
    };
    let receivers = sent.iter().filter(|(key, _)| key == "receivers");
    Ok(Rule {
        id: field("id").to_owned(),
        name: field("name").to_owned(),
        kind,
        service: field("service").to_owned(),
        environment: field("environment").to_owned(),
        hold_seconds: Some(hold),
        // A box that is not ticked is not sent at all.
        enabled: field("enabled") == "yes",
        receivers: receivers.map(|(_, value)| value.clone()).collect(),
        numbers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_form_is_read_as_a_rule() {
        let rule = rule_of(&sent(&[
            ("id", ""),
            ("kind", "failure_rate"),
            ("name", " mine "),
            ("percent", "2.5"),
            ("requests", ""),
            ("hold_seconds", "30"),
            ("receivers", "a"),
            ("receivers", "b"),
        ]));
        let rule = rule.unwrap().checked().unwrap();
        assert_eq!(
            (&*rule.name, rule.hold(), rule.enabled),
            ("mine", 30, false)
        );
        assert_eq!(
            (rule.number("percent"), rule.number("requests")),
            (2.5, 20.0)
        );
        assert_eq!(rule.receivers, ["a", "b"]);
    }

    #[test]
    fn a_form_that_cannot_be_read_says_why() {
        for (pairs, words) in [
            (&[("kind", "x")][..], "no kind"),
            (
                &[("kind", "disk"), ("megabytes", "much")][..],
                "“much” is not a number",
            ),
            (&[("kind", "disk"), ("hold_seconds", "-1")][..], "seconds"),
        ] {
            let error = rule_of(&sent(pairs)).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
