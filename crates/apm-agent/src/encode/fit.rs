//! Makes an event fit the server's limit for one line.
//!
//! Every field has a limit of its own, but a hundred long labels beside a long body can still be more than the server
//! takes, and then it refuses the whole event. What is too long is read back and shortened evenly: the longest texts
//! first, then the longest lists.

use serde_json::{Map, Value};

use super::json::cut;

/// The longest line that servers take by default (APM Server: `max_event_size`), with its line break.
pub(crate) const MAX_LINE: usize = 300 * 1024;

/// The longest text that is left, step by step, in characters. Ids are shorter than the last step.
const TEXTS: [usize; 8] = [8192, 4096, 2048, 1024, 512, 256, 128, 64];
/// Lists and maps of at most so many entries are left whole: the fields of an event are such a map.
const FEW: usize = 32;

/// The same lines, each at most [`MAX_LINE`] bytes long. A line that is not JSON stays as it is.
pub(crate) fn lines(written: Vec<u8>) -> Vec<u8> {
    let mut fitted = Vec::with_capacity(written.len());
    for line in written.split_inclusive(|byte| *byte == b'\n') {
        match (line.len() > MAX_LINE)
            .then(|| shortened(line, MAX_LINE))
            .flatten()
        {
            Some(short) => fitted.extend_from_slice(&short),
            None => fitted.extend_from_slice(line),
        }
    }
    fitted
}

/// A line of at most `limit` bytes, with its line break. `None` if it is not JSON, or cannot be made as short.
pub(crate) fn shortened(line: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(line).ok()?;
    // Texts first: a text that is cut still tells something, an entry that is left out does not.
    for most in TEXTS {
        shorten_texts(&mut event, most);
        if let Some(line) = fitting(&event, limit) {
            return Some(line);
        }
    }
    let mut most = longest(&event);
    while most > FEW {
        most = (most / 2).max(FEW);
        shorten_lists(&mut event, most);
        if let Some(line) = fitting(&event, limit) {
            return Some(line);
        }
    }
    None
}

fn fitting(event: &Value, limit: usize) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(event).ok()?;
    line.push(b'\n');
    (line.len() <= limit).then_some(line)
}

fn shorten_texts(value: &mut Value, most: usize) {
    match value {
        Value::String(text) => {
            if let Some(kept) = cut(text, most) {
                *text = format!("{kept}…");
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| shorten_texts(value, most)),
        Value::Object(members) => {
            let long_name = members.keys().any(|name| cut(name, most).is_some());
            if long_name {
                let all = std::mem::take(members);
                members.extend(all.into_iter().map(|(name, value)| {
                    let short = cut(&name, most).map(|kept| format!("{kept}…"));
                    (short.unwrap_or(name), value)
                }));
            }
            members
                .values_mut()
                .for_each(|value| shorten_texts(value, most));
        }
        _ => {}
    }
}

fn shorten_lists(value: &mut Value, most: usize) {
    match value {
        Value::Array(values) => {
            values.truncate(most);
            values
                .iter_mut()
                .for_each(|value| shorten_lists(value, most));
        }
        Value::Object(members) => {
            if members.len() > most {
                let all: Map<String, Value> = std::mem::take(members);
                members.extend(all.into_iter().take(most));
            }
            members
                .values_mut()
                .for_each(|value| shorten_lists(value, most));
        }
        _ => {}
    }
}

/// The number of entries of the longest list or map.
fn longest(value: &Value) -> usize {
    match value {
        Value::Array(values) => values
            .iter()
            .map(longest)
            .max()
            .unwrap_or(0)
            .max(values.len()),
        Value::Object(members) => members
            .values()
            .map(longest)
            .max()
            .unwrap_or(0)
            .max(members.len()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fitted(event: &Value) -> Value {
        let mut line = serde_json::to_vec(event).unwrap();
        line.push(b'\n');
        let short = lines(line);
        assert!(short.len() <= MAX_LINE, "{}", short.len());
        assert_eq!(short.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&short).unwrap()
    }

    #[test]
    fn the_longest_texts_are_shortened_first() {
        let event = json!({"error": {"id": "7", "message": "m".repeat(400_000), "culprit": "c".repeat(900)}});
        let short = fitted(&event);
        assert_eq!(
            short["error"]["message"]
                .as_str()
                .map(|text| text.chars().count()),
            Some(8192)
        );
        assert_eq!(short["error"]["culprit"], event["error"]["culprit"]);
        assert_eq!(short["error"]["id"], "7");
    }

    #[test]
    fn names_and_escapes_count_as_well() {
        let tags: Map<String, Value> = (0..128)
            .map(|number| {
                let name = format!("{number}{}", "\u{1}".repeat(1000));
                (name, "\u{2}".repeat(1024).into())
            })
            .collect();
        let short = fitted(&json!({"transaction": {"context": {"tags": tags}}}));
        assert_eq!(
            short["transaction"]["context"]["tags"]
                .as_object()
                .map(Map::len),
            Some(128)
        );
    }

    #[test]
    fn endless_lists_lose_their_ends() {
        let short = fitted(&json!({"span": {"id": "7", "stacktrace": vec!["frame"; 100_000]}}));
        assert_eq!(short["span"]["id"], "7");
        assert!(short["span"]["stacktrace"].as_array().unwrap().len() > 10_000);
    }

    #[test]
    fn large_numbers_keep_their_digits_and_other_lines_are_not_touched() {
        let number = u64::MAX;
        let short = fitted(&json!({"log": {"message": "m".repeat(400_000), "number": number}}));
        assert_eq!(short["log"]["number"], number);
        for line in [
            b"{\"span\":{ }}\n".to_vec(),
            [&b"{"[..], &[b'x'; 400_000], b"\n"].concat(),
        ] {
            assert_eq!(lines(line.clone()), line);
        }
    }
}
