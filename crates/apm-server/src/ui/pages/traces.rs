//! `/traces`: traces by their entries, durations over time, and what the entries have in common.

mod explorer;

use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page};
use crate::analytics::discover::Groups;
use crate::analytics::traces::{Entry, Traces};
use crate::answers::trace::named;
use crate::answers::traces::{Answer as Found, Params};
use crate::ui::budget::each;
use crate::ui::components::cells::{self, keyed, result_class};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, duration};
use crate::ui::view::{View, quoted};
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, answer: &Found) -> Answer {
        let (view, found, names) = (context.view, &answer.found, &answer.names);
        let elsewhere = &answer.elsewhere;
        let crumbs = [Crumb::here("Traces")];
        let is_narrowed = self.question.durations != (None, None);
        if found.total == 0 && found.next.is_none() && !is_narrowed {
            let (answer, why) = narrowed::none(
                view,
                "trace",
                "No trace began",
                "A trace begins with a request that no other traced service sent.",
            );
            let body = html! {
                (page_head(&crumbs, answer, why))
                (super::elsewhere_note(elsewhere))
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
            None if found.total == 0 && is_narrowed => {
                "There may be others: clear the selected durations to see them.".to_owned()
            }
            None => String::new(),
        };
        let headline = headline(view, self.question.durations, found);
        let note = html! {
            (number::grouped(found.traces.len() as u64)) " of " (number::compact(found.total))
        };
        let body = html! {
            (page_head(&crumbs, headline, why))
            (super::elsewhere_note(elsewhere))
            (super::kept::note(view, answer.whole_since))
            section.panel { (explorer::chart(view, &self.question, found)) }
            @if let Some(first) = view.param("compare") { (explorer::comparing(view, first)) }
            div.cols.cols--side {
                (panel("Traces", note, explorer::choices(view, &self.question), rows(view, found)))
                (by_value(view, names))
            }
        };
        Answer::Page(page(Section::Traces, "Traces", body))
    }
}

/// The number of traces that the filter and the durations leave.
fn headline(view: &View, durations: (Option<i64>, Option<i64>), found: &Traces) -> String {
    let total = found.total;
    if total == 0 && !found.complete {
        return words::none_yet("trace", &narrowed::within(view));
    }
    let count = match total {
        0 => "No trace".to_owned(),
        total if found.complete => words::count(total, "trace", "traces"),
        total => format!("At least {}", words::count(total, "trace", "traces")),
    };
    let one = if count == "No trace" { 1 } else { total };
    let within = narrowed::within(view);
    match narrowed::took(durations) {
        Some(took) => {
            let that = narrowed::that_matches(view, one);
            format!("{count}{that} {took} {within}.")
        }
        None if narrowed::is_filtered(view) => {
            let verb = if one == 1 { "matches" } else { "match" };
            format!("{count} {verb} the filter {within}.")
        }
        None => format!("{count} began {within}."),
    }
}

fn rows(view: &View, found: &Traces) -> Markup {
    const COLUMNS: [Column; 7] = [
        Column::text("Entry"),
        Column::text("Service"),
        Column::text("Result"),
        Column::figure("Duration"),
        Column::bare("Spans"),
        Column::bare("Started"),
        Column::text("Compare"),
    ];
    let frame = Frame {
        class: "",
        caption: "Traces",
        name: "traces",
        columns: &COLUMNS,
        sort: None,
    };
    if found.traces.is_empty() {
        let why = match found.complete {
            true => "No trace matches the selection.",
            false => words::STOPPED,
        };
        return nothing("No traces", why);
    }
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
            td { (keyed(result_class(&entry.result), if entry.result.is_empty() { "–" } else { &entry.result })) }
            (cells::figure(entry.duration.map(|us| duration(us as f64))))
            td.num { @match entry.spans { Some(spans) => (spans), None => "–" } }
            td.num.soft { (view.clock.relative(entry.timestamp)) }
            td.soft { (explorer::compare_link(view, entry)) }
        }
    }
}

/// The values of a field of the entries, each of which narrows the list.
fn by_value(view: &View, names: &Groups) -> Markup {
    let is_name = names.field == "transaction.name";
    let narrowed = |value: &Option<String>| {
        let query = match value {
            Some(value) => format!("{}: {}", names.field, quoted(value)),
            None => format!("not {}: *", names.field),
        };
        let query = match view.query() {
            "" => query,
            before => format!("({before}) and {query}"),
        };
        view.at_first_row().set("q", &query).without("group")
    };
    html! {
        section.panel {
            div.panel-head {
                h2 { "By " @if is_name { "entry" } @else { (words::cut(&names.field, 40)) } }
                span.note { "traces · average" }
                @if !names.complete { span.note { "of the newest " (number::grouped(names.total)) } }
            }
            div.pad {
                (explorer::grouping(view, &names.field))
                ul.top {
                    @for group in names.groups.iter().take(12) {
                        @let value = group.value.as_deref().unwrap_or("");
                        @let shown = if is_name { named(value) } else if value.is_empty() { "(none)" } else { value };
                        li {
                            a.v href=(narrowed(&group.value)) title=(value) { (shown) }
                            span.pc {
                                (number::compact(group.count))
                                @if let Some(average) = group.duration_avg { " · " (duration(average).to_string()) }
                            }
                            (cells::meter(group.count as f64 / names.total.max(1) as f64, "fill"))
                        }
                    }
                }
                @if names.groups.len() > 12 {
                    p.dim { (number::grouped(names.groups.len() as u64 - 12)) " more values" }
                }
            }
        }
    }
}
