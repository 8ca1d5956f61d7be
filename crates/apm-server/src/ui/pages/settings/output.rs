//! The output to Elasticsearch or OpenSearch.

use apm_time::SECOND;
use maud::{Markup, html};

use super::age_words;
use crate::answers::settings::{Covers, Output, Refused};
use crate::ui::components::panel::pairs;
use crate::ui::number::{compact, grouped};
use crate::ui::view::View;
use crate::ui::words;

/// The engine, how far it is behind, and what it did not take.
pub(super) fn panel(view: &View, output: &Output) -> Markup {
    let engine = output.engine.as_deref().unwrap_or("not reached yet");
    html! {
        section.panel id="output" {
            div.panel-head { h2 { "Output" } span.note { "Elasticsearch or OpenSearch" } }
            div.pad {
                (pairs([
                    ("Engine", html! { (engine) }),
                    ("Addresses", html! { @for host in &output.hosts { code { (host) } " " } }),
                    ("Data streams", html! { code { "*-" (output.namespace) } }),
                    ("Sent", html! {
                        (compact(output.documents)) " documents "
                        span.dim { (grouped(output.documents_per_second as u64)) " a second" }
                    }),
                    ("Waiting", waiting(output)),
                    ("Refused", refused(&output.refused)),
                    ("Lost", html! {
                        @if output.lost > 0 {
                            span.failed { (words::count(output.lost, "event", "events")) }
                            " " span.dim { "deleted before they were sent" }
                        } @else { "0" }
                    }),
                ].into_iter().chain(retention(output))))
            }
            (servers(&output.covers))
            @if let Some(trouble) = &output.trouble {
                p.panel-foot {
                    span.failed { "Nothing can be sent now: " (trouble) }
                    " Events are kept until they can be sent."
                }
            }
            @if !output.refusals.is_empty() {
                details.panel-foot {
                    summary { "The last documents that the engine refused" }
                    @for refusal in &output.refusals {
                        p { (view.clock.relative(refusal.at * SECOND)) ": " (words::cut(&refusal.error, 300)) }
                        pre { (words::cut(&refusal.document, 600)) }
                    }
                }
            }
        }
    }
}

/// The servers whose counts the pages have.
fn servers(covers: &Covers) -> Markup {
    html! {
        @if let Some(trouble) = &covers.trouble {
            p.panel-foot { span.failed { "Counts are not shared with other servers now: " (trouble) } }
        }
        @if covers.lost > 0 {
            p.panel-foot {
                span.failed { (words::count(covers.lost.unsigned_abs(), "document", "documents")) }
                " of counts did not reach the other servers: they were deleted before, or refused."
            }
        }
        @if !covers.refused.is_empty() {
            p.panel-foot {
                "Settings, markers, decisions, announcements and counts of others that were not taken: "
                (refused(&covers.refused)) "."
            }
        }
        @for one in &covers.others {
            p.panel-foot {
                "Counts of the server " code { (words::cut(&one.name, 60)) } " are included: "
                @if one.is_silent { span.failed { "silent for " (age_words(one.behind_seconds)) } }
                @else { (format!("{:.0} s behind", one.behind_seconds.ceil())) }
                @if one.waiting > 0 { ", " (words::count(one.waiting.unsigned_abs(), "document", "documents")) " wait" }
                @if one.skipped > 0 {
                    @let count = words::count(one.skipped.unsigned_abs(), "document", "documents");
                    ", " span.failed { (count) " did not arrive" }
                }
                @if one.dropped > 0 {
                    ", " span.failed { (words::count(one.dropped.unsigned_abs(), "row", "rows")) " were not added" }
                }
                "."
            }
        }
    }
}

/// The age at which the engine deletes documents, where that was asked for.
fn retention(output: &Output) -> Option<(&'static str, Markup)> {
    let words = output.retention.as_ref()?;
    Some(("Deleted there", html! { (words::cut(words, 300)) }))
}

fn waiting(output: &Output) -> Markup {
    html! {
        (words::count(output.lag_events, "event", "events"))
        @if output.lag_events > 0 { " " span.dim { "for " (age_words(output.lag_seconds)) } }
    }
}

fn refused(refused: &[Refused]) -> Markup {
    html! {
        @if refused.is_empty() { "0" }
        @for (at, one) in refused.iter().enumerate() {
            @if at > 0 { ", " }
            span.failed { (grouped(one.count.unsigned_abs())) } " " code { (words::cut(&one.reason, 60)) }
        }
    }
}
