//! `/settings`: what is stored and for how long, how the writer does, and the configuration that agents ask for.

pub(crate) mod agents;
mod data;
mod names;
mod output;

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::answers::settings::{Answer as Found, Params};
use crate::ui::components::cells::meter;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::pairs;
use crate::ui::components::shell::{Page, Section};
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
                    (agents::panel(view, &found.agents))
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
                        a.inline href="/kept" { (bytes(found.kept_bytes.unsigned_abs()).to_string()) }
                        " of " (found.keep_percent) " % " span.dim { code { "--apm-keep" } }
                    }),
                    ("Tail sampling", tail_words(found)),
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

/// The part of the traces that stays when they are complete.
fn tail_words(found: &Found) -> Markup {
    html! {
        @match (found.tail_percent, found.tail_seconds) {
            (Some(percent), Some(seconds)) => {
                (number::percent(percent / 100.0).to_string()) " of traces after " (age_words(seconds))
                "; all with an error, and slow ones"
            }
            _ => { "all traces stay" }
        }
        " " span.dim { code { "--apm-tail-sample" } }
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
