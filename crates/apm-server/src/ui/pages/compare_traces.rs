//! `/traces/{trace}/compare/{other}`: two traces side by side.

use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::analytics::trace::align::{Became, Row, Side};
use crate::answers::Problem;
use crate::answers::compare_traces::{Answer as Found, Compared, Params};
use crate::answers::trace::named;
use crate::ui::budget::each;
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, duration};
use crate::ui::query_bar::sentence;
use crate::ui::view::View;
use crate::ui::words;

/// Depth to which rows are indented.
const INDENTED: u32 = 12;

const COLUMNS: [Column; 6] = [
    Column::text("Operation"),
    Column::text("Service"),
    Column::text("Change"),
    Column::figure("First"),
    Column::figure("Second"),
    Column::figure("Difference"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let crumbs = [
            Crumb::link("Traces", view.to(&["traces"]).to_string()),
            Crumb::link(
                short(&found.first),
                view.to(&["traces", &found.first.id]).to_string(),
            ),
            Crumb::here(format!("compared with {}", short(&found.second))),
        ];
        let (answer, why) = headline(found);
        let shown = each(&found.aligned.rows, |row| line(view, found, row));
        let frame = Frame {
            class: "",
            caption: "Operations of both traces",
            name: "rows",
            columns: &COLUMNS,
            sort: None,
        };
        let swap = view.to(&["traces", &found.second.id, "compare", &found.first.id]);
        let count = number::grouped(found.aligned.rows.len() as u64);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (facts(&[side_fact(view, "First", &found.first), side_fact(view, "Second", &found.second)]))
            (super::elsewhere_note(&found.first.elsewhere))
            @if found.second.elsewhere.words() != found.first.elsewhere.words() {
                (super::elsewhere_note(&found.second.elsewhere))
            }
            (panel("Operations", count, html! { a.btn.btn--small href=(swap) { "Swap" } }, html! {
                (framed(view, frame, shown))
                @if found.aligned.is_cut {
                    p.panel-foot { "The first " (number::grouped(found.aligned.rows.len() as u64)) " rows are shown." }
                }
            }))
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Traces, "Two traces", body)
        })
    }

    fn missing(context: &Context<'_>, problem: &Problem) -> Page {
        let view = context.view;
        let crumbs = [
            Crumb::link("Traces", view.to(&["traces"]).to_string()),
            Crumb::here("not found"),
        ];
        let recent = html! { a.btn href=(view.to(&["traces"])) { "Recent traces" } };
        let body = html! {
            (page_head(&crumbs, "These traces cannot be compared.", sentence(&problem.to_string())))
            (empty("No such trace", "One of the traces is not stored.", recent))
        };
        Page {
            fresh: false,
            ..page(Section::Traces, "Trace not found", body)
        }
    }
}

fn short(trace: &Compared) -> &str {
    words::short_trace(&trace.id)
}

fn headline(found: &Found) -> (String, String) {
    let (first, second) = (found.first.duration, found.second.duration);
    let times = format!(
        "{} against {}",
        duration(second as f64),
        duration(first as f64)
    );
    let answer = match second - first {
        longer if longer > 0 => {
            format!(
                "The second trace took {} longer: {times}.",
                duration(longer as f64)
            )
        }
        shorter if shorter < 0 => {
            let by = duration(shorter.unsigned_abs() as f64);
            format!("The second trace took {by} less: {times}.")
        }
        _ => format!("Both traces took {}.", duration(first as f64)),
    };
    // The operation that tells most of the difference, by the time that is its own.
    let sign = (second - first).signum();
    let rows = found.aligned.rows.iter();
    let most = rows.max_by_key(|row| row.own_difference() * sign);
    let why = match most {
        Some(row) if row.own_difference() * sign > 0 => {
            let name = words::cut(named(&row.name), 80);
            let by = duration(row.own_difference().unsigned_abs() as f64);
            let more = if sign > 0 { "more" } else { "less" };
            match (row.first, row.second) {
                (None, _) => format!("Mostly new: {name}, {by}, is only in the second."),
                (_, None) => format!("Mostly gone: {name}, {by}, is only in the first."),
                (Some(a), Some(b)) if a.count != b.count => {
                    format!(
                        "Most of it: {name} took {by} {more}, in {} calls instead of {}.",
                        number::grouped(b.count.unsigned_abs()),
                        number::grouped(a.count.unsigned_abs())
                    )
                }
                _ => format!("Most of it: {name} took {by} {more}."),
            }
        }
        _ => "No operation differs much.".to_owned(),
    };
    (answer, why)
}

fn side_fact(view: &View, label: &'static str, trace: &Compared) -> Fact {
    let href = view.to(&["traces", &trace.id]);
    let name = words::cut(named(&trace.name), 40);
    let about = format!(
        "{} · {} · {}",
        view.clock.second(trace.timestamp),
        words::count(trace.items as u64, "item", "items"),
        words::count(trace.errors as u64, "error", "errors")
    );
    let value =
        html! { a href=(href) title=(trace.name) { (name) } " " (duration(trace.duration as f64)) };
    Fact::with(label, value, dim(about))
}

fn line(view: &View, found: &Found, row: &Row) -> Markup {
    let (tone, word) = match row.became {
        Became::Same => (Tone::Neutral, "same"),
        Became::Slower => (Tone::Bad, "slower"),
        Became::Faster => (Tone::Good, "faster"),
        Became::New => (Tone::Warn, "new"),
        Became::Gone => (Tone::Neutral, "gone"),
    };
    let difference = row.difference;
    let sign = if difference > 0 { "+" } else { "−" };
    let second = row.second.is_some();
    let trace = if second { &found.second } else { &found.first };
    let href = view
        .to(&["traces", &trace.id])
        .set("find", named(&row.name));
    html! {
        tr class=[(row.became == Became::Same).then_some("soft")] {
            th.grow scope="row" {
                span class={ "deep deep-" (row.depth.min(INDENTED)) } {
                    @if row.depth > INDENTED { span.dim { (row.depth) " " } }
                    a.plain href=(href) title=(row.name) { (named(&row.name)) }
                }
            }
            td.soft title=(row.service) { (words::cut(&row.service, 40)) }
            td { @if row.became == Became::Same { span.dim { (word) } } @else { (flag(tone, word)) } }
            (side(row.first))
            (side(row.second))
            td.num.soft { @if difference == 0 { "–" } @else { (sign) (duration(difference.unsigned_abs() as f64)) } }
        }
    }
}

fn side(side: Option<Side>) -> Markup {
    html! {
        td.num {
            @match side {
                Some(side) => {
                    (duration(side.duration as f64))
                    @if side.count > 1 {
                        span.dim title="calls" { " · " (number::grouped(side.count.unsigned_abs())) }
                    }
                }
                None => span.dim { "–" },
            }
        }
    }
}
