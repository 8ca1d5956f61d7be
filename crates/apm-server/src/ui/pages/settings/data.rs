//! Taking a recording in, and deleting everything.

use maud::{Markup, html};

use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;

/// The form that takes a file, and what became of the last one.
pub(super) fn import(view: &View) -> Markup {
    let number = |name: &str| view.param(name).and_then(|text| text.parse::<u64>().ok());
    html! {
        section.panel id="import" {
            div.panel-head { h2 { "Import" } span.note { "NDJSON as agents send it, plain or gzip" } }
            @if let Some(accepted) = number("imported") {
                @let refused = number("refused").unwrap_or(0);
                p.note-box.pad-note role="status" {
                    (words::count(accepted, "event was", "events were")) " stored"
                    @if refused > 0 { ", " (words::count(refused, "line was", "lines were")) " refused" }
                    "."
                    @if let Some(trace) = view.param("trace") {
                        " " a href=(view.to(&["traces", trace])) { "Open the trace" }
                    }
                }
            }
            form.form method="post" action="/settings/import" enctype="multipart/form-data" {
                label {
                    "An exported trace or a recorded stream, at most "
                    (grouped(crate::ui::upload::MOST as u64 >> 20))
                    " MiB"
                    input.input.input--text type="file" name="file" required accept=".ndjson,.json,.gz";
                }
                div.row {
                    button.btn.btn--primary type="submit" { "Import" }
                    span.dim { "For larger files: " code { "pocket-apm import FILE" } }
                }
            }
        }
    }
}

/// The form that deletes everything.
pub(super) fn clear(view: &View) -> Markup {
    html! {
        section.panel id="clear" {
            div.panel-head { h2 { "Clear data" } span.note { "events, charts, findings and markers" } }
            @if view.param("cleared").is_some() {
                p.note-box.pad-note role="status" { "Everything was deleted. Settings of agents were kept." }
            }
            form.form method="post" action="/settings/clear" {
                label.check {
                    input type="checkbox" name="sure" value="yes" required;
                    span { "Delete everything that is stored. This can't be undone." }
                }
                div.row {
                    button.btn.btn--bad type="submit" { "Delete everything" }
                    span.dim { "Agents can send new data afterwards." }
                }
            }
        }
    }
}
