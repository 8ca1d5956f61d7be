//! The pages over the wire: what they weigh, what they take and give, what arrives while one is open.

mod big;
mod calls;
mod chosen;
mod clocks;
mod compared;
mod correlated;
mod cost;
mod data;
mod filtered;
mod held;
mod live;
mod logs;
mod markup;
mod names;
mod narrowed;
mod pasted;
mod places;
mod planless;
mod sampled;
mod scanned;
mod sentences;
mod setup;
mod tables;
mod text;
mod thrown;
mod uncovered;
mod weight;
mod whose;

use serde_json::json;

/// Metadata of a service.
fn metadata(service: &str) -> String {
    let service = json!({
        "name": service, "environment": "test", "agent": {"name": "rust", "version": "1"},
    });
    json!({"metadata": {"service": service}}).to_string()
}

/// A transaction at a time in µs.
fn transaction(number: u64, name: &str, at: i64) -> String {
    let request = json!({
        "method": "GET", "url": {"full": "http://a/b"}, "headers": {"Host": "a"},
    });
    let transaction = json!({
        "id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
        "name": name, "type": "request", "duration": 12.345, "timestamp": at,
        "result": "HTTP 2xx", "outcome": "success", "span_count": {"started": 2, "dropped": 1},
        "context": {"request": request, "tags": {"k": "v"}},
    });
    json!({ "transaction": transaction }).to_string()
}

/// The text within the first element of a class, without marks and with plain spaces.
fn said(html: &str, start: &str, end: &str) -> String {
    let from = html.find(start).map_or(0, |at| at + start.len());
    let text = html[from..].split(end).next().unwrap_or_default();
    let plain = |c: char| match c {
        '\u{202f}' => ' ',
        c => c,
    };
    let text: String = text
        .chars()
        .map(plain)
        .filter(|c| !('\u{2066}'..='\u{2069}').contains(c))
        .collect();
    text.replace("&quot;", "\"").replace("&amp;", "&")
}
