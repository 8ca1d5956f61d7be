//! The SQL tab: the statements of one trace, alike ones together, with what a repeat costs.

use maud::{Markup, html};

use crate::answers::trace::gaps::Gap;
use crate::answers::trace::look::Looked;
use crate::answers::trace::statements::TraceStatement;
use crate::ui::budget::each;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::panel::nothing;
use crate::ui::components::sql;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::pages::pager;
use crate::ui::view::View;

/// Calls from which one statement within one request is a finding.
const FINDING: i64 = 5;

const COLUMNS: [Column; 6] = [
    Column::text("Statement"),
    Column::bare("Calls"),
    Column::figure("Total"),
    Column::figure("Share of time"),
    Column::figure("Average"),
    Column::figure("Longest"),
];

/// The tab.
pub(super) fn tab(view: &View, looked: &Looked) -> Markup {
    let (Some(statements), Some(page)) = (&looked.statements, &looked.tab_rows) else {
        return html! {};
    };
    if statements.is_empty() {
        return nothing("No SQL", "No statement was recorded in this trace.");
    }
    let widest = statements
        .iter()
        .filter_map(|row| row.share)
        .fold(0.0, f64::max);
    let rows = each(statements, |one| row(view, one, widest));
    let frame = Frame {
        class: "table--lines",
        caption: "SQL statements of this trace by total time",
        name: "statements",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, rows))
        (pager(view, page, "time", false))
        (uncovered(view, looked.gaps.as_deref().unwrap_or_default()))
    }
}

fn row(view: &View, row: &TraceStatement, widest: f64) -> Markup {
    let text = html! { code.sql title=(row.statement) { (sql::highlight(&row.statement)) } };
    html! {
        tr {
            th.grow scope="row" {
                span.qtext {
                    @match &row.fingerprint {
                        Some(fingerprint) => a.plain href=(view.to(&["queries", fingerprint])) { (text) },
                        None => (text),
                    }
                    span.qsub {
                        span.dim { (row.service) }
                        @if row.calls >= FINDING { (flag(Tone::Warn, &format!("repeated {}×", row.calls))) }
                        @if row.failed > 0 { (flag(Tone::Bad, &format!("{} failed", row.failed))) }
                    }
                }
            }
            (cells::count(row.calls.unsigned_abs()))
            (cells::duration(Some(row.total as f64)))
            (cells::share(row.share, widest, "fill-db"))
            (cells::duration(row.average))
            (cells::duration(Some(row.longest as f64)))
        }
    }
}

/// Time between the statements that no span covers.
fn uncovered(view: &View, gaps: &[Gap]) -> Markup {
    const COLUMNS: [Column; 4] = [
        Column::text("Where"),
        Column::bare("Times"),
        Column::figure("Total"),
        Column::figure("Share"),
    ];
    if gaps.is_empty() {
        return html! {};
    }
    let widest = gaps.iter().filter_map(|gap| gap.share).fold(0.0, f64::max);
    let rows = html! {
        @for gap in gaps {
            tr {
                th.grow scope="row" {
                    span.clamp title=(gap.after) { (gap.after) }
                    @if gap.is_fetching { " " (flag(Tone::Warn, "rows are read after the span")) }
                }
                (cells::count(gap.count))
                (cells::duration(Some(gap.time as f64)))
                (cells::share(gap.share, widest, "fill"))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Not covered by any span",
        name: "gaps",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        h2.pad { "Not covered by any span" }
        (framed(view, frame, rows))
    }
}
