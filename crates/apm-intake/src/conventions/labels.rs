//! Attributes that mean nothing in particular: labels.

use super::value::Value;
use super::write::Json;

/// Characters of a text that are kept.
const MAX_CHARS: usize = 1024;

/// The beginning of a text, as far as it is kept.
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= MAX_CHARS {
        return text;
    }
    let end = text.char_indices().nth(MAX_CHARS).map(|(at, _)| at);
    &text[..end.unwrap_or(text.len())]
}

/// Whether a value can be a label: a text, a boolean, a number, or an array of them.
pub(crate) fn is_label(value: &Value<'_>) -> bool {
    match value {
        Value::Text(_) | Value::Bool(_) | Value::Int(_) => true,
        Value::Double(number) => number.is_finite(),
        Value::Array(values) => values
            .first()
            .is_some_and(|first| !matches!(first, Value::Array(_)) && is_label(first)),
        Value::Empty | Value::Map(_) | Value::Bytes => false,
    }
}

/// Writes a label, if the value can be one. Of an array, the type of the first element decides which are kept.
pub(crate) fn label(json: &mut Json<'_>, key: &str, value: &Value<'_>) {
    if !is_label(value) || key.is_empty() {
        return;
    }
    json.key(cut(key));
    let Value::Array(values) = value else {
        scalar(json, value);
        return;
    };
    json.open('[');
    for element in values {
        if kind(element) == values.first().map_or(0, kind) && is_label(element) {
            match element {
                // Booleans are shown as texts, in arrays too.
                Value::Bool(flag) => json.element(if *flag { "true" } else { "false" }),
                Value::Text(text) => json.element(cut(text)),
                element => scalar(json, element),
            }
        }
    }
    json.close(']');
}

fn scalar(json: &mut Json<'_>, value: &Value<'_>) {
    match value {
        Value::Text(text) => json.string(cut(text)),
        Value::Bool(flag) => json.bool_value(*flag),
        Value::Int(int) => json.int_value(*int),
        Value::Double(number) => json.double_value(*number),
        _ => {}
    }
}

/// A number for each type that elements of one array may have.
fn kind(value: &Value<'_>) -> u8 {
    match value {
        Value::Text(_) => 1,
        Value::Bool(_) => 2,
        Value::Int(_) => 3,
        Value::Double(_) => 4,
        _ => 0,
    }
}
