//! `/kept`: the traces that stay when the events around them go, and why.

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::analytics::kept::KeptTrace;
use crate::answers::kept::{Answer as Found, Params};
use crate::answers::trace::named;
use crate::ui::budget::each;
use crate::ui::components::controls::{Tab, tabs};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, bytes};
use crate::ui::view::View;
use crate::ui::words;

/// The words for a reason, on a page.
pub(crate) fn reason_words(reason: &str) -> &'static str {
    match reason {
        "pinned" => "Pinned",
        "error" => "Error",
        "failure" => "Failed request",
        "slowest" => "Slowest of its hour",
        _ => "Sample of a statement",
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let answer = format!(
            "{} kept beyond the newest events.",
            match found.total {
                0 => "No trace is".to_owned(),
                1 => "1 trace is".to_owned(),
                traces => format!("{} traces are", number::grouped(traces.unsigned_abs())),
            }
        );
        let room = match found.total {
            0 => String::new(),
            1 => format!("It takes {}. ", bytes(found.total_bytes.unsigned_abs())),
            _ => format!("They take {}. ", bytes(found.total_bytes.unsigned_abs())),
        };
        let why = format!(
            "{room}Failed and slow requests, samples of statements and pinned traces stay when the events around them \
             go."
        );
        let crumbs = [
            Crumb::link("Traces", view.to(&["traces"]).to_string()),
            Crumb::here("Kept"),
        ];
        let recent = html! { a.btn href=(view.to(&["traces"])) { "Recent traces" } };
        let body = html! {
            (page_head(&crumbs, answer, why))
            (reasons(self, view, found))
            @if found.traces.is_empty() {
                (empty("No trace is kept", "Traces are chosen when the oldest events are about to be deleted.", recent))
            } @else {
                @let list = html! { (rows(view, &found.traces)) (super::pager(view, &found.rows, "time", false)) };
                (panel("Newest first", number::grouped(found.rows.total as u64), html! {}, list))
            }
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Traces, "Kept traces", body)
        })
    }
}

/// Tells that of a part of the range only kept traces and samples are left. `since`: from when on everything is there,
/// seconds since 1970.
pub(crate) fn note(view: &View, since: Option<i64>) -> Markup {
    let since = since.map(|since| since * SECOND);
    html! {
        @if let Some(since) = since.filter(|since| view.range.from < *since) {
            p.scan-note {
                "Before " (view.clock.second(since)) ", only "
                a href=(view.to(&["kept"])) { "kept traces" }
                " and samples are stored."
            }
        }
    }
}

/// Links that show the traces of one reason.
fn reasons(params: &Params, view: &View, found: &Found) -> Markup {
    let mut all = vec![Tab {
        title: "All",
        href: view.to(&["kept"]).to_string(),
        count: None,
        current: params.reason.is_none(),
    }];
    all.extend(found.reasons.iter().map(|room| {
        Tab {
            title: reason_words(room.reason),
            href: view.to(&["kept"]).set("reason", room.reason).to_string(),
            count: Some(room.traces.unsigned_abs()),
            current: params
                .reason
                .is_some_and(|reason| reason.as_str() == room.reason),
        }
    }));
    tabs("Reason", &all)
}

fn rows(view: &View, traces: &[KeptTrace]) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Kept for"),
        Column::text("Service"),
        Column::text("Reason"),
        Column::bare("Events"),
        Column::bare("Size"),
        Column::bare("Hour"),
    ];
    let frame = Frame {
        class: "",
        caption: "Kept traces, newest first",
        name: "traces",
        columns: &COLUMNS,
        sort: None,
    };
    framed(view, frame, each(traces, |trace| row(view, trace)))
}

fn row(view: &View, trace: &KeptTrace) -> Markup {
    html! {
        tr {
            th.grow scope="row" {
                a href=(view.to(&["traces", &trace.trace])) title=(words::cut(&trace.subject, 400)) {
                    (words::cut(named(&trace.subject), 120))
                }
            }
            td.soft title=(trace.service) {
                @if !trace.service.is_empty() {
                    a.plain href=(view.to(&["services", &trace.service])) { (words::cut(&trace.service, 60)) }
                }
            }
            td { (reason_words(trace.reason)) }
            td.num { @if trace.events > 0 { (number::grouped(trace.events.unsigned_abs())) } @else { "all" } }
            td.num { @if trace.events > 0 { (bytes(trace.bytes.unsigned_abs()).to_string()) } @else { "–" } }
            td.num.soft { (view.clock.relative(trace.time * SECOND)) }
        }
    }
}
