//! The panel of a trace: tabs, the waterfall with its legend and foot, and the details of a chosen item.

mod lists;

use std::collections::HashMap;

use maud::{Markup, html};

use super::rows::Hits;
use super::{details, flame, metadata, rows, statements, statistics};
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::answers::trace::look::Looked;
use crate::answers::trace::statements::total;
use crate::answers::trace::weights::weight;
use crate::sort_rows::SortRows as _;
use crate::ui::components::cells::swatch;
use crate::ui::components::controls::{Pager, Tab, copy, tabs};
use crate::ui::components::icon;
use crate::ui::components::minimap::{Mark, minimap};
use crate::ui::components::waterfall::Waterfall;
use crate::ui::href::Href;
use crate::ui::number::{self, percent};
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// Types of spans that the legend names.
const MOST_TYPES: usize = 8;
/// Corrected clocks that the foot names.
const MOST_CLOCKS: usize = 4;

/// A trace to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) trace: &'a Trace,
    /// The transaction that the page is about; without one, the trace's entry stands for it.
    pub(crate) current: Option<&'a str>,
    /// The parts that were asked for beside the items.
    pub(crate) looked: &'a Looked,
}

impl Panel<'_> {
    /// Tabs and the chosen one.
    pub(crate) fn render(&self, view: &View) -> Markup {
        let tab = view.param("tab").unwrap_or("timeline");
        let looked = self.looked;
        let content = match tab {
            "flame" => self.flame(view),
            "statistics" => statistics::tab(view, looked),
            "sql" => statements::tab(view, looked),
            "metadata" => metadata::tab(view, looked.document.as_ref()),
            "logs" => self.logs(view),
            "errors" => self.errors(view),
            "json" => self.json(),
            _ => self.timeline(view),
        };
        html! { (self.tabs(view, tab)) (content) }
    }

    fn tabs(&self, view: &View, current: &str) -> Markup {
        let count = |n: usize| Some(n as u64);
        let items: i64 = self.trace.items.iter().map(weight).sum();
        let all = [
            ("timeline", "Timeline", Some(items.unsigned_abs())),
            ("flame", "Flame graph", None),
            ("statistics", "Statistics", None),
            ("sql", "SQL", Some(total(self.trace).0)),
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

    fn timeline(&self, view: &View) -> Markup {
        let details = self.details(view);
        let turn = |turned: &str| {
            let here = view.here().without("hit").without("item");
            here.set("turn", turned).anchor("wf").to_string()
        };
        let (waterfall, hits) = self.waterfall(view, Some(&turn));
        let open = !details.0.is_empty();
        html! {
            div class=(if open { "trace" } else { "trace trace--alone" }) {
                div {
                    (self.toolbar(view, hits))
                    (self.minimap(view, &waterfall))
                    (waterfall)
                    (pages(view, &waterfall))
                    (self.foot())
                }
                (details)
            }
        }
    }

    fn flame(&self, view: &View) -> Markup {
        let details = self.details(view);
        let open = !details.0.is_empty();
        html! {
            div class=(if open { "trace" } else { "trace trace--alone" }) {
                div { (flame::tab(view, self.trace, self.looked.index)) }
                (details)
            }
        }
    }

    /// All of the trace in a strip, where it is more than a few rows.
    fn minimap(&self, view: &View, waterfall: &Waterfall) -> Markup {
        const FEW: usize = 12;
        let items = &self.trace.items;
        if items.len() < FEW {
            return html! {};
        }
        let near = items.iter().filter(|item| !item.is_far);
        let marks = near.map(|item| Mark {
            from: item.at,
            to: item.end(),
            level: item.depth as usize,
            class: rows::class(item),
            failed: item.failed(),
        });
        let href = |item: &Item| {
            let id = format!("r-{}", item.id);
            view.here().without("item").anchor(&id).to_string()
        };
        let slices = rows::slices(self.trace, view, waterfall, &href);
        minimap(marks, &slices, (waterfall.from, waterfall.to))
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
    pub(crate) fn details(&self, view: &View) -> Markup {
        let Some(index) = self.looked.index else {
            return html! {};
        };
        let of = details::Details {
            trace: self.trace,
            index,
            document: self.looked.document.as_ref(),
            lines: self.looked.item_lines.as_deref().unwrap_or_default(),
            statement: self.looked.statement.as_deref(),
        };
        details::details(view, of)
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
        let total: i64 = shares.iter().map(|(_, _, time)| time).sum();
        // The types with most time are named, in the order of their colours.
        shares.sort_rows_by_key(|(class, name, time)| (*class != "t-app", -time, *name));
        let others = shares.split_off(shares.len().min(MOST_TYPES));
        let of_others: i64 = others.iter().map(|(_, _, time)| time).sum();
        shares.sort_rows_by_key(|(class, name, _)| (*class != "t-app", *class, *name));
        html! {
            div.toolbar {
                ul.legend {
                    @for (class, name, time) in &shares {
                        li {
                            (swatch(class))
                            (name)
                            @if total > 0 { " " b { (percent(*time as f64 / total as f64).to_string()) } }
                        }
                    }
                    @if !others.is_empty() {
                        li {
                            (words::count(others.len() as u64, "other type", "other types"))
                            @if total > 0 { " " b { (percent(of_others as f64 / total as f64).to_string()) } }
                        }
                    }
                    li {
                        svg.keycrit width="14" height="8" aria-hidden="true" {
                            rect.crit y="3" width="14" height="2" {}
                        }
                        "critical path"
                    }
                }
                div.row.push {
                    (self.find(view, hits))
                    @let discover = view.discover(&format!("trace.id: {}", quoted(&self.trace.id)));
                    a.btn.btn--small href=(discover) { "Trace in Discover" }
                    a.btn.btn--small href=(Href::to(&["traces", &self.trace.id, "export"])) download { "Export" }
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
            form.query.query--s method="get" action=(view.path) role="search" aria-label="Find in trace" {
                (icon::icon("search"))
                @for (key, value) in view.params_but(&["find", "hit", "rows", "item", "near"]) {
                    input type="hidden" name=(key) value=(value);
                }
                input type="text" id="find" name="find" aria-label="Find in trace"
                    placeholder="Find, > 5 ms, is:failed" spellcheck="false" autocomplete="off"
                    value=(view.param("find").unwrap_or(""));
            }
            span.row.hits id="hits" role="status" {
                @if let Some(hits) = hits {
                    @if all == 0 {
                        "no match"
                    } @else {
                        (number::grouped(hits.hit as u64)) " of " (number::grouped(all as u64))
                    }
                    @if all > 1 {
                        a.btn.btn--small rel="prev" href=(to(if hits.hit > 1 { hits.hit - 1 } else { all })) {
                            "Previous"
                        }
                        a.btn.btn--small rel="next" href=(to(hits.hit % all + 1)) { "Next" }
                    }
                }
            }
        }
    }

    /// The numbers of items, shown and not.
    fn foot(&self) -> Markup {
        let items = &self.trace.items;
        let services = super::services(self.trace);
        let dropped = items.iter().filter_map(Item::spans_dropped);
        let dropped = dropped.fold(0i64, i64::saturating_add);
        let folded = items.iter().filter(|item| item.composite().is_some());
        let folded = folded.map(weight).fold(0i64, i64::saturating_add);
        let unsampled = items
            .iter()
            .filter(|item| item.is_transaction && !item.sampled)
            .count();
        let skewed = items
            .iter()
            .filter(|item| item.is_transaction && item.skew != 0);
        let skewed: Vec<&Item> = skewed.collect();
        html! {
            div.wf-foot {
                span {
                    (words::count(items.len() as u64, "item", "items")) " from "
                    (words::count(services.len() as u64, "service", "services"))
                }
                span { (words::count(dropped.unsigned_abs(), "span", "spans")) " dropped by agents" }
                @if folded > 0 { span { "striped bars stand for " (number::grouped(folded.unsigned_abs())) " calls" } }
                @if unsampled > 0 {
                    span {
                        (words::count(unsampled as u64, "request was", "requests were")) " not sampled, without spans"
                    }
                }
                @if self.trace.orphans > 0 {
                    span { (words::count(self.trace.orphans as u64, "item", "items")) " whose parent did not arrive" }
                }
                @for item in skewed.iter().take(MOST_CLOCKS) {
                    span { (words::cut(&item.what.service, 60)) " clock corrected by " (details::signed(item.skew)) }
                }
                @if skewed.len() > MOST_CLOCKS {
                    span { "clocks of " (number::grouped((skewed.len() - MOST_CLOCKS) as u64)) " more corrected" }
                }
                span.row { "trace " code #trace-id { (self.trace.id) } (copy("trace-id", "Copy id")) }
                span.push { "All times since the start of the trace" }
            }
        }
    }
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
