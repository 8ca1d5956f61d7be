//! The panel of a trace: tabs, the waterfall with its legend and foot, and the details of a chosen item.

use std::collections::HashMap;

use apm_store::StoreError;
use maud::{Markup, html};

use super::rows::Hits;
use super::{details, metadata, rows, statements, statistics};
use crate::analytics::discover;
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::read;
use crate::ui::components::cells::swatch;
use crate::ui::components::code;
use crate::ui::components::controls::{Pager, Tab, copy, tabs};
use crate::ui::components::icon;
use crate::ui::components::panel::nothing;
use crate::ui::components::table::csv;
use crate::ui::components::waterfall::Waterfall;
use crate::ui::href::Href;
use crate::ui::number::{self, percent};
use crate::ui::pages::errors::short;
use crate::ui::pages::{Ask, beyond, shown};
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// A trace to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) trace: &'a Trace,
    /// The transaction that the page is about; without one, the trace's entry stands for it.
    pub(crate) current: Option<&'a str>,
}

impl Panel<'_> {
    /// Tabs and the chosen one.
    pub(crate) fn render(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let view = ask.view;
        let tab = view.param("tab").unwrap_or("timeline");
        let content = match tab {
            "statistics" => statistics::tab(view, self.trace),
            "sql" => statements::tab(self.trace, ask)?,
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
        let tab = |(key, title, count): (&'static str, &'static str, Option<u64>)| {
            let href = view
                .here()
                .set("tab", if key == "timeline" { "" } else { key })
                .without("item")
                .without("sort")
                .without("page");
            let href = rows::STATE.iter().fold(href, |href, key| href.without(key));
            Tab {
                title,
                href: href.to_string(),
                count,
                current: key == current || (!known && key == "timeline"),
            }
        };
        tabs("Trace", &all.map(tab))
    }

    /// Index of the item that the page is about.
    fn subject(&self) -> Option<usize> {
        let current = self.current.and_then(|id| self.trace.index_of(id));
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
        let turn = |turned: &str| {
            let here = view.here().without("hit").without("item");
            here.set("turn", turned).anchor("wf").to_string()
        };
        let (waterfall, hits) = self.waterfall(view, Some(&turn));
        let open = !details.0.is_empty();
        Ok(html! {
            div class=(if open { "trace" } else { "trace trace--alone" }) {
                div {
                    (self.toolbar(view, hits))
                    (waterfall)
                    (pages(view, &waterfall))
                    (self.foot())
                }
                (details)
            }
        })
    }

    /// Rows alone, for a script that has the others.
    pub(crate) fn rows(&self, view: &View) -> Markup {
        self.waterfall(view, None).0.rows_alone()
    }

    fn waterfall(
        &self,
        view: &View,
        turn: Option<&dyn Fn(&str) -> String>,
    ) -> (Waterfall, Option<Hits>) {
        let plain = rows::STATE
            .iter()
            .fold(view.here(), |href, key| href.without(key));
        let href = |item: &Item| {
            let id = item.id.to_string();
            let href = plain.clone().set("item", &id);
            href.anchor(&format!("r-{id}")).to_string()
        };
        // The newest sample is another one after a while, and its rows are others.
        let address = plain.clone().without("item");
        let address = match self.current {
            Some(current) => address.set("sample", current),
            None => address,
        };
        let options = rows::Options {
            selected: view.param("item"),
            current: self.current,
            href: &href,
            turn,
            address: address.to_string(),
        };
        rows::waterfall(self.trace, view, &options)
    }

    /// The flyout of the item that the address names, or nothing.
    pub(crate) fn details(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let Some(id) = ask.view.param("item") else {
            return Ok(html! {});
        };
        let Some(index) = self.trace.index_of(id) else {
            return Ok(html! {});
        };
        let item = &self.trace.items[index];
        let document = discover::document(ask.conn, item.seq)?;
        let statement = read::statements(ask.conn, [item])?;
        let of = details::Of {
            trace: self.trace,
            index,
            document: document.as_ref(),
            statement: statement.values().next().map(String::as_str),
        };
        Ok(details::of(ask.view, of))
    }

    /// Share of self time by type of span, search, and the key of the critical path.
    fn toolbar(&self, view: &View, hits: Option<Hits>) -> Markup {
        let mut times: HashMap<&str, (&'static str, i64)> = HashMap::new();
        for item in self.trace.items.iter().filter(|item| !item.is_far) {
            let name = match item.is_transaction {
                true => "app",
                false => &*item.what.kind,
            };
            let (_, time) = times.entry(name).or_insert((rows::class(item), 0));
            *time += item.self_time;
        }
        let mut shares: Vec<(&'static str, &str, i64)> = times
            .into_iter()
            .map(|(name, (class, time))| (class, name, time))
            .collect();
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
                    (self.find(view, hits))
                    a.btn.btn--small href=(view.discover(&format!("trace.id: {}", quoted(&self.trace.id)))) { "Show in Discover" }
                    a.btn.btn--small href=(Href::of(&["traces", &self.trace.id, "export"])) download { "Export" }
                }
            }
        }
    }

    /// A search through all of the trace, and the way from one hit to the next.
    fn find(&self, view: &View, hits: Option<Hits>) -> Markup {
        let all = hits.map_or(0, |hits| hits.all);
        let to = |hit: usize| {
            let href = view.here().without("rows").without("item");
            href.set("hit", &hit.to_string()).anchor("wf")
        };
        html! {
            form.query.query--s method="get" action=(view.path) role="search" {
                (icon::icon("search"))
                @for (key, value) in view.params_but(&["find", "hit", "rows", "item", "near"]) { input type="hidden" name=(key) value=(value); }
                input type="text" id="find" name="find" aria-label="Find in trace" placeholder="Find, > 5 ms, is:failed" spellcheck="false" autocomplete="off" value=(view.param("find").unwrap_or(""));
            }
            span.row.hits id="hits" role="status" {
                @if let Some(hits) = hits {
                    @if all == 0 { "no match" } @else { (number::grouped(hits.hit as u64)) " of " (number::grouped(all as u64)) }
                    @if all > 1 {
                        a.btn.btn--small rel="prev" href=(to(if hits.hit > 1 { hits.hit - 1 } else { all })) { "Previous" }
                        a.btn.btn--small rel="next" href=(to(hits.hit % all + 1)) { "Next" }
                    }
                }
            }
        }
    }

    /// How much is shown, and what is not.
    fn foot(&self) -> Markup {
        let items = &self.trace.items;
        let services = super::services(self.trace);
        let dropped = items.iter().filter_map(Item::spans_dropped);
        let dropped = dropped.fold(0i64, i64::saturating_add);
        let folded = items.iter().filter(|item| item.composite().is_some());
        let folded = folded.map(rows::weight).fold(0i64, i64::saturating_add);
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
                @if self.trace.orphans > 0 { span { (words::count(self.trace.orphans as u64, "item", "items")) " whose parent did not arrive" } }
                @for item in items.iter().filter(|item| item.is_transaction && item.skew != 0).take(4) { span { (item.what.service) " clock corrected by " (details::signed(item.skew)) } }
                span.row { "trace " code #trace-id { (self.trace.id) } (copy("trace-id", "Copy id")) }
                span.push { "All times since the start of the trace" }
            }
        }
    }

    fn errors(&self, view: &View) -> Markup {
        let errors = &self.trace.errors;
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
                        tbody { @for error in &errors[shown(view, errors.len())] { tr {
                            @let message = cut(if error.message.is_empty() { &error.kind } else { &error.message });
                            th.grow scope="row" { a href=(view.to(&["services", &error.service, "errors", &error.key])) title=(message) { (message) } " " span.dim { code { (short(&error.key)) } } }
                            td.soft { (error.service) }
                            td.soft { (error.culprit) }
                            td.num { (view.clock.milli(error.timestamp)) }
                        } } }
                    } }
        (csv("Errors of this trace"))
                    (beyond(view, (errors.len(), 0), "", false))
                }
    }

    fn logs(&self, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
        let logs = &self.trace.logs;
        if self.trace.logs.is_empty() {
            return Ok(nothing(
                "No logs",
                html! { "An agent that sends logs, or lines that carry " code { "trace.id" } ", would fill this tab." },
            ));
        }
        let mut lines = Vec::new();
        for some in logs[shown(ask.view, logs.len())].chunks(128) {
            let seqs: Vec<i64> = some.iter().map(|log| log.seq).collect();
            let mut texts: HashMap<i64, String> = apm_store::events(ask.conn, &seqs)?
                .iter()
                .filter_map(|event| {
                    let document = apm_store::document::document(event);
                    Some((event.seq, super::document::text(&document, "message")?))
                })
                .collect();
            lines.extend(some.iter().map(|log| {
                let text = texts.remove(&log.seq).unwrap_or_default();
                (log, text)
            }));
        }
        let clock = &ask.view.clock;
        Ok(html! {
                    div.wide { table.table.docs {
                        caption.sr { "Log lines of this trace" }
                        thead { tr { th scope="col" { "Time" } th scope="col" { "Level" } th scope="col" { "Service" } th scope="col" { "Message" } } }
                        tbody { @for (log, text) in &lines { tr { td.mono { (clock.milli(log.timestamp)) } td.soft { (log.level) } td.soft { (log.service) } @let text = cut(text); td.grow title=(text) { (text) } } } }
                    } }
        (csv("Log lines of this trace"))
                    (beyond(ask.view, (logs.len(), 0), "", false))
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

/// Letters of a message in a table; all of it is in its document.
const MOST_LETTERS: usize = 300;

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_LETTERS);
    end.map_or(text, |(end, _)| &text[..end])
}

/// Links to the other rows, where not all are there.
fn pages(view: &View, waterfall: &Waterfall) -> Markup {
    let Some(part) = &waterfall.part else {
        return html! {};
    };
    let sent = waterfall.sent();
    let end = part.first + sent;
    let to = |first: usize| {
        let href = view.here().without("hit").without("item");
        href.set("rows", &first.to_string())
            .anchor("wf")
            .to_string()
    };
    let count = |n: usize| number::grouped(n as u64);
    let pager = Pager {
        label: "Rows",
        position: format!(
            "{}–{} of {}",
            count(part.first + 1),
            count(end),
            count(part.total)
        ),
        first: (part.first > 0).then(|| to(0)),
        previous: (part.first > 0).then(|| to(part.first.saturating_sub(sent))),
        next: (end < part.total).then(|| to(end)),
        last: (end < part.total).then(|| to(part.total.saturating_sub(sent))),
    };
    html! { div.wf-pages id="wf-pages" { (pager) } }
}
