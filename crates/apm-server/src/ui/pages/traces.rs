//! `/traces`: the newest traces, by their entries. Any of them is one click away; filters belong to Discover.

use maud::{Markup, html};

use super::trace::document::{field, text};
use super::{Answer, Ask, page};
use crate::analytics::discover::{self, Found, Groups, Hit, Limits, Request};
use crate::kql;
use crate::store::StoreError;
use crate::ui::components::cells::{self, result_class, swatch};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::Section;
use crate::ui::number::{self, duration};
use crate::ui::pages::transactions::named;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// Traces of one page.
const SIZE: usize = 50;
/// Entries of traces: transactions that nothing called.
const ENTRIES: &str = "processor.event: transaction and not parent.id: *";

/// The page.
pub(crate) fn list(ask: &mut Ask<'_>) -> Result<Answer, StoreError> {
    let view = ask.view;
    let mut text = match view.environment() {
        Some(environment) => format!("{ENTRIES} and service.environment: {}", quoted(environment)),
        None => ENTRIES.to_owned(),
    };
    if let Some(asked) = &view.asked.expr {
        debug_assert!(*asked != kql::Expr::All);
        text = format!("{text} and ({})", view.query());
    }
    // Our own text, with quoted values and a query that was read before: it always parses.
    let query = kql::parse(&text, view.clock.now).unwrap_or(kql::Expr::All);
    let after = view.param("after").and_then(discover::Cursor::parse);
    let request = Request {
        query,
        range: view.range,
        size: SIZE,
        after,
        limits: Limits::default(),
    };
    let found = discover::search(ask.conn, &request)?;
    let names = discover::group(ask.conn, &request, "transaction.name")?;
    let crumbs = [Crumb::here("Traces")];
    let body = if found.total == 0 {
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
                "Most often {}, {}.",
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
                (panel("Newest first", html! { (number::grouped(found.hits.len() as u64)) " of " (number::compact(found.total)) }, html! { a href=(view.discover(&text)) { "Show in Discover" } }, rows(view, &found)))
                (by_name(view, &names))
            }
        }
    };
    Ok(Answer::Page(page(Section::Traces, "Traces", body)))
}

fn rows(view: &View, found: &Found) -> Markup {
    html! {
        table.table {
            caption.sr { "Traces, newest first" }
            thead { tr { th scope="col" { "Entry" } th scope="col" { "Service" } th scope="col" { "Result" } th.num scope="col" { "Duration" } th.num.num--bare scope="col" { "Spans" } th.num.num--bare scope="col" aria-sort="descending" { "Started ↓" } } }
            tbody { @for hit in &found.hits { (row(view, hit)) } }
        }
        @if let Some(next) = &found.next { p.panel-foot { a href=(view.here().set("after", &next.to_string())) { "Older traces" } } }
    }
}

fn row(view: &View, hit: &Hit) -> Markup {
    let document = &hit.document;
    let name = text(document, "transaction.name").unwrap_or_default();
    let trace = text(document, "trace.id").unwrap_or_default();
    let result = text(document, "transaction.result").unwrap_or_default();
    let us = field(document, "transaction.duration.us").and_then(serde_json::Value::as_f64);
    let spans = text(document, "transaction.span_count.started");
    let failed = text(document, "event.outcome").as_deref() == Some("failure");
    html! {
        tr {
            th.grow scope="row" { a class=[failed.then_some("failed")] href=(view.to(&["traces", &trace])) title=(name) { (named(&name)) } }
            td.soft { (text(document, "service.name").unwrap_or_default()) }
            td { span.row.row--c { (swatch(result_class(&result))) (if result.is_empty() { "–" } else { &result }) } }
            (cells::figure(us.map(duration)))
            td.num { (spans.as_deref().unwrap_or("–")) }
            td.num.soft { (view.clock.relative(hit.timestamp)) }
        }
    }
}

fn by_name(view: &View, names: &Groups) -> Markup {
    html! {
        section.panel {
            div.panel-head { h2 { "By entry" } @if !names.complete { span.note { "of those looked at in time" } } }
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
