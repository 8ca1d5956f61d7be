//! The settings that agents ask for: a row for each service, which agents have applied it, and a form.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::json;

use crate::agent_config::options::{self, LONGEST_NAME, LONGEST_VALUE, MOST};
use crate::agent_config::{self, Settings};
use crate::answers::settings::Agent;
use crate::ui::components::panel::nothing;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::href::Href;
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

/// Agents that are named for each row.
const MOST_NAMED: usize = 20;

/// Bytes of settings that an address may carry, so that a change can be undone.
const MOST_UNDO: usize = 3_000;

/// The panel.
pub(super) fn panel(view: &View, configured: &[Agent]) -> Markup {
    const COLUMNS: [Column; 5] = [
        Column::text("Service"),
        Column::text("Environment"),
        Column::text("Settings"),
        Column::text("Applied"),
        Column::text("Change"),
    ];
    let rows = html! { @for one in configured { (row(view, one)) } };
    let frame = Frame {
        class: "",
        caption: "Settings by service",
        name: "agents",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        section.panel id="agents" {
            div.panel-head { h2 { "Agent configuration" } span.note { "agents ask for it every 30 s" } }
            (done(view))
            @if configured.is_empty() { (nothing("Nothing is set", "Agents use their local settings.")) }
            @else { (framed(view, frame, rows)) }
            (form(view, configured))
            (known())
        }
    }
}

fn name(text: &str, all: &str) -> String {
    match text {
        "" => all.to_owned(),
        text => words::cut(text, 40),
    }
}

fn row(view: &View, one: &Agent) -> Markup {
    let edit = Href::at("/settings")
        .set("edit", &key(&one.service, &one.environment))
        .anchor("agents-form");
    let what = name(&one.service, "all services");
    html! {
        tr {
            th scope="row" title=(one.service) { (what) }
            td.soft title=(one.environment) { (name(&one.environment, "all")) }
            td.grow { @for (key, value) in &one.values { code { (key) "=" (value) } " " } }
            td.soft { (applied(view, one)) }
            td.act {
                span.row {
                    a href=(edit) aria-label={ "Edit the settings of " (what) } { "Edit" }
                    form method="post" action="/settings/agents" {
                        input type="hidden" name="service" value=(one.service);
                        input type="hidden" name="environment" value=(one.environment);
                        input type="hidden" name="settings" value="";
                        button.btn.btn--s type="submit" aria-label={ "Delete the settings of " (what) } { "Delete" }
                    }
                }
            }
        }
    }
}

/// The agents that ask for a row's settings, and whether they have them.
fn applied(view: &View, one: &Agent) -> Markup {
    if one.agents.is_empty() {
        return match one.applied {
            Some(at) => html! { (view.clock.relative(at)) },
            None => html! { "no agent has asked" },
        };
    }
    let have = one.agents.iter().filter(|agent| agent.has_applied).count();
    html! {
        details {
            summary { (have) " of " (words::count(one.agents.len() as u64, "agent", "agents")) }
            ul.plain-list {
                @for agent in one.agents.iter().take(MOST_NAMED) {
                    li {
                        @if agent.has_applied { "applied: " } @else { "not yet: " }
                        (words::cut(&agent.service, 40))
                        @if !agent.environment.is_empty() { ", " (words::cut(&agent.environment, 40)) }
                        " " span.dim { (agent.agent) ", asked " (view.clock.relative(agent.at)) }
                    }
                }
                @if one.agents.len() > MOST_NAMED { li.dim { "and " (one.agents.len() - MOST_NAMED) " more" } }
            }
        }
    }
}

/// The outcome of the last change, and the way back.
fn done(view: &View) -> Markup {
    let said = match (view.param("saved"), view.param("deleted")) {
        (Some(_), _) => "Saved. Agents apply them within 30 seconds.",
        (_, Some(_)) => "Deleted. Agents go back to their local settings within 30 seconds.",
        _ => return html! {},
    };
    let before = view.param("undo").and_then(|text| before(text).ok());
    let before = before.as_ref();
    html! {
        div.note-box.pad-note role="status" {
            span {
                (said)
                @if let Some((before, _)) = before {
                    " Before: "
                    @if before.values.is_empty() { "nothing was set." }
                    @for (key, value) in &before.values { code { (key) "=" (value) } " " }
                }
            }
            @if let Some((before, made)) = before {
                form method="post" action="/settings/agents" {
                    input type="hidden" name="expected" value=(expected(&before.service, &before.environment, made));
                    input type="hidden" name="service" value=(before.service);
                    input type="hidden" name="environment" value=(before.environment);
                    input type="hidden" name="settings" value=(lines(&before.values));
                    button.btn type="submit" { "Undo" }
                }
            }
        }
    }
}

fn form(view: &View, configured: &[Agent]) -> Markup {
    let edited = view.param("edit").and_then(|wanted| {
        configured
            .iter()
            .find(|one| key(&one.service, &one.environment) == wanted)
    });
    let text = |pick: fn(&Agent) -> &str| edited.map_or("", pick);
    html! {
        form.form method="post" action="/settings/agents" id="agents-form" {
            h3 { @if edited.is_some() { "Edit" } @else { "Set or change" } }
            @if let Some(one) = edited {
                @let seen = agent_config::tag(&one.values);
                input type="hidden" name="expected" value=(expected(&one.service, &one.environment, &seen));
            }
            label {
                "Service, empty for all"
                input.input.input--text name="service" autocomplete="off" spellcheck="false"
                    value=(text(|one| &one.service));
            }
            label {
                "Environment, empty for all"
                input.input.input--text name="environment" autocomplete="off" spellcheck="false"
                    value=(text(|one| &one.environment));
            }
            label {
                "One setting per line. Leave empty to delete."
                textarea.input.input--text.lines name="settings" rows="3" spellcheck="false"
                    placeholder="transaction_sample_rate=0.5" {
                    @if let Some(one) = edited { (lines(&one.values)) }
                }
            }
            div.row {
                button.btn.btn--primary type="submit" { "Save" }
                @if edited.is_some() { a href="/settings#agents" { "Cancel" } }
            }
        }
    }
}

/// The options whose values are checked, and the agents that take each.
fn known() -> Markup {
    html! {
        details.options {
            summary { "Options whose values are checked, by agent" }
            div.wide {
                table.table {
                    caption.sr { "Options of agents" }
                    thead { tr {
                        th scope="col" { "Option" }
                        th scope="col" { "Values" }
                        th scope="col" { "Agents that take it" }
                    } }
                    tbody {
                        @for option in options::all() {
                            tr {
                                th scope="row" { code { (option.name) } }
                                td.says.soft { (option.values()) }
                                td.says.soft { (option.agents.join(", ")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A text that names a row.
fn key(service: &str, environment: &str) -> String {
    json!([service, environment]).to_string()
}

/// The settings that somebody has seen who changes them: whose they are, and their tag.
fn expected(service: &str, environment: &str, tag: &str) -> String {
    json!([service, environment, tag]).to_string()
}

/// The tag that the settings have to have which a form changes: of the same service and environment.
pub(crate) fn expected_tag(form: &[(String, String)], new: &Settings) -> Option<String> {
    let (_, seen) = form.iter().find(|(key, _)| key == "expected")?;
    let (service, environment, tag): (String, String, String) = serde_json::from_str(seen).ok()?;
    (service == new.service && environment == new.environment).then_some(tag)
}

/// One setting per line.
fn lines(values: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = values
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    lines.join("\n")
}

/// The address of the page after a change. `before`: the settings that it took the place of.
pub(crate) fn after(new: &Settings, before: Option<&Settings>) -> Href {
    let done = match new.values.is_empty() {
        true => "deleted",
        false => "saved",
    };
    let nothing = BTreeMap::new();
    let values = before.map_or(&nothing, |before| &before.values);
    let undo = json!([new.service, new.environment, values, new.etag()]).to_string();
    let href = Href::at("/settings").set(done, "1");
    // A longer address may be refused on the way. The change is made all the same, and cannot be undone by a button.
    let href = match undo.len() <= MOST_UNDO {
        true => href.set("undo", &undo),
        false => href,
    };
    href.anchor("agents")
}

/// The settings that an address carries, and the tag of those that took their place.
fn before(text: &str) -> Result<(Settings, String), serde_json::Error> {
    type Carried = (String, String, BTreeMap<String, String>, String);
    let (service, environment, values, made): Carried = serde_json::from_str(text)?;
    let before = Settings {
        service,
        environment,
        values,
        applied: None,
    };
    Ok((before, made))
}

/// The settings that the form sends; the error names the line.
pub(crate) fn read(form: &[(String, String)]) -> Result<Settings, String> {
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.trim())
    };
    let mut values = BTreeMap::new();
    for line in field("settings")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (key, value) = line.split_once('=').ok_or_else(|| {
            format!(
                "“{}” is not a setting: write name=value",
                words::cut(line, 60)
            )
        })?;
        let (key, value) = (key.trim(), value.trim());
        if !options::is_name(key) {
            return Err(format!(
                "“{}” is not the name of a setting: use letters, digits and _, at most {LONGEST_NAME}",
                words::cut(key, 60)
            ));
        }
        if value.len() > LONGEST_VALUE {
            return Err(format!(
                "the value of “{key}” has {} bytes, {} are allowed",
                number::grouped(value.len() as u64),
                number::grouped(LONGEST_VALUE as u64)
            ));
        }
        values.insert(key.to_owned(), value.to_owned());
    }
    if values.len() > MOST {
        return Err(format!(
            "{} settings are too many, {MOST} are allowed",
            values.len()
        ));
    }
    // Longer names are refused by the address that agents ask, so that none could ask for these.
    let cut = |text: &str| text.chars().take(1024).collect::<String>();
    Ok(Settings {
        service: cut(field("service")),
        environment: cut(field("environment")),
        values,
        applied: None,
    })
}

#[cfg(test)]
mod tests;
