//! The panel of a trace: tabs, the waterfall with its legend and foot, and the details of a chosen item.

use maud::{Markup, html};

use super::{details, metadata, rows, statements, statistics};
use crate::analytics::discover;
use crate::analytics::trace::item::{Item, Trace};
use crate::store::StoreError;
use crate::ui::components::cells::swatch;
use crate::ui::components::code;
use crate::ui::components::controls::{Tab, copy, tabs};
use crate::ui::components::icon;
use crate::ui::components::panel::nothing;
use crate::ui::components::table::csv;
use crate::ui::href::Href;
use crate::ui::number::{self, percent};
use crate::ui::pages::Ask;
use crate::ui::pages::errors::short;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// A trace to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) trace: &'a Trace,
    /// The transaction that the page is about; without one, the trace's entry stands for it.
    pub(crate) current: Option<&'a str>,
    pub(crate) fold: bool,
}

impl Panel<'_> {
    /// Tabs and the chosen one.
    pub(crate) fn render(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let view = ask.view;
        let tab = view.param("tab").unwrap_or("timeline");
        let content = match tab {
            "statistics" => statistics::tab(view, self.trace),
            "sql" => statements::tab(self.trace, view),
            "metadata" => metadata::tab(view, self.document(ask)?.as_ref()),
            "logs" => self.logs(ask)?,
            "errors" => self.errors(view),
            "json" => self.json(ask)?,
            _ => self.timeline(ask)?,
        };
        Ok(html! { (self.tabs(view, tab)) (content) })
    }

    fn tabs(&self, view: &View, current: &str) -> Markup {
        let count = |n: usize| Some(n as u64);
        let items: i64 = self.trace.items.iter().map(rows::weight).sum();
        let all = [
            ("timeline", "Timeline", Some(items.unsigned_abs())),
            ("statistics", "Statistics", None),
            ("sql", "SQL", Some(statements::total(self.trace).0)),
            ("metadata", "Metadata", None),
            ("logs", "Logs", count(self.trace.logs.len())),
            ("errors", "Errors", count(self.trace.errors.len())),
            ("json", "JSON", None),
        ];
        let known = all.iter().any(|(key, ..)| *key == current);
        let tab = |(key, title, count): (&'static str, &'static str, Option<u64>)| Tab {
            title,
            href: view
                .here()
                .set("tab", if key == "timeline" { "" } else { key })
                .without("item")
                .without("sort")
                .to_string(),
            count,
            current: key == current || (!known && key == "timeline"),
        };
        tabs("Trace", &all.map(tab))
    }

    /// Index of the item that the page is about.
    fn subject(&self) -> Option<usize> {
        let current = self
            .current
            .and_then(|id| self.trace.items.iter().position(|item| item.id == id));
        current.or((!self.trace.items.is_empty()).then_some(0))
    }

    fn document(&self, ask: &mut Ask<'_>) -> Result<Option<serde_json::Value>, StoreError> {
        match self.subject() {
            Some(index) => discover::document(ask.conn, self.trace.items[index].seq),
            None => Ok(None),
        }
    }

    fn timeline(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let details = self.details(ask)?;
        let view = ask.view;
        let selected = view.param("item");
        let href = |item: &Item| {
            view.here()
                .set("item", &item.id)
                .anchor(&format!("r-{}", item.id))
                .to_string()
        };
        let waterfall = rows::waterfall(
            self.trace,
            &rows::Options {
                selected,
                current: self.current,
                fold: self.fold,
                href: &href,
            },
        );
        let open = !details.0.is_empty();
        Ok(html! {
            div class=(if open { "trace" } else { "trace trace--alone" }) {
                div {
                    (self.toolbar(view))
                    (waterfall)
                    (self.foot())
                }
                (details)
            }
        })
    }

    /// The flyout of the item that the address names, or nothing.
    pub(crate) fn details(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let Some(id) = ask.view.param("item") else {
            return Ok(html! {});
        };
        let Some(index) = self.trace.items.iter().position(|item| item.id == id) else {
            return Ok(html! {});
        };
        let document = discover::document(ask.conn, self.trace.items[index].seq)?;
        Ok(details::of(ask.view, self.trace, index, document.as_ref()))
    }

    /// Share of self time by type of span, search, and the key of the critical path.
    fn toolbar(&self, view: &View) -> Markup {
        let mut shares: Vec<(&'static str, &str, i64)> = Vec::new();
        for item in &self.trace.items {
            let (class, name) = (
                rows::class(item),
                if item.is_transaction {
                    "app"
                } else {
                    item.kind.as_str()
                },
            );
            match shares.iter_mut().find(|(_, known, _)| *known == name) {
                Some((_, _, time)) => *time += item.self_time,
                None => shares.push((class, name, item.self_time)),
            }
        }
        shares.sort_by_key(|(class, name, _)| (*class != "t-app", *class, *name));
        let total: i64 = shares.iter().map(|(_, _, time)| time).sum();
        html! {
            div.toolbar {
                ul.legend {
                    @for (class, name, time) in shares.iter().take(8) {
                        li { (swatch(class)) (name) @if total > 0 { " " b { (percent(*time as f64 / total as f64).to_string()) } } }
                    }
                    li { svg.keycrit width="14" height="8" aria-hidden="true" { rect.crit y="3" width="14" height="2" {} } "critical path" }
                }
                div.row.push {
                    div.query.query--s hidden {
                        (icon::icon("search"))
                        input type="text" id="find" aria-label="Find in trace" placeholder="Find, or > 5 ms" spellcheck="false" autocomplete="off";
                    }
                    a.btn.btn--small href=(view.discover(&format!("trace.id: {}", quoted(&self.trace.id)))) { "Show in Discover" }
                    a.btn.btn--small href=(Href::of(&["traces", &self.trace.id, "export"])) download { "Export" }
                }
            }
        }
    }

    /// How much is shown, and what is not.
    fn foot(&self) -> Markup {
        let items = &self.trace.items;
        let mut services: Vec<&str> = items.iter().map(|item| item.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let dropped: i64 = items.iter().filter_map(|item| item.spans_dropped).sum();
        let folded: i64 = items
            .iter()
            .filter(|item| item.composite.is_some())
            .map(rows::weight)
            .sum();
        let unsampled = items
            .iter()
            .filter(|item| item.is_transaction && !item.sampled)
            .count();
        html! {
            div.wf-foot {
                span { (words::count(items.len() as u64, "item", "items")) " from " (words::count(services.len() as u64, "service", "services")) }
                span { (words::count(dropped.unsigned_abs(), "span", "spans")) " dropped by agents" }
                @if folded > 0 { span { "striped bars stand for " (number::grouped(folded.unsigned_abs())) " calls" } }
                @if unsampled > 0 { span { (words::count(unsampled as u64, "request was", "requests were")) " not sampled, without spans" } }
                @for item in items.iter().filter(|item| item.is_transaction && item.skew != 0).take(4) { span { (item.service) " clock corrected by " (details::signed(item.skew)) } }
                span.row { "trace " code #trace-id { (self.trace.id) } (copy("trace-id", "Copy id")) }
                span.push { "All times since the start of the trace" }
            }
        }
    }

    fn errors(&self, view: &View) -> Markup {
        if self.trace.errors.is_empty() {
            return nothing(
                "No errors",
                "No exception and no logged error was recorded in this trace.",
            );
        }
        html! {
                    div.wide { table.table {
                        caption.sr { "Errors of this trace" }
                        thead { tr { th scope="col" { "Error" } th scope="col" { "Service" } th scope="col" { "Where" } th.num.num--bare scope="col" { "Time" } } }
                        tbody { @for error in &self.trace.errors { tr {
                            th.grow scope="row" { a href=(view.to(&["services", &error.service, "errors", &error.key])) title=(error.message) { (if error.message.is_empty() { &error.kind } else { &error.message }) } " " span.dim { code { (short(&error.key)) } } }
                            td.soft { (error.service) }
                            td.soft { (error.culprit) }
                            td.num { (view.clock.milli(error.timestamp)) }
                        } } }
                    } }
        (csv("Errors of this trace"))
                }
    }

    fn logs(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        const MOST: usize = 500;
        if self.trace.logs.is_empty() {
            return Ok(nothing(
                "No logs",
                html! { "An agent that sends logs, or lines that carry " code { "trace.id" } ", would fill this tab." },
            ));
        }
        let mut lines = Vec::new();
        for log in self.trace.logs.iter().take(MOST) {
            let document = discover::document(ask.conn, log.seq)?;
            let text = document
                .as_ref()
                .and_then(|document| super::document::text(document, "message"))
                .unwrap_or_default();
            lines.push((log, text));
        }
        let clock = &ask.view.clock;
        Ok(html! {
                    div.wide { table.table.docs {
                        caption.sr { "Log lines of this trace" }
                        thead { tr { th scope="col" { "Time" } th scope="col" { "Level" } th scope="col" { "Service" } th scope="col" { "Message" } } }
                        tbody { @for (log, text) in &lines { tr { td.mono { (clock.milli(log.timestamp)) } td.soft { (log.level) } td.soft { (log.service) } td.grow title=(text) { (text) } } } }
                    } }
        (csv("Log lines of this trace"))
                    @if self.trace.logs.len() > MOST { p.panel-foot { "The first " (MOST) " of " (self.trace.logs.len()) " lines." } }
                })
    }

    fn json(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let Some(document) = self.document(ask)? else {
            return Ok(nothing(
                "No document",
                "The document of this event is no longer stored.",
            ));
        };
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        Ok(
            html! { div.pad-all { div.row { (copy("document", "Copy")) } (code::block("document", html! { (text) })) } },
        )
    }
}
