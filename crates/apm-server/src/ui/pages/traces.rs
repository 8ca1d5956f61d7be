//! `/traces`: the newest traces, by their entries, filtered by any field of these.

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::analytics::discover::Groups;
use crate::analytics::traces::{ENTRIES, Entry, Traces};
use crate::answers::trace::named;
use crate::answers::traces::{Answer as Found, Params};
use crate::ui::budget::each;
use crate::ui::components::cells::{self, result_class, swatch};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, duration};
use crate::ui::view::{View, quoted};
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, answer: &Found) -> Answer {
        let (view, found, names) = (context.view, &answer.found, &answer.names);
        let crumbs = [Crumb::here("Traces")];
        if found.total == 0 && found.next.is_none() {
            let answer = format!("No trace began {}.", words::range(view));
            let why = "A trace begins with a request that no other traced service sent.";
            let body = html! {
                (page_head(&crumbs, answer, why))
                (super::nothing_here(view, "No traces"))
            };
            return Answer::Page(page(Section::Traces, "Traces", body));
        }
        let why = names
            .groups
            .first()
            .and_then(|first| first.value.as_deref().map(|name| (name, first.count)));
        let why = match why {
            Some((name, count)) if names.groups.len() > 1 => format!(
                "{}: {}, {}.",
                if names.complete {
                    "Most often"
                } else {
                    "Most often among the newest"
                },
                words::cut(named(name), 80),
                words::count(count, "time", "times")
            ),
            Some((name, _)) => format!("All of them are {}.", words::cut(named(name), 80)),
            None => String::new(),
        };
        let more = if found.complete { "" } else { "At least " };
        let headline = format!(
            "{more}{} began {}.",
            words::count(found.total, "trace", "traces"),
            words::range(view)
        );
        let note = html! {
            (number::grouped(found.traces.len() as u64)) " of " (number::compact(found.total))
        };
        let link = html! {
            a href=(view.to(&["kept"])) { "Kept traces" }
            " "
            a href=(view.discover(&in_discover(view))) { "Show in Discover" }
        };
        let body = html! {
            (page_head(&crumbs, headline, why))
            @if let Some(since) = answer.whole_since.filter(|since| view.range.from < since * SECOND) {
                p.dim {
                    "Of the time before " (view.clock.second(since * SECOND)) " only "
                    a href=(view.to(&["kept"])) { "kept traces" }
                    " are left."
                }
            }
            div.cols.cols--side {
                (panel("Newest first", note, link, rows(view, found)))
                (by_name(view, names))
            }
        };
        Answer::Page(page(Section::Traces, "Traces", body))
    }
}

fn rows(view: &View, found: &Traces) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Entry"),
        Column::text("Service"),
        Column::text("Result"),
        Column::figure("Duration"),
        Column::bare("Spans"),
        Column::bare("Started"),
    ];
    let frame = Frame {
        class: "",
        caption: "Traces, newest first",
        name: "traces",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, each(&found.traces, |entry| row(view, entry))))
        @if let Some(next) = &found.next {
            p.panel-foot { a href=(view.here().set("after", next)) { "Older traces" } }
        }
    }
}

fn row(view: &View, entry: &Entry) -> Markup {
    let failed = entry.outcome == "failure";
    html! {
        tr {
            th.grow scope="row" {
                a class=[failed.then_some("failed")] href=(view.to(&["traces", &entry.trace])) title=(entry.name) {
                    (named(&entry.name))
                }
            }
            td.soft { a.plain href=(view.to(&["services", &entry.service])) title=(entry.service) { (entry.service) } }
            td {
                span.row.row--c {
                    (swatch(result_class(&entry.result))) (if entry.result.is_empty() { "–" } else { &entry.result })
                }
            }
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
            div.panel-head {
                h2 { "By entry" }
                @if !names.complete { span.note { "of the newest " (number::grouped(names.total)) } }
            }
            div.pad {
                ul.top {
                    @for group in names.groups.iter().take(12) {
                        @let name = group.value.as_deref().unwrap_or("");
                        li {
                            @let query = format!("{ENTRIES} and transaction.name: {}", quoted(name));
                            a.v href=(view.discover(&query)) title=(name) { (named(name)) }
                            span.pc {
                                (number::compact(group.count))
                                @if let Some(average) = group.duration_avg { " · " (duration(average).to_string()) }
                            }
                            (cells::meter(group.count as f64 / names.total.max(1) as f64, "fill"))
                        }
                    }
                }
            }
        }
    }
}
