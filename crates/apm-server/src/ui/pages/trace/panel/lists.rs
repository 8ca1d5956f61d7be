//! The tabs with the errors of a trace, its log lines, and the document of an item.

use maud::{Markup, html};

use super::Panel;
use crate::analytics::trace::item::TraceError;
use crate::ui::components::cells::{flag, level_tone};
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::panel::nothing;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::pages::errors::short;
use crate::ui::pages::pager;
use crate::ui::view::View;
use crate::ui::words;

/// Letters of a message in a table; all of it is in its document.
const MOST_LETTERS: usize = 300;

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_LETTERS);
    end.map_or(text, |(end, _)| &text[..end])
}

impl Panel<'_> {
    pub(super) fn errors(&self, view: &View) -> Markup {
        const COLUMNS: [Column; 4] = [
            Column::text("Error"),
            Column::text("Service"),
            Column::text("Where"),
            Column::bare("Time"),
        ];
        let (Some(errors), Some(rows)) = (&self.looked.error_rows, &self.looked.tab_rows) else {
            return html! {};
        };
        if errors.is_empty() {
            return nothing(
                "No errors",
                "No exception and no logged error was recorded in this trace.",
            );
        }
        let href =
            |error: &TraceError| view.to(&["services", &error.service, "errors", &error.key]);
        let body = html! {
            @for error in errors {
                @let message = if error.message.is_empty() { &error.kind } else { &error.message };
                @let message = cut(message);
                tr {
                    th.grow scope="row" {
                        a href=(href(error)) title=(message) { (message) }
                        " " span.dim { code { (short(&error.key)) } }
                    }
                    td.soft { (error.service) }
                    td.soft { (error.culprit) }
                    td.num { (view.clock.milli(error.timestamp)) }
                }
            }
        };
        let frame = Frame {
            class: "",
            caption: "Errors of this trace",
            name: "error_rows",
            columns: &COLUMNS,
            sort: None,
        };
        html! { (framed(view, frame, body)) (pager(view, rows, "", false)) }
    }

    pub(super) fn logs(&self, view: &View) -> Markup {
        const COLUMNS: [Column; 4] = [
            Column::text("Time"),
            Column::text("Level"),
            Column::text("Service"),
            Column::text("Message"),
        ];
        let (Some(lines), Some(rows)) = (&self.looked.log_lines, &self.looked.tab_rows) else {
            return html! {};
        };
        if lines.is_empty() {
            return nothing(
                "No logs",
                html! { "An agent that sends logs, or lines that carry " code { "trace.id" } ", would fill this tab." },
            );
        }
        let body = html! {
            @for line in lines {
                tr {
                    td.mono { (view.clock.milli(line.timestamp)) }
                    td { @if !line.level.is_empty() { (flag(level_tone(&line.level), &words::cut(&line.level, 12))) } }
                    td.soft { (line.service) }
                    td.grow title=(cut(&line.message)) { (cut(&line.message)) }
                }
            }
        };
        let frame = Frame {
            class: "docs",
            caption: "Log lines of this trace",
            name: "log_lines",
            columns: &COLUMNS,
            sort: None,
        };
        html! { (framed(view, frame, body)) (pager(view, rows, "", false)) }
    }

    pub(super) fn json(&self) -> Markup {
        let Some(document) = &self.looked.document else {
            return nothing(
                "No document",
                "The document of this event is no longer stored.",
            );
        };
        let text = serde_json::to_string_pretty(document).unwrap_or_default();
        html! {
            div.pad-all {
                div.row { (copy("document", "Copy")) }
                (code::block("document", html! { (text) }))
            }
        }
    }
}
