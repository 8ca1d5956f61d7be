//! The pages over the wire: what they weigh, what they take and give, what arrives while one is open.

mod big;
mod clocks;
mod data;
mod filtered;
mod live;
mod markup;
mod names;
mod pasted;
mod sentences;
mod text;
mod uncovered;
mod weight;

/// Metadata of a service.
fn metadata(service: &str) -> String {
    format!(
        r#"{{"metadata":{{"service":{{"name":"{service}","environment":"test","agent":{{"name":"rust","version":"1"}}}}}}}}"#
    )
}

/// A transaction at a time in µs.
fn transaction(number: u64, name: &str, at: i64) -> String {
    format!(
        r#"{{"transaction":{{"id":"{number:016x}","trace_id":"{number:032x}","name":"{name}","type":"request","duration":12.345,"timestamp":{at},"result":"HTTP 2xx","outcome":"success","span_count":{{"started":2,"dropped":1}},"context":{{"request":{{"method":"GET","url":{{"full":"http://a/b"}},"headers":{{"Host":"a"}}}},"tags":{{"k":"v"}}}}}}}}"#
    )
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
