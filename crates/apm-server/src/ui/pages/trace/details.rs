//! The details of one transaction or span: what it took, what it called, its statement in full, where it was made.

mod cost;
mod errors;
mod origin;
mod stack;

use apm_time::rfc3339_millis;
use maud::{Markup, html};
use serde_json::Value;

use super::document::{field, text};
use super::rows::class;
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::moments::marks;
use crate::answers::trace::look::LogLine;
use crate::answers::trace::named;
use crate::answers::trace::weights::weight;
use crate::ui::components::cells::swatch;
use crate::ui::components::code;
use crate::ui::components::controls::{copy, plus_minus};
use crate::ui::components::flyout::{flyout, section};
use crate::ui::components::panel::pairs;
use crate::ui::components::sql;
use crate::ui::number::{duration, percent};
use crate::ui::pages::transaction_href;
use crate::ui::view::{View, quoted};
use crate::ui::words;

pub(crate) use stack::stack_of;

/// The sources of the details of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Details<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) index: usize,
    /// Missing where retention took it between two reads.
    pub(crate) document: Option<&'a Value>,
    /// Log lines that were written in it.
    pub(crate) lines: &'a [LogLine],
    /// The text of its statement as all calls of it share it.
    pub(crate) statement: Option<&'a str>,
}

/// The flyout of an item.
pub(crate) fn details(view: &View, of: Details<'_>) -> Markup {
    let Details {
        trace,
        index,
        document,
        lines,
        statement: normalized,
    } = of;
    let item = &trace.items[index];
    let none = Value::Null;
    let document = document.unwrap_or(&none);
    let kinds = [&*item.what.kind, &*item.what.subtype, &*item.what.action];
    let kinds: Vec<&str> = kinds.into_iter().filter(|part| !part.is_empty()).collect();
    let sub = html! { (swatch(class(item))) (kinds.join(" · ")) };
    let sections = html! {
        section { (timing(view, trace, item)) }
        (origin::origin(&item.what.agent, document))
        (statement(item, normalized, document))
        (cost::section(document))
        (http(item, document))
        (errors::errors(view, trace, index))
        (moments(document))
        (self::lines(trace, item, lines))
        (message(document))
        (origin::links(view, document))
        (labels(view, document))
        (stack::section(item, document))
        section.row.links-row {
            @let field = if item.is_transaction { "transaction.id" } else { "span.id" };
            a href=(view.discover(&format!("{field}: {}", quoted(&item.id.to_string())))) { "Show in Discover" }
            @if item.is_transaction {
                @let href = transaction_href(view, &item.what.service, &item.what.kind, &item.what.name);
                a href=(href.set("sample", &item.id.to_string())) {
                    "All requests like it"
                }
            }
            @if let Some(fingerprint) = item.what.fingerprint() {
                a href=(view.to(&["queries", &fingerprint])) { "All runs" }
            }
            @if !item.is_far {
                @let metrics = ["services", &item.what.service, "metrics"];
                a href=(view.at_time(&metrics, item.timestamp)) { "Metrics around it" }
            }
        }
    };
    let label = if item.is_transaction {
        "Transaction details"
    } else {
        "Span details"
    };
    flyout(
        label,
        named(&item.what.name),
        sub,
        view.here().without("item"),
        sections,
    )
}

/// Moments that the browser marked in a page load.
fn moments(document: &Value) -> Markup {
    let marks = marks(document);
    html! {
        @if !marks.is_empty() {
            section {
                h3 { "Page load" }
                ol.item-lines {
                    @for (name, at) in &marks { li { span.dim { (signed(*at)) } " " (words::cut(name, 80)) } }
                }
            }
        }
    }
}

/// Log lines of the item, which events of OpenTelemetry's spans are too, by the time since the start of the item.
fn lines(trace: &Trace, item: &Item, lines: &[LogLine]) -> Markup {
    let since = |line: &LogLine| {
        let at = line.timestamp.saturating_add(item.skew) - trace.start;
        at.saturating_sub(item.at)
    };
    html! {
        @if !lines.is_empty() {
            section {
                h3 { "Events and log lines" }
                ol.item-lines {
                    @for line in lines {
                        li {
                            span.dim {
                                (signed(since(line)))
                                @if !line.level.is_empty() { " " (words::cut(&line.level, 12)) }
                            }
                            " " (words::cut(&line.message, 400))
                        }
                    }
                }
            }
        }
    }
}

/// The transaction that an item belongs to.
fn owner<'a>(trace: &'a Trace, item: &Item) -> Option<&'a Item> {
    let mut at = item.parent;
    while let Some(index) = at {
        let above = &trace.items[index as usize];
        if above.is_transaction {
            return Some(above);
        }
        at = above.parent;
    }
    None
}

fn timing(view: &View, trace: &Trace, item: &Item) -> Markup {
    let share = owner(trace, item).filter(|owner| owner.duration > 0);
    let mut rows: Vec<(&str, Markup)> = vec![(
        "Duration",
        html! {
            b { (duration(item.duration as f64).to_string()) }
            @if let Some(owner) = share {
                @let part = percent(item.duration as f64 / owner.duration as f64).to_string();
                " " span.soft { "· " (part) " of " (named(&owner.what.name)) }
            }
        },
    )];
    if let Some(composite) = item.composite() {
        let sum = duration(composite.sum as f64).to_string();
        rows.push((
            "Stands for",
            html! { (weight(item)) " calls, " (sum) " together" },
        ));
    }
    if item.self_time != item.duration {
        let self_time = duration(item.self_time as f64).to_string();
        rows.push((
            "Self time",
            html! { (self_time) " " span.soft { "not covered by its spans" } },
        ));
    }
    rows.push((
        "Starts at",
        html! {
            @if !item.is_far { (duration(item.at.max(0) as f64).to_string()) " " }
            span.soft { (view.clock.milli(item.timestamp)) }
        },
    ));
    if let Some(sent) = item.sent() {
        rows.push(("Clock", html! {
            "wrong: it was sent with " (sent_at(sent)) ", the time of its arrival is shown instead"
        }));
    } else if item.is_far {
        let distance = duration(item.at.unsigned_abs() as f64).to_string();
        let side = if item.at < 0 { "before" } else { "after" };
        rows.push((
            "Clock",
            html! {
                (distance) " " (side) " the start of its trace: wrong, or it ran much later"
            },
        ));
    } else if item.skew != 0 {
        rows.push(("Clock", html! { "corrected by " (signed(item.skew)) }));
    }
    rows.push((
        "Service",
        html! { a href=(view.to(&["services", &item.what.service])) { (item.what.service) } },
    ));
    if !item.what.result.is_empty() {
        rows.push((
            "Result",
            html! {
                (item.what.result) @if let Some(status) = item.status { " " span.soft { (status) } }
            },
        ));
    } else if let Some(status) = item.status {
        rows.push(("Status", html! { (status) }));
    }
    rows.push((
        "Outcome",
        html! { @if item.failed() { span.failed { "failure" } } @else { (item.outcome.as_str()) } },
    ));
    if !item.what.destination.is_empty() {
        rows.push(("Calls", html! { (item.what.destination) }));
    }
    if let Some(dropped) = item.spans_dropped().filter(|dropped| *dropped > 0) {
        let started = item.spans_started().unwrap_or(0);
        rows.push((
            "Spans",
            html! { (started) " recorded, " (dropped) " dropped by the agent" },
        ));
    }
    pairs(rows)
}

/// A time that cannot be: as a date where it is one, else as the number that it is.
fn sent_at(us: i64) -> String {
    match us {
        0..=253_402_207_200_000_000 => rfc3339_millis(us),
        _ => format!("{us} µs"),
    }
}

/// `+0.4 ms`, `−0.4 ms`.
pub(super) fn signed(us: i64) -> String {
    format!(
        "{}{}",
        if us < 0 { "−" } else { "+" },
        duration(us.unsigned_abs() as f64)
    )
}

fn statement(item: &Item, normalized: Option<&str>, document: &Value) -> Markup {
    let sent = text(document, "span.db.statement");
    let normalized = normalized.filter(|statement| !statement.is_empty());
    let Some(statement) = sent.or_else(|| normalized.map(str::to_owned)) else {
        return html! {};
    };
    let affected = text(document, "span.db.rows_affected").map(|n| match n.parse() {
        Ok(n) => words::count(n, "row", "rows"),
        // The agent sent no whole number.
        Err(_) => format!("{n} rows"),
    });
    let instance = text(document, "span.db.instance").unwrap_or_default();
    let body = html! {
        (code::block("statement", sql::highlight(&sql::pretty(&statement))))
        @if item.composite().is_some() { p.dim { "The statement of the first of " (weight(item)) " calls." } }
        @if let Some(affected) = affected { p.dim { (affected) " affected" } }
        @if !instance.is_empty() { p.dim { "Database " (instance) } }
    };
    section("Statement", copy("statement", "Copy"), body)
}

fn http(item: &Item, document: &Value) -> Markup {
    let method = text(document, "http.request.method");
    let url = ["url.full", "url.original", "span.http.url.original"]
        .into_iter()
        .find_map(|path| text(document, path));
    let (None, None) = (&method, &url) else {
        let status = item
            .status
            .map(|status| status.to_string())
            .or_else(|| text(document, "http.response.status_code"));
        let mut rows = Vec::new();
        if let Some(method) = method {
            rows.push(("Method", html! { (method) }));
        }
        if let Some(url) = url {
            rows.push(("URL", html! { code { (url) } }));
        }
        if let Some(status) = status {
            rows.push(("Status", html! { (status) }));
        }
        return section(
            if item.is_transaction {
                "Request"
            } else {
                "HTTP call"
            },
            html! {},
            pairs(rows),
        );
    };
    html! {}
}

fn message(document: &Value) -> Markup {
    let found: Vec<(&str, String)> = [
        ("Queue", "queue.name"),
        ("Age", "age.ms"),
        ("Routing key", "routing_key"),
        ("Body", "body"),
    ]
    .into_iter()
    .filter_map(|(name, path)| {
        ["span.message", "transaction.message"]
            .iter()
            .find_map(|at| text(document, &format!("{at}.{path}")))
            .map(|value| (name, value))
    })
    .collect();
    if found.is_empty() {
        html! {}
    } else {
        section(
            "Message",
            html! {},
            pairs(
                found
                    .into_iter()
                    .map(|(name, value)| (name, html! { (value) })),
            ),
        )
    }
}

fn labels(view: &View, document: &Value) -> Markup {
    let mut found: Vec<(String, String)> = Vec::new();
    for root in ["labels", "numeric_labels"] {
        if let Some(Value::Object(map)) = field(document, root) {
            found.extend(map.iter().filter_map(|(key, value)| {
                super::document::scalar(value).map(|value| (format!("{root}.{key}"), value))
            }));
        }
    }
    if found.is_empty() {
        return html! {};
    }
    let rows = html! {
        table.kv { tbody { @for (key, value) in &found { tr {
            td.act {
                @let clause = format!("{key}: {}", quoted(value));
                (plus_minus(value, view.filtered(&clause), view.filtered(&format!("not {clause}"))))
            }
            th scope="row" { (key) } td { (value) }
        } } } }
    };
    section("Labels", html! {}, rows)
}
