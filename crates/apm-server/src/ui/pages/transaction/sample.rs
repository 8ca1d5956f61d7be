//! A sample of a transaction: which of how many, what it was, and its trace.

use maud::{Markup, html};
use serde_json::Value;

use crate::analytics::samples::{Durations, LIMIT, Sample};
use crate::answers::transaction::Sampled;
use crate::ui::components::controls::{Pager, copy_link};
use crate::ui::components::panel::{empty, meta};
use crate::ui::number::{duration, grouped, percent};
use crate::ui::pages::elsewhere_note;
use crate::ui::pages::trace::document::text;
use crate::ui::pages::trace::panel::Panel;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// The brushed range in words, if there is one.
fn between(chosen: Durations) -> Option<String> {
    let all = Durations::default();
    match (chosen.min != all.min, chosen.max != all.max) {
        (false, false) => None,
        (true, false) => Some(format!("of {} or longer", duration(chosen.min as f64))),
        (false, true) => Some(format!("under {}", duration(chosen.max as f64))),
        (true, true) => Some(format!(
            "between {} and {}",
            duration(chosen.min as f64),
            duration(chosen.max as f64)
        )),
    }
}

/// Without a sample: why, and the way back.
pub(super) fn none(view: &View, chosen: Durations, samples: &[Sample]) -> Markup {
    let all = ["min_us", "max_us", "min_ms", "max_ms"]
        .iter()
        .fold(view.here(), |href, key| href.without(key));
    match (samples.is_empty(), between(chosen)) {
        (true, Some(range)) => empty(
            "No sample in this range",
            html! { "No sampled request " (range) " is stored." },
            html! { a.btn.btn--primary href=(all) { "Clear the range" } },
        ),
        (true, None) => empty(
            "No sample",
            "Requests were counted, but none was sampled, or their events were deleted.",
            html! {},
        ),
        (false, _) => empty(
            "The trace was deleted",
            "It was too old, or there was no room for it.",
            html! { a.btn href=(view.here()) { "Try again" } },
        ),
    }
}

/// The panel of one sample.
pub(super) fn panel(view: &View, chosen: Durations, sampled: &Sampled, panel: Panel<'_>) -> Markup {
    let (samples, place) = (&sampled.samples, sampled.sample.unwrap_or(0));
    let sample = &samples[place];
    let none = Value::Null;
    let document = sampled.sample_document.as_ref().unwrap_or(&none);
    let href = |sample: &Sample| {
        view.here()
            .set("sample", &sample.id)
            .without("item")
            .to_string()
    };
    let pager = Pager {
        label: "Samples",
        position: format!(
            "{} of {}",
            grouped(place as u64 + 1),
            grouped(samples.len() as u64)
        ),
        first: (place > 0).then(|| href(&samples[0])),
        previous: (place > 0).then(|| href(&samples[place - 1])),
        next: samples.get(place + 1).map(href),
        last: samples
            .last()
            .filter(|_| place + 1 < samples.len())
            .map(href),
    };
    let note = between(chosen).unwrap_or_else(|| words::range(view));
    let most = if samples.len() as i64 >= LIMIT {
        format!(", the newest {LIMIT}")
    } else {
        String::new()
    };
    let short = words::short_trace(&sample.trace_id);
    let trace = html! { a href=(view.to(&["traces", &sample.trace_id])) { code { (short) } } };
    let content = panel.render(view);
    let discover = view.discover(&format!(
        "processor.event: transaction and transaction.id: {}",
        quoted(&sample.id)
    ));
    let frozen = view.frozen().set("sample", &sample.id);
    html! {
        (elsewhere_note(&sampled.elsewhere))
        section.panel id="sample" aria-labelledby="sample-t" {
            div.panel-head {
                h2 id="sample-t" { "Sample request" }
                span.note { (note) (most) }
                (pager)
                div.row.push {
                    a.btn.btn--small href=(discover) { "Show in Discover" }
                    (copy_link(frozen, "Copy link"))
                }
            }
            (meta(about(view, sample, document, panel.trace.duration, trace)))
            (content)
        }
    }
}

fn about<'a>(
    view: &View,
    sample: &Sample,
    document: &Value,
    whole: i64,
    trace: Markup,
) -> Vec<(&'a str, Markup)> {
    let share = (whole > sample.duration && whole > 0)
        .then(|| percent(sample.duration as f64 / whole as f64));
    let mut rows = vec![
        ("Time", view.clock.stamp(sample.timestamp)),
        (
            "Duration",
            html! {
                (duration(sample.duration as f64).to_string())
                @if let Some(share) = share { " " span.dim { (share.to_string()) " of the trace" } }
            },
        ),
        (
            "Result",
            html! {
                (if sample.result.is_empty() { sample.outcome } else { &sample.result })
                @if let Some(status) = text(document, "http.response.status_code") { " " span.dim { (status) } }
            },
        ),
    ];
    let first = |paths: &[&str]| paths.iter().find_map(|path| text(document, path));
    if let Some(url) = first(&["url.full", "url.original"]) {
        rows.push(("URL", html! { code title=(url) { (words::cut(&url, 90)) } }));
    }
    if let Some(client) = first(&["client.ip", "source.ip"]) {
        rows.push(("Client", html! { (client) }));
    }
    let user = first(&["user.name", "user.id", "user.email"]);
    rows.push((
        "User",
        html! { @match user { Some(user) => { (user) }, None => { span.none { "none" } } } },
    ));
    rows.push(("Trace", trace));
    rows
}
