//! `/logs` and `/services/{s}/logs`: log lines, how many of which severity, and from a line to its trace.

use maud::{Markup, html};

use super::charts::per;
use super::discover::hits::details;
use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs, wider};
use crate::analytics::discover::Hit;
use crate::analytics::discover::logs::Severity;
use crate::answers::elsewhere::is_foreign;
use crate::answers::logs::{All, Answer as Found, Line, Params};
use crate::ui::budget::each;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::components::cells::{flag, severity_tone};
use crate::ui::components::controls::segment;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::icon;
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::saved::save;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::file_button;
use crate::ui::href::Href;
use crate::ui::number::{NARROW, compact, grouped};
use crate::ui::view::View;
use crate::ui::words;

/// The parameter of a stream whose rows name their environments.
const NAMED: &str = "environments";

/// Characters of a message that the list shows: a line has 300 KiB at worst, and the open one shows all of it.
const SHOWN: usize = 4_000;

impl Rendered for All {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let only = self.0.severity;
        let (answer, why) = headline(view, only, found);
        let body = html! {
            (page_head(&[Crumb::here("Logs")], answer, why))
            (body(context, only, found))
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Logs, "Logs", body)
        })
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let only = self.asks.severity;
        let (answer, why) = headline(view, only, found);
        let crumbs = service_crumbs(view, service, &[Crumb::here("Logs")]);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (service_tabs(view, service, "logs"))
            (body(context, only, found))
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            fresh: false,
            ..page(Section::Services, format!("Logs · {service}"), body)
        })
    }
}

/// The words for lines of a severity.
fn noun(severity: Severity, count: u64) -> String {
    match severity {
        Severity::Error => words::count(count, "error", "errors"),
        Severity::Warn => words::count(count, "warning", "warnings"),
        Severity::Info => words::count(count, "info line", "info lines"),
        Severity::Debug => words::count(count, "debug line", "debug lines"),
        Severity::Other => words::count(count, "line without a level", "lines without a level"),
    }
}

fn headline(view: &View, only: Option<Severity>, found: &Found) -> (String, String) {
    let least = if found.complete { "" } else { "At least " };
    let count = match only {
        Some(severity) => noun(severity, found.total),
        None => words::count(found.total, "log line", "log lines"),
    };
    let within = narrowed::within(view);
    let answer = match (narrowed::is_filtered(view), found.total) {
        (_, 0) if !found.complete => words::none_yet("log line", &within),
        (true, 0) if found.complete && only.is_none() => {
            format!("No log line matches the filter {within}.")
        }
        (true, 1) => format!("{least}{count} matches the filter {within}."),
        (true, _) => format!("{least}{count} match the filter {within}."),
        (false, _) => format!("{least}{count} {within}."),
    };
    let counts = Severity::ALL.into_iter().map(|one| (one, found.count(one)));
    let counts = counts.filter(|(_, count)| *count > 0);
    let all: Vec<String> = counts.map(|(one, count)| noun(one, count)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut why = match all.as_slice() {
        [] => {
            "Agents and OpenTelemetry send log lines; those written in a request lead to its trace."
                .to_owned()
        }
        all => format!("{}.", words::list(all)),
    };
    // The note about other servers says what the engine cannot tell.
    if found.stopped {
        why.push(' ');
        why.push_str(words::STOPPED);
    }
    (answer, why)
}

fn body(context: &Context<'_>, only: Option<Severity>, found: &Found) -> Markup {
    let view = context.view;
    let any = found.levels.iter().any(|lines| lines.count > 0);
    let tails = view.param("tail").is_some();
    html! {
        (super::elsewhere_note(&found.elsewhere))
        @if any { section.panel { (histogram(context, only, found)) } }
        @if any || tails || !found.lines.is_empty() {
            (list(view, only, found, tails))
        } @else {
            (nothing(view, found))
        }
    }
}

fn nothing(view: &View, found: &Found) -> Markup {
    let is_filtered = !view.query().trim().is_empty();
    let why = html! {
        @if !found.complete { (words::STOPPED) }
        @else if is_filtered {
            "The filter " code { (words::cut(view.query(), 200)) } " matches no line " (words::range(view)) "."
        } @else { "No line was stored " (words::range(view)) "." }
    };
    empty("No log lines", why, wider(view))
}

/// The class of a severity's bars. Most lines are of `info`: they are grey, so that the others are seen.
fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "r-5xx",
        Severity::Warn => "r-4xx",
        Severity::Info => "bar-out",
        Severity::Debug => "series-2",
        Severity::Other => "series-3",
    }
}

fn histogram(context: &Context<'_>, only: Option<Severity>, found: &Found) -> Markup {
    let chosen = found.levels.iter().filter(|lines| lines.count > 0);
    let chosen = chosen.filter(|lines| only.is_none_or(|only| only == lines.severity));
    // The least important at the base.
    let mut values: Vec<(Severity, Vec<f64>)> = chosen
        .map(|lines| {
            let counts = lines.histogram.iter().map(|n| *n as f64);
            (lines.severity, counts.collect())
        })
        .collect();
    values.reverse();
    let layers: Vec<Layer<'_>> = values
        .iter()
        .map(|(severity, values)| Layer {
            name: severity.as_str(),
            class: class(*severity),
            values,
            mean: None,
        })
        .collect();
    BarChart {
        id: "lines",
        title: "Lines",
        note: &per(&found.axis),
        says: &format!(
            "{} {}.",
            words::count(found.total, "log line", "log lines"),
            words::range(context.view)
        ),
        measure: Measure::Count,
        buckets: Buckets::from(&found.axis),
        layers: &layers,
        partial: &partial(&found.axis),
        height: 88,
        sql: &found.levels.sql,
        file: "histogram",
        zoom: Some(context.view),
    }
    .render(&context.view.clock, context.flags)
}

/// The switch between severities: those that there are, with their numbers.
fn levels(view: &View, only: Option<Severity>, found: &Found) -> Markup {
    let here = || view.at_first_row();
    let all: u64 = found.levels.iter().map(|lines| lines.count).sum();
    let mut choices = vec![(
        format!("All{NARROW}{}", compact(all)),
        here().without("level"),
        only.is_none(),
    )];
    for severity in Severity::ALL {
        let count = found.count(severity);
        if count > 0 || only == Some(severity) {
            choices.push((
                format!("{}{NARROW}{}", severity.as_str(), compact(count)),
                here().set("level", severity.as_str()),
                only == Some(severity),
            ));
        }
    }
    let choices = choices
        .iter()
        .map(|(text, href, current)| (text.as_str(), href, *current));
    segment("Level", choices)
}

fn list(view: &View, only: Option<Severity>, found: &Found, tails: bool) -> Markup {
    let open: Option<i64> = view.param("open").and_then(|seq| seq.parse().ok());
    let named = words::are_several(found.lines.iter().map(|line| &line.environment));
    let stream = tails.then(|| stream(view, only, found, named));
    let aside = html! {
        (levels(view, only, found))
        @if tails {
            button.btn.btn--small type="button" data-live-pause aria-pressed="false" hidden { "Pause" }
            a.btn.btn--small href=(view.here().without("tail")) { "Stop" }
        } @else {
            @let live = view.at_first_row().set("tail", "1").without("from").without("to");
            a.btn.btn--small href=(live) { "Live tail" }
        }
        (save(view, &view.service().map_or_else(|| "Logs".to_owned(), |name| format!("Logs of {name}"))))
    };
    let note = html! {
        @if tails {
            span data-live-state aria-live="polite" { "Reload the page to see newer lines." }
            @if found.elsewhere.is_asked() { " Only lines that this server gets appear live." }
        }
        @else { (grouped(found.lines.len() as u64)) " of " (compact(found.total)) }
    };
    let row = |line: &Line| {
        let is_open = open == Some(line.seq);
        html! { (row(view, line, Some(is_open), named)) @if is_open { (opened(view, line, named)) } }
    };
    let body = html! {
        div.wide {
            table.table.docs.lines-list data-table="lines" data-live=[stream] {
                caption.sr { "Log lines, newest first" }
                thead { tr {
                    th scope="col" { "Time" }
                    th scope="col" { "Level" }
                    @if view.service().is_none() { th scope="col" { "Service" } }
                    @else if named { th scope="col" { "Environment" } }
                    th scope="col" { "Message" }
                    th scope="col" { "Trace" }
                } }
                tbody { (each(&found.lines, row)) }
            }
        }
        (file_button("lines", "Log lines"))
        @if let Some(next) = &found.next {
            p.panel-foot { a href=(view.here().set("after", next).without("open").without("tail")) { "Older lines" } }
        }
    };
    let title = match view.param("after") {
        Some(_) => "Older lines",
        None => "Newest first",
    };
    panel(title, note, aside, body)
}

/// The address of the stream of new lines.
fn stream(view: &View, only: Option<Severity>, found: &Found, named: bool) -> Href {
    let here = found
        .lines
        .iter()
        .map(|line| line.seq)
        .filter(|seq| !is_foreign(*seq));
    let newest = here.max().unwrap_or(-1);
    view.to(&["live", "stream"])
        .set("feed", "logs")
        .set("q", view.query())
        .set("level", only.map_or("", Severity::as_str))
        .set("since", &newest.to_string())
        .set(NAMED, if named { "1" } else { "" })
}

/// The row of a line that a stream adds to the list.
pub(crate) fn new_row(view: &View, line: &Line) -> Markup {
    row(view, line, None, view.param(NAMED).is_some())
}

/// The row of a line. `open`: whether it is open, where it can be opened; `named`: whether it names its environment.
fn row(view: &View, line: &Line, open: Option<bool>, named: bool) -> Markup {
    let tone = severity_tone(line.severity);
    let time = view.clock.milli(line.timestamp);
    let item = line.span_id.as_ref().or(line.transaction_id.as_ref());
    html! {
        tr class=[(open == Some(true)).then_some("open")] id={ "d" (line.seq) } {
            td.mono {
                @match open {
                    Some(is_open) => {
                        @let href = match is_open {
                            true => view.here().without("open"),
                            false => view.here().set("open", &line.seq.to_string()).without("tail"),
                        };
                        a.plain.row.row--c href=(href) aria-expanded=(if is_open { "true" } else { "false" }) {
                            span.twisty { (icon::small(if is_open { "down" } else { "right" })) }
                            (time)
                        }
                    }
                    None => { (time) }
                }
            }
            td { @if !line.level.is_empty() { (flag(tone, &words::cut(&line.level, 12))) } }
            @if view.service().is_none() {
                @let logs = view.to(&["services", &line.service, "logs"]);
                td.soft {
                    a.plain href=(logs) title=(line.service) { (words::cut(&line.service, 40)) }
                    @if named { span.dim { " · " (words::environment(&line.environment)) } }
                }
            } @else if named {
                td.soft title=(line.environment) { (words::environment(&line.environment)) }
            }
            th.grow scope="row" {
                @if line.message.is_empty() { span.dim { "–" } }
                @else { div.message { (shown(&line.message)) } }
            }
            td {
                @if let Some(trace) = &line.trace_id {
                    @let href = view.to(&["traces", trace]).set("item", item.map_or("", String::as_str));
                    a href=(href) aria-label={ "Trace of the line of " (time) } { "Trace" }
                }
            }
        }
    }
}

/// As much of a message as the list shows.
fn shown(message: &str) -> &str {
    let end = message.char_indices().nth(SHOWN).map(|(at, _)| at);
    end.map_or(message, |end| &message[..end])
}

/// The open line with all of its fields.
fn opened(view: &View, line: &Line, named: bool) -> Markup {
    let width = if view.service().is_none() || named {
        "5"
    } else {
        "4"
    };
    let Some(document) = &line.document else {
        return html! {};
    };
    let hit = Hit {
        seq: line.seq,
        timestamp: line.timestamp,
        document: document.clone(),
    };
    html! { tr.detail { td colspan=(width) { (details(view, &hit)) } } }
}
