//! The requests that run a statement, and its newest runs.

use maud::{Markup, html};

use crate::answers::statement::{Answer as Found, Params};
use crate::insight::callers::Caller;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::panel::nothing;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number;
use crate::ui::pages::{beyond, transaction_href};
use crate::ui::view::View;
use crate::ui::words;

/// Rows of the table of callers.
const CALLERS: usize = 50;
/// Rows of the table of runs.
const RUNS: usize = 20;

/// The table of callers.
pub(super) fn who(view: &View, callers: &[Caller]) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Request"),
        Column::bare("Requests"),
        Column::bare("Calls per request"),
        Column::bare("At most"),
        Column::figure("Time per request"),
        Column::figure("Share of request"),
    ];
    if callers.is_empty() {
        return nothing(
            "No callers counted",
            "They are counted a few seconds after their requests.",
        );
    }
    let href = |caller: &Caller| {
        transaction_href(view, &caller.service, &caller.kind, &caller.transaction)
    };
    let rows = html! {
        @for caller in callers.iter().take(CALLERS) {
            tr {
                th scope="row" { a href=(href(caller)) { (caller.transaction) } span.sub { (caller.service) } }
                (cells::count(caller.requests.unsigned_abs()))
                td.num { (number::rate(caller.calls)) }
                td.num {
                    a href=(view.to(&["traces", &caller.trace])) title="A request with the most calls" {
                        (format!("{:.0}", caller.most))
                    }
                }
                (cells::duration(Some(caller.time)))
                (cells::percent(caller.share))
            }
        }
    };
    let frame = Frame {
        class: "table--lines",
        caption: "Requests that run this statement",
        name: "callers",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, rows))
        (beyond(callers.len().saturating_sub(CALLERS), "caller", "callers"))
    }
}

/// The table of runs.
pub(super) fn samples(view: &View, params: &Params, found: &Found) -> Markup {
    const COLUMNS: [Column; 3] = [
        Column::text("Time"),
        Column::figure("Duration"),
        Column::text("Trace"),
    ];
    if found.samples.is_empty() && params.is_chosen() {
        return nothing(
            "No run took as long",
            "Select other durations in the distribution, or clear the selection.",
        );
    }
    if found.samples.is_empty() {
        return nothing(
            "No runs kept",
            "Single runs are kept for a shorter time than their counts.",
        );
    }
    let rows = html! {
        @for run in found.samples.iter().take(RUNS) {
            tr {
                th scope="row" { (view.clock.stamp(run.timestamp)) }
                (cells::duration(Some(run.duration as f64)))
                td {
                    @let id = &run.trace_id;
                    a href=(view.to(&["traces", id])) { code title=(id) { (words::short_trace(id)) } }
                    @if run.calls > 1 { " " (flag(Tone::Neutral, &format!("{}×", run.calls))) }
                    @if run.outcome == "failure" { " " (flag(Tone::Bad, "failed")) }
                }
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Newest runs",
        name: "samples",
        columns: &COLUMNS,
        sort: None,
    };
    let all = found.samples.len();
    html! {
        (framed(view, frame, rows))
        @if all > RUNS {
            p.panel-foot {
                "The newest " (RUNS) " are shown. The file has the newest " (number::grouped(all as u64)) "."
            }
        }
    }
}
