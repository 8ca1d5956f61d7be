//! One occurrence: when, in which request, its stack traces and everything else it carries.

use maud::{Markup, html};
use serde_json::Value;

use crate::analytics::error_group::Sample;
use crate::analytics::errors::ErrorGroup;
use crate::answers::error::Answer as Found;
use crate::answers::errors::title;
use crate::ui::components::cells::{flag, level_tone};
use crate::ui::components::code;
use crate::ui::components::controls::{Pager, Tab, copy, tabs};
use crate::ui::components::frames::{StackFrame, exception, frames};
use crate::ui::components::panel::{meta, nothing};
use crate::ui::number::grouped;
use crate::ui::pages::errors;
use crate::ui::pages::trace::details::stack_of;
use crate::ui::pages::trace::document::{field, text};
use crate::ui::pages::trace::metadata;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// The panel of the chosen occurrence.
pub(super) fn panel(view: &View, found: &Found) -> Markup {
    let (group, samples, place) = (&*found.group, &found.samples, found.n);
    let document = found.document.as_ref();
    let title = if place == 0 {
        "Latest occurrence"
    } else {
        "Occurrence"
    };
    let href = |place: usize| match place {
        0 => view.here().without("n").to_string(),
        place => view.here().set("n", &place.to_string()).to_string(),
    };
    let last = samples.len().saturating_sub(1);
    let pager = Pager {
        label: "Occurrences",
        position: format!(
            "{} of {}",
            grouped(place as u64 + 1),
            grouped(samples.len() as u64)
        ),
        first: (place > 0).then(|| href(0)),
        previous: (place > 0).then(|| href(place - 1)),
        next: (place < last).then(|| href(place + 1)),
        last: (place < last).then(|| href(last)),
    };
    let kql = format!("error.grouping_key: {}", quoted(&group.key));
    let none = Value::Null;
    let content = document.unwrap_or(&none);
    html! {
        section.panel aria-labelledby="occurrence-t" {
            div.panel-head {
                h2 id="occurrence-t" { (title) }
                (pager)
                div.row.push {
                    (copy("markdown", "Copy as Markdown"))
                    a.btn.btn--small href=(view.discover(&kql)) { "Show all in Discover" }
                }
            }
            @match samples.get(place) {
                Some(sample) => {
                    (meta(about(view, group, sample, content)))
                    (body(view, content, document))
                    pre id="markdown" hidden { (markdown(view, group, sample, content)) }
                }
                None => (nothing("No occurrence is stored", "Its events were deleted. The counts remain.")),
            }
        }
    }
}

fn about<'a>(
    view: &View,
    group: &ErrorGroup,
    sample: &Sample,
    document: &Value,
) -> Vec<(&'a str, Markup)> {
    let mut rows = vec![("Time", view.clock.stamp(sample.timestamp))];
    if let (Some(trace), Some(id)) = (text(document, "trace.id"), text(document, "transaction.id"))
    {
        let name = text(document, "transaction.name").unwrap_or_else(|| id.clone());
        let href = view.to(&["traces", &trace]).set("item", &id);
        rows.push((
            "Request",
            html! { a href=(href) { (words::cut(&name, 60)) } },
        ));
    }
    let mut field = |name: &'a str, paths: &[&str]| {
        if let Some(value) = paths.iter().find_map(|path| text(document, path)) {
            rows.push((
                name,
                html! { span title=(value) { (words::cut(&value, 90)) } },
            ));
        }
    };
    field("URL", &["url.full", "url.original"]);
    field("Method", &["http.request.method"]);
    field("Status", &["http.response.status_code"]);
    field("Host", &["host.hostname", "host.name"]);
    field("User", &["user.name", "user.id", "user.email"]);
    if let Some(level) = text(document, "error.log.level") {
        rows.push(("Level", flag(level_tone(&level), &level)));
    }
    if let Some(trace) = text(document, "trace.id") {
        let short = words::short_trace(&trace);
        rows.push((
            "Trace",
            html! { a href=(view.to(&["traces", &trace])) { code { (short) } } },
        ));
    }
    rows.push(("Group", html! { code { (errors::short(&group.key)) } }));
    rows
}

/// One exception or cause: its title and its frames.
struct Thrown {
    title: String,
    frames: Vec<StackFrame>,
}

fn thrown(document: &Value) -> Vec<Thrown> {
    let one = |value: &Value| {
        let (kind, message) = (
            text(value, "type").unwrap_or_default(),
            text(value, "message").unwrap_or_default(),
        );
        let title = match (kind.is_empty(), message.is_empty()) {
            // Some agents put the type before the message.
            (false, false) if message.starts_with(&format!("{kind}:")) => message,
            (false, false) => format!("{kind}: {message}"),
            (false, true) => kind,
            (true, false) => message,
            (true, true) => "exception without a message".to_owned(),
        };
        Thrown {
            title,
            frames: stack_of(field(value, "stacktrace")),
        }
    };
    match field(document, "error.exception") {
        Some(Value::Array(list)) => list.iter().map(one).collect(),
        Some(value @ Value::Object(_)) => vec![one(value)],
        _ => Vec::new(),
    }
}

fn logged(document: &Value) -> Option<Thrown> {
    let message = text(document, "error.log.message")?;
    Some(Thrown {
        title: message,
        frames: stack_of(field(document, "error.log.stacktrace")),
    })
}

fn body(view: &View, content: &Value, document: Option<&Value>) -> Markup {
    let (thrown, logged) = (thrown(content), logged(content));
    let fallback = if thrown.is_empty() && logged.is_some() {
        "log"
    } else {
        "stack"
    };
    let current = view.param("tab").unwrap_or(fallback);
    let mut all = vec![("stack", "Stack trace")];
    if logged.is_some() {
        all.push(("log", "Log stack trace"));
    }
    all.extend([("metadata", "Metadata"), ("json", "JSON")]);
    let known = all.iter().any(|(key, _)| *key == current);
    let tab = |(key, title): &(&'static str, &'static str)| Tab {
        title,
        href: view
            .here()
            .set("tab", if *key == fallback { "" } else { key })
            .to_string(),
        count: None,
        current: *key == current || (!known && *key == fallback),
    };
    let list: Vec<Tab> = all.iter().map(tab).collect();
    html! {
        (tabs("Occurrence", &list))
        @match current {
            "metadata" => (metadata::tab(view, document)),
            "json" => div.pad-all {
                div.row { (copy("document", "Copy")) }
                (code::block("document", html! { (serde_json::to_string_pretty(content).unwrap_or_default()) }))
            },
            "log" if logged.is_some() => @if let Some(log) = &logged { (stack("Logged", log)) },
            _ if thrown.is_empty() => (nothing("No exception", "This error was logged, not thrown: see the log tab.")),
            _ => @for (i, one) in thrown.iter().enumerate() {
                (stack(if i == 0 { "Exception" } else { "Caused by" }, one))
            },
        }
    }
}

fn stack(sub: &str, thrown: &Thrown) -> Markup {
    html! {
        (exception(sub, &thrown.title))
        @if thrown.frames.is_empty() { p.pad.dim { "No stack trace was sent." } } @else { (frames(&thrown.frames)) }
    }
}

/// The text that is copied into an issue: the title, when and where, and own frames.
fn markdown(view: &View, group: &ErrorGroup, sample: &Sample, document: &Value) -> String {
    let mut out = format!("**{}**\n\n", words::cut(title(group), 200));
    out.push_str(&format!(
        "- service: {}\n- occurrences {}: {}\n- latest: {}\n",
        group.service,
        words::range(view),
        group.occurrences,
        crate::ui::moment::Clock::rfc3339(sample.timestamp)
    ));
    if let Some(trace) = text(document, "trace.id") {
        out.push_str(&format!(
            "- trace: {}{}\n",
            view.origin,
            view.to(&["traces", &trace])
        ));
    }
    for one in thrown(document).iter().chain(logged(document).iter()) {
        out.push_str(&format!("\n```\n{}\n", one.title));
        for frame in &one.frames {
            let line = frame
                .line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            out.push_str(&format!("  at {} ({}{line})\n", frame.function, frame.file));
        }
        out.push_str("```\n");
    }
    out
}
