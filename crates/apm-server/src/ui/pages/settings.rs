//! `/settings`: what is stored and for how long, how the writer does, and the configuration that agents ask for.

mod data;
mod names;
mod output;

use std::collections::BTreeMap;

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::agent_config::Settings;
use crate::answers::settings::{Agent, Answer as Found, Params};
use crate::ui::components::cells::meter;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::{nothing, pairs};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::moment::span_words;
use crate::ui::number::{self, bytes, duration, grouped};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let stored = found.database_bytes + found.log_bytes;
        let answer = match found.max_bytes {
            Some(limit) => format!("{} of {} are used.", bytes(stored), bytes(limit)),
            None => format!("{} are used. There is no limit.", bytes(stored)),
        };
        let why = match (&found.trouble, found.events_seconds) {
            (Some(error), _) => format!("The last commit failed: {error}"),
            (None, Some(age)) => {
                format!(
                    "Events are kept for {}. Then the oldest are deleted.",
                    age_words(age)
                )
            }
            (None, None) => {
                "Events are kept until the limit is reached. Then the oldest are deleted."
                    .to_owned()
            }
        };
        let body = html! {
            (page_head(&[Crumb::here("Settings")], answer, why))
            (numbers(found))
            div.cols.cols--2 {
                div.stack {
                    (storage(view, found))
                    @if let Some(output) = &found.output { (output::panel(view, output)) }
                    (data::import(view))
                }
                div.stack {
                    (names::panel(view, &found.names))
                    (agents(view, &found.agents))
                    (data::clear(view))
                }
            }
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Settings, "Settings", body)
        })
    }
}

/// A time in words.
fn age_words(seconds: f64) -> String {
    span_words((seconds * 1e6) as i64)
}

fn numbers(found: &Found) -> Markup {
    let failed = |n: u64| match n {
        0 => html! { "0" },
        n => html! { span.failed { (grouped(n)) } },
    };
    let stored = number::compact(found.events);
    let mut list = vec![
        Fact::with("Events stored", stored, dim("since the start")),
        Fact::new("Waiting", grouped(found.queued_events)),
        Fact::new("Not stored", failed(found.failed_events)),
        Fact::new("Batches refused", grouped(found.refused_batches)),
        Fact::with(
            "Wrong clocks",
            failed(found.wrong_times),
            dim("events, stored with their time of arrival"),
        ),
    ];
    if let Some(seconds) = found.commit_seconds {
        list.push(Fact::with(
            "A commit takes",
            duration(seconds * 1e6),
            dim("on average"),
        ));
    }
    facts(&list)
}

fn storage(view: &View, found: &Found) -> Markup {
    let stored = found.database_bytes + found.log_bytes;
    let age = |age: Option<f64>| age.map_or_else(|| "for ever".to_owned(), age_words);
    let durability = match found.survives_power_loss {
        false => "acknowledged events survive a crash of the process",
        true => "acknowledged events also survive a power loss",
    };
    let oldest = match found.oldest {
        Some(at) => html! { "arrived " (view.clock.relative(at * SECOND)) },
        None => html! { "none is stored" },
    };
    let largest = match found.max_bytes {
        Some(limit) => bytes(limit).to_string(),
        None => "no limit".to_owned(),
    };
    html! {
        section.panel {
            div.panel-head { h2 { "Storage" } span.note { "set when the server starts" } }
            div.pad {
                @if let Some(limit) = found.max_bytes { (meter(stored as f64 / limit.max(1) as f64, "fill")) }
                (pairs([
                    ("File", html! { code { (found.path) } }),
                    ("Size now", html! { (bytes(stored).to_string()) }),
                    ("Log", log_words(found)),
                    ("Largest size", html! { (largest) " " span.dim { code { "--apm-max-size" } } }),
                    ("Events", html! { (age(found.events_seconds)) " " span.dim { code { "--apm-max-age" } } }),
                    ("Oldest event", oldest),
                    ("Kept traces", html! {
                        a href="/kept" { (bytes(found.kept_bytes.unsigned_abs()).to_string()) }
                        " of " (found.keep_percent) " % " span.dim { code { "--apm-keep" } }
                    }),
                    ("Rollups", html! { (age(found.rollups_seconds)) }),
                    ("Durability", html! { (durability) }),
                    ("OpenTelemetry", receivers(view, found)),
                ]))
            }
            @if found.max_bytes.is_some() {
                p.panel-foot {
                    "At the largest size, the oldest events are deleted first, but for traces that are kept. \
                     When the events that are left take less than a "
                    "quarter of it, the oldest rollups are deleted. These are the counts behind the charts."
                }
            }
            p.panel-foot {
                "Counters for scripts: "
                a href="/metrics" { "/metrics" } " and "
                a href="/api/v1/status" { "/api/v1/status" }
                ". The API is described in " a href="/api/v1/openapi.json" { "openapi.json" } "."
            }
        }
    }
}

/// The addresses at which OTLP is taken.
fn receivers(view: &View, found: &Found) -> Markup {
    let option = |name: &str| html! { " " span.dim.nobr { code { (name) } } };
    html! {
        "OTLP over HTTP at " code { (view.origin) }
        @if let Some(address) = &found.otlp_http {
            " and " code { (address) } (option("--apm-otlp-listen"))
        }
        br;
        @match &found.otlp_grpc {
            Some(address) => { "over gRPC at " code { (address) } (option("--apm-otlp-grpc-listen")) },
            None => { "not over gRPC" (option("--apm-otlp-grpc-listen")) },
        }
    }
}

/// The size of the log, and the process that keeps it from being emptied.
fn log_words(found: &Found) -> Markup {
    html! {
        (bytes(found.log_bytes).to_string()) " "
        span.dim { "of at most " (bytes(found.log_max_bytes).to_string()) }
        @if let Some(seconds) = found.log_pinned_seconds {
            br;
            span.failed {
                "Another process has kept it from being emptied for " (age_words(seconds))
                ": end that process, such as an open SQL shell or a copy."
                " At its largest size, events are refused."
            }
        }
        @if found.lost_logs > 0 {
            br;
            span.failed {
                "It was deleted, replaced or cut " (words::count(found.lost_logs, "time", "times"))
                " since the start; the server's log says what was lost."
            }
        }
        @if found.damaged_blocks > 0 {
            br;
            span.failed {
                (words::count(found.damaged_blocks, "block of stored events is", "blocks of stored events are"))
                " damaged: the disk gave back other bytes than were written. The server's log says which. Check the "
                "disk, and restore the database from a copy."
            }
        }
    }
}

fn agents(view: &View, configured: &[Agent]) -> Markup {
    const COLUMNS: [Column; 4] = [
        Column::text("Service"),
        Column::text("Environment"),
        Column::text("Settings"),
        Column::bare("Applied"),
    ];
    let name = |text: &str, all: &str| match text {
        "" => all.to_owned(),
        text => words::cut(text, 40),
    };
    let rows = html! {
        @for one in configured {
            tr {
                th scope="row" { (name(&one.service, "all services")) }
                td.soft { (name(&one.environment, "all")) }
                td.grow { @for (key, value) in &one.values { code { (key) "=" (value) } " " } }
                td.num.soft {
                    @match one.applied { Some(at) => (view.clock.relative(at)), None => "not yet" }
                }
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Settings by service",
        name: "agents",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        section.panel {
            div.panel-head { h2 { "Agent configuration" } span.note { "agents ask for it every 30 s" } }
            @if configured.is_empty() { (nothing("Nothing is set", "Agents use their local settings.")) }
            @else { (framed(view, frame, rows)) }
            form.form method="post" action="/settings/agents" {
                h3 { "Set or change" }
                label {
                    "Service, empty for all"
                    input.input.input--text name="service" autocomplete="off" spellcheck="false";
                }
                label {
                    "Environment, empty for all"
                    input.input.input--text name="environment" autocomplete="off" spellcheck="false";
                }
                label {
                    "One setting per line. Leave empty to delete."
                    textarea.input.input--text.lines name="settings" rows="3" spellcheck="false"
                        placeholder="transaction_sample_rate=0.5" {}
                }
                div.row {
                    button.btn.btn--primary type="submit" { "Save" }
                    span.dim { "transaction_sample_rate, capture_body, log_level, …" }
                }
            }
        }
    }
}

/// The settings that the form sends; the error names the line.
pub(crate) fn read(form: &[(String, String)]) -> Result<Settings, String> {
    const MOST: usize = 50;
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
        if key.is_empty()
            || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            || key.len() > 64
            || value.len() > 1024
        {
            return Err(format!(
                "“{}” is not the name of a setting: use letters, digits and _",
                words::cut(key, 60)
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
    let cut = |text: &str| text.chars().take(1024).collect::<String>();
    Ok(Settings {
        service: cut(field("service")),
        environment: cut(field("environment")),
        values,
        applied: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(settings: &str) -> Vec<(String, String)> {
        vec![
            ("service".to_owned(), " my-app ".to_owned()),
            ("settings".to_owned(), settings.to_owned()),
        ]
    }

    #[test]
    fn a_form_is_read_line_by_line() {
        let settings = read(&form(
            "transaction_sample_rate = 0.5\r\n\r\ncapture_body=all",
        ))
        .unwrap();
        assert_eq!(settings.service, "my-app");
        assert_eq!(settings.values.len(), 2);
        assert_eq!(settings.values["transaction_sample_rate"], "0.5");
        assert!(read(&form("")).unwrap().values.is_empty());
    }

    #[test]
    fn an_error_names_the_line_and_the_remedy() {
        assert!(
            read(&form("capture_body"))
                .unwrap_err()
                .contains("name=value")
        );
        assert!(read(&form("a b=1")).unwrap_err().contains("letters"));
    }
}
