//! The documents: a row each, and the open one with all of its fields or as JSON.

use apm_time::{SECOND, rfc3339};
use maud::{Markup, html};
use serde_json::Value;

use super::state::State;
use crate::analytics::discover::Hit;
use crate::answers::discover::Answer as Found;
use crate::ui::components::cells::{keyed, result_class};
use crate::ui::components::code;
use crate::ui::components::controls::{copy, segment};
use crate::ui::components::icon;
use crate::ui::components::panel::panel as framed;
use crate::ui::components::table::file_button;
use crate::ui::number::{NARROW, compact, duration};
use crate::ui::pages::trace::document::{field, leaves, text};
use crate::ui::pages::trace::metadata;
use crate::ui::view::View;
use crate::ui::words;

/// The panel of the newest documents.
pub(super) fn panel(view: &View, state: &State, found: &Found) -> Markup {
    let (hits, next) = (&found.hits, &found.next);
    let title = if view.param("after").is_some() {
        "Older documents"
    } else {
        "Newest first"
    };
    let api = view
        .to(&["api", "v1", "discover"])
        .set("q", &state.text(view))
        .without("refresh")
        .without("cmp")
        .without("env")
        .without("not_env")
        .without("service")
        .without("not_service");
    let aside = html! {
        (group_form(view, None))
        a.btn.btn--small href=(api) { "JSON" }
    };
    let note = html! {
        (hits.len()) " of " (compact(found.total)) " "
        span data-newer aria-live="polite" { (newer(view, found.newer.unwrap_or(0))) }
    };
    let body = html! {
        (table(view, state, found))
        @if let Some(next) = next {
            @let older = view.here().set("after", next).without("open").without("hold");
            p.panel-foot { a href=(older) { "Older documents" } }
        }
    };
    framed(title, note, aside, body)
}

/// Groups by any field that is typed; the list beside suggests names.
pub(super) fn group_form(view: &View, current: Option<&str>) -> Markup {
    html! {
        form.row method="get" action="/discover" {
            @for (key, value) in view.params_at_first_row(&["group"]) {
                input type="hidden" name=(key) value=(value);
            }
            label.sr for="group" { "Group by field" }
            input.input.input--text.group-by id="group" name="group" value=[current] placeholder="Group by field"
                list="field-names" spellcheck="false" autocomplete="off";
            button.btn.btn--small type="submit" { "Group" }
        }
    }
}

/// The columns where the address names none: what an event is, and how long it took.
const DEFAULT: [&str; 3] = ["processor.event", "service.name", "transaction.result"];

fn table(view: &View, state: &State, found: &Found) -> Markup {
    let chosen = !state.columns.is_empty();
    let columns = state.columns_or(&DEFAULT);
    let hold = found.hold.map(|hold| hold.to_string()).unwrap_or_default();
    html! {
        div.wide { table.table.docs data-table="hits" data-open="" data-hold=(hold) data-cols=(columns.join(",")) {
            caption.sr { "Documents" }
            thead { tr {
                th scope="col" aria-sort="descending" { "@timestamp ↓" }
                @if !chosen { th scope="col" { "Event" } }
                @for column in &columns { (head(view, state, column)) }
                @if !chosen { th.num scope="col" { "Duration" } }
            } }
            tbody {
                @for hit in &found.hits {
                    @let open = state.open == Some(hit.seq);
                    @let href = match open {
                        true => view.here().without("open"),
                        // The list stays as it is, however many documents arrive.
                        false => view.here().set("open", &hit.seq.to_string()).set("hold", &hold),
                    };
                    @let href = href.anchor(&format!("d{}", hit.seq));
                    tr class=[open.then_some("open")] id={ "d" (hit.seq) } {
                        td.mono {
                            a.plain.row.row--c href=(href) data-seq=(hit.seq)
                                aria-expanded=(if open { "true" } else { "false" }) {
                                span.twisty { (icon::small(if open { "down" } else { "right" })) }
                                (view.clock.milli(hit.timestamp))
                            }
                        }
                        @if !chosen { td.grow { (summary(&hit.document)) } }
                        @for column in &columns { (cell(view, &hit.document, column)) }
                        @if !chosen { (duration_cell(&hit.document)) }
                    }
                    @if open { (opened(view, state, hit)) }
                }
            }
        } }
        (file_button("hits", "Documents"))
    }
}

/// The head of a column; one that was chosen can be moved and removed.
fn head(view: &View, state: &State, column: &str) -> Markup {
    let step = |by, words: &str, sign: &str| {
        html! {
            @if let Some(href) = state.move_column(view, column, by) {
                a.colmove href=(href) aria-label={ (words) " " (column) } title=(words) { (sign) }
            }
        }
    };
    html! {
        th scope="col" class=[column.ends_with(".us").then_some("num")] data-column=(column) {
            (step(-1, "Move left:", "‹")) span.clamp title=(column) { (column) } (step(1, "Move right:", "›"))
            @if state.columns.iter().any(|known| known == column) {
                a.colmove href=(state.toggle_column(view, column)) aria-label={ "Remove column: " (column) }
                    title="Remove column" { "×" }
            }
        }
    }
}

/// The row with all of an open document.
pub(super) fn opened(view: &View, state: &State, hit: &Hit) -> Markup {
    let columns = state.columns_or(&DEFAULT).len();
    let width = columns + if state.columns.is_empty() { 3 } else { 1 };
    html! { tr.detail { td colspan=(width) { (details(view, hit)) } } }
}

/// The number of documents that arrived since the list was made, as a link to a list with them.
pub(super) fn newer(view: &View, newer: u64) -> Markup {
    html! {
        @if newer > 0 {
            a.btn.btn--small href=(view.here().without("hold").without("open")) {
                (words::count(newer, "new document", "new documents"))
            }
        }
    }
}

/// The title of an event: its name, its message, or its metrics.
pub(crate) fn summary(document: &Value) -> Markup {
    let message = field(document, "error.exception")
        .and_then(|list| list.get(0))
        .and_then(|first| text(first, "message"));
    let name = ["transaction.name", "span.name"]
        .into_iter()
        .find_map(|path| text(document, path));
    let event = text(document, "processor.event").unwrap_or_default();
    let words_ = match event.as_str() {
        "span" => text(document, "span.name"),
        "error" => text(document, "error.log.message").or(message),
        "metric" => Some(samples(document)).filter(|names| !names.is_empty()),
        "" => text(document, "message"),
        _ => name,
    };
    html! {
        @match words_ {
            Some(text) => { span title=(text) { (words::cut(&text, 160)) } },
            None => { span.dim { (if event == "metric" { "metrics" } else { "–" }) } }
        }
    }
}

/// The names of a metricset's samples: its numbers that no other event has.
fn samples(document: &Value) -> String {
    const OTHERS: [&str; 10] = [
        "@",
        "agent.",
        "client.",
        "data_stream.",
        "event.",
        "host.",
        "labels.",
        "observer.",
        "service.",
        "timestamp.",
    ];
    let mut names = Vec::new();
    kql::for_each_leaf(document, &mut |name, leaf| {
        let others = OTHERS
            .iter()
            .any(|other| name.starts_with(other) && !name.starts_with("agent.events."));
        if leaf.is_number() && !others && !["process.pid", "process.parent.pid"].contains(&name) {
            names.push(name.to_owned());
        }
    });
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn cell(view: &View, document: &Value, column: &str) -> Markup {
    let value = text(document, column);
    match (column, value) {
        (_, None) => html! { td.dim { "–" } },
        ("service.name", Some(value)) => {
            let service = view.to(&["services", &value]);
            html! { td.soft { a.plain href=(service) title=(value) { (words::cut(&value, 80)) } } }
        }
        ("transaction.result", Some(value)) => {
            html! { td { (keyed(result_class(&value), &value)) } }
        }
        (column, Some(value)) if column.ends_with("duration.us") => match value.parse::<f64>() {
            Ok(us) => html! { td.num { (figure(us)) } },
            Err(_) => html! { td { (value) } },
        },
        (_, Some(value)) => html! { td.soft title=(value) { (words::cut(&value, 80)) } },
    }
}

fn figure(us: f64) -> Markup {
    let figure = duration(us);
    html! { (figure.figure) span.u { (NARROW) (figure.unit) } }
}

pub(crate) fn duration_cell(document: &Value) -> Markup {
    let us = ["transaction.duration.us", "span.duration.us"]
        .into_iter()
        .find_map(|path| field(document, path))
        .and_then(Value::as_f64);
    html! { @match us { Some(us) => { td.num { (figure(us)) } }, None => { td.num.none { "–" span.u {} } } } }
}

/// The open document with all of its fields, or as JSON.
pub(crate) fn details(view: &View, hit: &Hit) -> Markup {
    let document = &hit.document;
    let json = view.param("as") == Some("json");
    let trace = text(document, "trace.id");
    let item = ["span.id", "transaction.id"]
        .into_iter()
        .find_map(|path| text(document, path));
    let around = view
        .here()
        .set("from", &rfc3339(hit.timestamp - 15 * SECOND))
        .set("to", &rfc3339(hit.timestamp + 15 * SECOND))
        .without("q")
        .without("filter")
        .without("after")
        .without("hold")
        .anchor(&format!("d{}", hit.seq));
    let fields = leaves(document);
    let is_log = view.path != "/discover";
    html! {
        div.inset {
            div.row.inset-head {
                @let (as_fields, as_json) = (view.here().without("as"), view.here().set("as", "json"));
                (segment("Show as", [("fields", as_fields, !json), ("JSON", as_json, json)]))
                span.dim { (words::count(fields.len() as u64, "field", "fields")) ", sorted by name" }
                span.push {}
                @if let Some(trace) = &trace {
                    a href=(view.to(&["traces", trace]).set("item", item.as_deref().unwrap_or(""))) { "Open trace" }
                }
                a href=(around) { (if is_log { "Lines around this one" } else { "Documents around this one" }) }
                @if json { (copy("document", "Copy JSON")) }
            }
            @if json {
                (code::block("document", html! { (serde_json::to_string_pretty(document).unwrap_or_default()) }))
            } @else {
                (metadata::rows(view, &fields))
            }
        }
    }
}
