//! The values in an ECS document by their dotted names. Arrays have no name of their own: each
//! element is a value of the array's field, as in Elasticsearch.

use serde_json::Value;

/// Calls `each` with the dotted name and the value of every string, number and boolean.
pub fn for_each_leaf<'a>(document: &'a Value, each: &mut dyn FnMut(&str, &'a Value)) {
    walk(document, &mut String::new(), each);
}

fn walk<'a>(value: &'a Value, path: &mut String, each: &mut dyn FnMut(&str, &'a Value)) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, inner) in fields {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(inner, path, each);
                path.truncate(length);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, each)),
        leaf => each(path, leaf),
    }
}

/// Whether there is any value called `name`, or below it. Keys with dots in them are found too.
pub(super) fn exists(document: &Value, name: &str) -> bool {
    any_at(document, name, &mut |value| {
        let mut found = false;
        for_each_leaf(value, &mut |_, _| found = true);
        found
    })
}

/// Whether `test` holds for any leaf called exactly `name`: an object has no value of its own.
pub(super) fn any_leaf(document: &Value, name: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    any_at(document, name, &mut |value| match value {
        Value::Null | Value::Object(_) => false,
        leaf => test(leaf),
    })
}

/// Whether `test` holds for any value at `name`; of an array, for any of its elements.
fn any_at(document: &Value, name: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    match document {
        Value::Array(items) => items.iter().any(|item| any_at(item, name, test)),
        value if name.is_empty() => test(value),
        Value::Object(fields) => {
            // Each point may separate two objects, or be a part of a key.
            let ends = name
                .match_indices('.')
                .map(|(at, _)| at)
                .chain([name.len()]);
            ends.into_iter().any(|end| {
                fields
                    .get(&name[..end])
                    .is_some_and(|inner| any_at(inner, name.get(end + 1..).unwrap_or(""), test))
            })
        }
        _ => false,
    }
}

/// A leaf as people see it and as a filter spells it.
#[must_use]
pub fn text_of(leaf: &Value) -> std::borrow::Cow<'_, str> {
    match leaf {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}
