//! The regular form of a line: no key doubled, escaped or in another case, nothing nested too deep.
//!
//! Field names are matched without regard to case, and of two members with the same name the last one wins;
//! agents never need either. So the rare line that does is rewritten here. Objects whose keys are the user's
//! (labels, headers …) are left alone.

use serde_json::{Map, Value};

/// How deep arrays and objects may be nested. `serde_json` reads 128 levels.
pub(crate) const MAX_DEPTH: usize = 100;

/// Members whose own members are named by users.
const FREE: [&str; 11] = [
    "headers",
    "tags",
    "labels",
    "custom",
    "env",
    "cookies",
    "marks",
    "attributes",
    "vars",
    "samples",
    "body",
];

/// Rewrites the first JSON value of a line.
///
/// # Errors
/// What the parser says of a line that is no JSON.
pub(super) fn rewrite(line: &str) -> Result<String, String> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
    let value = values
        .next()
        .unwrap_or(Ok(Value::Null))
        .map_err(|error| error.to_string())?;
    Ok(lower(value).to_string())
}

fn lower(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut lowered = Map::new();
            for (mut key, value) in members {
                // It would have to be escaped again, and no known field has such a name.
                if key.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
                    continue;
                }
                key.make_ascii_lowercase();
                let value = if FREE.contains(&key.as_str()) {
                    value
                } else {
                    lower(value)
                };
                lowered.insert(key, value);
            }
            Value::Object(lowered)
        }
        Value::Array(elements) => elements.into_iter().map(lower).collect(),
        value => value,
    }
}

/// Whether a line nests deeper than [`MAX_DEPTH`].
pub(super) fn is_too_deep(line: &str) -> bool {
    // A byte per lane, so that the compiler counts many at once; the two brackets differ in one bit.
    let count =
        |part: &[u8]| -> u8 { part.iter().map(|byte| u8::from(byte & !0x20 == b'[')).sum() };
    let opens: usize = line
        .as_bytes()
        .chunks(255)
        .map(|part| usize::from(count(part)))
        .sum();
    opens > MAX_DEPTH && depth(line) > MAX_DEPTH
}

fn depth(line: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lowered_but_not_those_of_users() {
        let line = r#"{"Span":{"ID":"1","id":"2","context":{"TAGS":{"Ab":1},"tr\u0061ce":0}}} x"#;
        assert_eq!(
            rewrite(line).unwrap(),
            r#"{"span":{"context":{"tags":{"Ab":1},"trace":0},"id":"2"}}"#
        );
        assert!(rewrite("{").is_err());
    }

    #[test]
    fn brackets_in_strings_nest_nothing() {
        let flat = format!("[{}]", vec![r#""[{\"[""#; 200].join(","));
        assert!(!is_too_deep(&flat));
        assert!(is_too_deep(&"[".repeat(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&"[".repeat(MAX_DEPTH)));
    }
}
