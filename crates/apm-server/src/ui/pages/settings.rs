//! `/settings`: what is stored and for how long, how the writer does, and the configuration that agents ask for.

mod data;
mod names;

use std::collections::BTreeMap;
use std::time::Duration;

use apm_store::schema::block;
use apm_store::{Store, StoreError, StoreStats};
use apm_time::SECOND;
use diesel::prelude::*;
use maud::{Markup, html};

use super::{Answer, Ask, page};
use crate::agent_config::{self, Settings};
use crate::analytics::names as kept_names;
use crate::ui::components::cells::meter;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::{nothing, pairs};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::csv;
use crate::ui::moment::span_words;
use crate::ui::number::{self, bytes, duration, grouped};
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn one(ask: &mut Ask<'_>, store: &Store) -> Result<Answer, StoreError> {
    let configured = agent_config::list(ask.conn)?;
    let kept = kept_names::list(ask.conn, &store.options().names)?;
    let oldest: Option<i64> = block::table
        .order(block::id.asc())
        .select(block::received)
        .first(ask.conn)
        .optional()?;
    let (stats, options) = (store.stats(), store.options());
    let stored = stats.database_bytes + stats.log_bytes;
    let answer = match options.max_size {
        Some(limit) => format!("{} of {} are used.", bytes(stored), bytes(limit)),
        None => format!("{} are used; there is no limit.", bytes(stored)),
    };
    let why = match (&stats.trouble, options.raw_max_age) {
        (Some(error), _) => format!("The last commit failed: {error}"),
        (None, Some(age)) => format!(
            "Events are kept for {}, then the oldest go.",
            age_words(age)
        ),
        (None, None) => {
            "Events are kept until the limit is reached, then the oldest go.".to_owned()
        }
    };
    let body = html! {
        (page_head(&[Crumb::here("Settings")], answer, why))
        (numbers(&stats))
        div.cols.cols--2 {
            div.stack { (storage(ask.view, store, &stats, oldest)) (data::import(ask.view)) }
            div.stack {
                (names::panel(&kept, &options.names, &stats))
                (agents(ask.view, &configured))
                (data::clear(ask.view))
            }
        }
    };
    Ok(Answer::Page(Page {
        fresh: false,
        ..page(Section::Settings, "Settings", body)
    }))
}

fn age_words(age: Duration) -> String {
    span_words(i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}

fn numbers(stats: &StoreStats) -> Markup {
    let average =
        (stats.commits > 0).then(|| stats.commit_time.as_micros() as f64 / stats.commits as f64);
    let mut list = vec![
        Fact::with(
            "Events stored",
            number::compact(stats.events),
            dim("since the start"),
        ),
        Fact::new("Waiting", grouped(stats.queued_events as u64)),
        Fact::new(
            "Not stored",
            html! { @if stats.failed_events > 0 { span.failed { (grouped(stats.failed_events)) } } @else { "0" } },
        ),
        Fact::new("Batches refused", grouped(stats.refused_batches)),
        Fact::with(
            "Wrong clocks",
            html! { @if stats.wrong_times > 0 { span.failed { (grouped(stats.wrong_times)) } } @else { "0" } },
            dim("events, stored as of their arrival"),
        ),
    ];
    if let Some(average) = average {
        list.push(Fact::with(
            "A commit takes",
            duration(average),
            dim("on average"),
        ));
    }
    facts(&list)
}

/// `oldest`: when the oldest event that is left arrived, seconds since 1970.
fn storage(view: &View, store: &Store, stats: &StoreStats, oldest: Option<i64>) -> Markup {
    let stored = stats.database_bytes + stats.log_bytes;
    let options = store.options();
    let limit = options.max_size.unwrap_or(0);
    let age = |age: Option<Duration>| age.map_or_else(|| "for ever".to_owned(), age_words);
    let durability = match options.durability {
        apm_store::Durability::Normal => "an acknowledged event survives the end of the process",
        apm_store::Durability::Full => "an acknowledged event survives a power loss too",
    };
    html! {
        section.panel {
            div.panel-head { h2 { "Storage" } span.note { "set when the server starts" } }
            div.pad {
                @if limit > 0 { (meter(stored as f64 / limit as f64, "fill")) }
                (pairs([
                    ("File", html! { code { (options.path.display()) } }),
                    ("Size now", html! { (bytes(stored).to_string()) }),
                    ("Log", log_words(stats)),
                    ("Largest size", html! { @if limit > 0 { (bytes(limit).to_string()) } @else { "no limit" } " " span.dim { code { "--apm-max-size" } } }),
                    ("Events", html! { (age(options.raw_max_age)) " " span.dim { code { "--apm-max-age" } } }),
                    ("Oldest event", html! { @match oldest { Some(at) => { "arrived " (view.clock.relative(at * SECOND)) } None => "none is stored" } }),
                    ("Rollups", html! { (age(options.rollup_max_age)) }),
                    ("Durability", html! { (durability) }),
                ]))
            }
            @if limit > 0 {
                p.panel-foot { "At its largest size the oldest events go first. When those that are left take less than a quarter of it, the oldest rollups go, which are the counts behind the charts." }
            }
            p.panel-foot { "Counters for scripts: " a href="/metrics" { "/metrics" } " and " a href="/api/v1/status" { "/api/v1/status" } "; the API is described in " a href="/api/v1/openapi.json" { "openapi.json" } "." }
        }
    }
}

/// What the log takes, and what keeps it from being emptied.
fn log_words(stats: &StoreStats) -> Markup {
    html! {
        (bytes(stats.log_bytes).to_string()) " " span.dim { "of at most " (bytes(stats.log_limit).to_string()) }
        @if let Some(time) = stats.log_pinned {
            br;
            span.failed {
                "Another process has kept it from being emptied for " (age_words(time)) ": end that process, such as an open SQL shell or a copy."
                " At its largest size, events are refused."
            }
        }
        @if stats.lost_logs > 0 {
            br;
            span.failed { "It was deleted, replaced or cut " (words::count(stats.lost_logs, "time", "times")) " since the start; the server's log says what was lost." }
        }
        @if stats.damaged_blocks > 0 {
            br;
            span.failed { (words::count(stats.damaged_blocks, "block of stored events is", "blocks of stored events are")) " damaged: the disk gave back other bytes than were written. The server's log says which. Check the disk, and restore the database from a copy." }
        }
    }
}

fn agents(view: &View, configured: &[Settings]) -> Markup {
    let name = |text: &str, all: &str| {
        if text.is_empty() {
            all.to_owned()
        } else {
            words::cut(text, 40)
        }
    };
    html! {
            section.panel {
                div.panel-head { h2 { "Agent configuration" } span.note { "agents ask for it every 30 s" } }
                @if configured.is_empty() { (nothing("Nothing is set", "Agents use their own settings.")) } @else {
                    div.wide { table.table {
                        caption.sr { "Settings by service" }
                        thead { tr { th scope="col" { "Service" } th scope="col" { "Environment" } th scope="col" { "Settings" } th.num.num--bare scope="col" { "Applied" } } }
                        tbody { @for one in configured { tr {
                            th scope="row" { (name(&one.service, "all services")) }
                            td.soft { (name(&one.environment, "all")) }
                            td.grow { @for (key, value) in &one.values { code { (key) "=" (value) } " " } }
                            td.num.soft { @match one.applied { Some(at) => (view.clock.relative(at)), None => "not yet" } }
                        } } }
                    } }
    (csv("Settings by service"))
                }
                form.form method="post" action="/settings/agents" {
                    h3 { "Set or change" }
                    label { "Service, empty for all" input.input.input--text name="service" autocomplete="off" spellcheck="false"; }
                    label { "Environment, empty for all" input.input.input--text name="environment" autocomplete="off" spellcheck="false"; }
                    label { "One setting a line; none removes them" textarea.input.input--text.lines name="settings" rows="3" spellcheck="false" placeholder="transaction_sample_rate=0.5" {} }
                    div.row { button.btn.btn--primary type="submit" { "Save" } span.dim { "transaction_sample_rate, capture_body, log_level, …" } }
                }
            }
        }
}

/// What the form sends, as settings; the error names the line.
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
