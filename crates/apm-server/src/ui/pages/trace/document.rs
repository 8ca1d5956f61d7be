//! Fields of an ECS document by their dotted names, wherever the dots stand for nesting and wherever they are part of
//! a key.

use serde_json::Value;

/// The value of `path`, such as `span.db.statement`.
pub(crate) fn field<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(path) {
        return Some(value);
    }
    path.match_indices('.')
        .find_map(|(dot, _)| field(document.get(&path[..dot])?, &path[dot + 1..]))
}

/// A scalar as text; nothing for an empty one.
pub(crate) fn text(document: &Value, path: &str) -> Option<String> {
    field(document, path)
        .and_then(scalar)
        .filter(|text| !text.is_empty())
}

pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(scalar).collect::<Option<_>>()?;
            Some(parts.join(", "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Every leaf of a document with its dotted name, in order of names. Lists of objects count as leaves, written as JSON.
pub(crate) fn leaves(document: &Value) -> Vec<(String, String)> {
    fn walk(prefix: &str, value: &Value, out: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let name = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&name, value, out);
                }
            }
            Value::Null => {}
            value => out.push((
                prefix.to_owned(),
                scalar(value).unwrap_or_else(|| value.to_string()),
            )),
        }
    }
    let mut out = Vec::new();
    walk("", document, &mut out);
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_find_values_through_nesting_and_dotted_keys() {
        let document = json!({
            "span": {"db": {"statement": "SELECT 1"}},
            "http.request": {"headers": {"Host": ["a", "b"]}},
        });
        assert_eq!(
            text(&document, "span.db.statement").as_deref(),
            Some("SELECT 1")
        );
        assert_eq!(
            text(&document, "http.request.headers.Host").as_deref(),
            Some("a, b")
        );
        assert_eq!(text(&document, "span.db"), None);
        assert_eq!(text(&document, "nothing.here"), None);
    }

    #[test]
    fn leaves_are_sorted_and_lists_of_objects_stay_whole() {
        let document = json!({"b": {"c": 1, "a": null}, "a": [{"x": 1}]});
        assert_eq!(
            leaves(&document),
            [
                ("a".to_owned(), "[{\"x\":1}]".to_owned()),
                ("b.c".to_owned(), "1".to_owned())
            ]
        );
    }
}
