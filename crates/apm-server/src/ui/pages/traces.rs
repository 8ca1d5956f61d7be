//! `/traces`: the newest traces, by their entries, filtered by any field of these.

use apm_store::StoreError;
use maud::{Markup, html};

use super::{Answer, Ask, page};
use crate::analytics::discover::{self, Groups};
use crate::analytics::traces::{self, ENTRIES, Entry, Question, Traces};
use crate::ui::components::cells::{self, result_class, swatch};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::Section;
use crate::ui::components::table::csv;
use crate::ui::number::{self, duration};
use crate::ui::pages::transactions::named;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// Traces of one page.
const SIZE: usize = 50;
/// The page.
pub(crate) fn list(ask: &mut Ask<'_>) -> Result<Answer, StoreError> {
    let view = ask.view;
    let question = Question {
        query: view.asked.expr.clone().unwrap_or(kql::Expr::All),
        environment: view.environment().map(str::to_owned),
        range: view.range,
        size: SIZE,
        after: view.param("after").and_then(discover::Cursor::parse),
    };
    let now = view.clock.now;
    let found = traces::list(ask.conn, &question, now)?;
    let names = traces::names(ask.conn, &question, now)?;
    let crumbs = [Crumb::here("Traces")];
    let body = if found.total == 0 && found.next.is_none() {
        html! {
            (page_head(&crumbs, format!("No trace began {}.", words::range(view)), "A trace begins with a request that no other traced service sent."))
            (super::nothing_here(view, "No traces"))
        }
    } else {
        let why = names
            .groups
            .first()
            .and_then(|first| first.value.as_deref().map(|name| (name, first.count)));
        let why = match why {
            Some((name, count)) if names.groups.len() > 1 => format!(
                "{} {}, {}.",
                if names.complete {
                    "Most often"
                } else {
                    "Of late most often"
                },
                words::cut(named(name), 80),
                words::count(count, "time", "times")
            ),
            Some((name, _)) => format!("All of them {}.", words::cut(named(name), 80)),
            None => String::new(),
        };
        let more = if found.complete { "" } else { "At least " };
        let answer = format!(
            "{more}{} began {}.",
            words::count(found.total, "trace", "traces"),
            words::range(view)
        );
        html! {
            (page_head(&crumbs, answer, why))
            div.cols.cols--side {
                (panel("Newest first", html! { (number::grouped(found.traces.len() as u64)) " of " (number::compact(found.total)) }, html! { a href=(view.discover(&in_discover(view))) { "Show in Discover" } }, rows(view, &found)))
                (by_name(view, &names))
            }
        }
    };
    Ok(Answer::Page(page(Section::Traces, "Traces", body)))
}

fn rows(view: &View, found: &Traces) -> Markup {
    html! {
            div.wide { table.table {
                caption.sr { "Traces, newest first" }
                thead { tr { th scope="col" { "Entry" } th scope="col" { "Service" } th scope="col" { "Result" } th.num scope="col" { "Duration" } th.num.num--bare scope="col" { "Spans" } th.num.num--bare scope="col" aria-sort="descending" { "Started ↓" } } }
                tbody { @for entry in &found.traces { (row(view, entry)) } }
            } }
    (csv("Traces, newest first"))
            @if let Some(next) = &found.next { p.panel-foot { a href=(view.here().set("after", next)) { "Older traces" } } }
        }
}

fn row(view: &View, entry: &Entry) -> Markup {
    let failed = entry.outcome == "failure";
    html! {
        tr {
            th.grow scope="row" { a class=[failed.then_some("failed")] href=(view.to(&["traces", &entry.trace])) title=(entry.name) { (named(&entry.name)) } }
            td.soft { (entry.service) }
            td { span.row.row--c { (swatch(result_class(&entry.result))) (if entry.result.is_empty() { "–" } else { &entry.result }) } }
            (cells::figure(entry.duration.map(|us| duration(us as f64))))
            td.num { @match entry.spans { Some(spans) => (spans), None => "–" } }
            td.num.soft { (view.clock.relative(entry.timestamp)) }
        }
    }
}

/// The same entries as a query of Discover.
fn in_discover(view: &View) -> String {
    if view.asked.expr.is_some() {
        format!("{ENTRIES} and ({})", view.query())
    } else {
        ENTRIES.to_owned()
    }
}

fn by_name(view: &View, names: &Groups) -> Markup {
    html! {
        section.panel {
            div.panel-head { h2 { "By entry" } @if !names.complete { span.note { "of the newest " (number::grouped(names.total)) } } }
            div.pad {
                ul.top {
                    @for group in names.groups.iter().take(12) {
                        @let name = group.value.as_deref().unwrap_or("");
                        li {
                            a.v href=(view.discover(&format!("{ENTRIES} and transaction.name: {}", quoted(name)))) title=(name) { (named(name)) }
                            span.pc { (number::compact(group.count)) @if let Some(average) = group.duration_avg { " · " (duration(average).to_string()) } }
                            (cells::meter(group.count as f64 / names.total.max(1) as f64, "fill"))
                        }
                    }
                }
            }
        }
    }
}
