//! Stack frames as they are indexed.

use serde_json::{Map, Value, json};

/// The frames of a trace; null where there are none.
pub(super) fn stacktrace(frames: &Value) -> Value {
    match frames.as_array().filter(|frames| !frames.is_empty()) {
        Some(frames) => frames.iter().map(frame).collect(),
        None => Value::Null,
    }
}

fn frame(frame: &Value) -> Value {
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| {
        if is_told(&value) {
            out.insert(name.to_owned(), value);
        }
    };
    for name in [
        "filename",
        "classname",
        "module",
        "function",
        "abs_path",
        "vars",
        "library_frame",
    ] {
        set(name, frame[name].clone());
    }
    let line = [
        ("lineno", "number"),
        ("colno", "column"),
        ("context_line", "context"),
    ];
    set("line", group(frame, &line));
    let context = [("pre_context", "pre"), ("post_context", "post")];
    set("context", group(frame, &context));
    // Only a browser's frames are ever left out; that none of these is stands in each.
    out.insert("exclude_from_grouping".to_owned(), false.into());
    Value::Object(out)
}

/// Whether a value says more than its absence does.
fn is_told(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn group(frame: &Value, pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .filter(|(from, _)| is_told(&frame[from]))
        .map(|(from, to)| ((*to).to_owned(), frame[from].clone()))
        .collect()
}

/// An exception and its causes, depth first. Where the one before is not the parent, its index is named.
pub(super) fn exceptions(exception: &Value, stack: &Value) -> Value {
    let mut flat = Vec::new();
    let mut open = vec![(exception, None::<usize>)];
    while let Some((exception, parent)) = open.pop() {
        if !exception.is_object() {
            continue;
        }
        let index = flat.len();
        let frames = if index == 0 && !stack.is_null() {
            stack
        } else {
            &exception["stacktrace"]
        };
        let mut out = json!({
            "message": exception["message"],
            "module": exception["module"],
            "type": exception["type"],
            "code": super::fields::as_text(&exception["code"]),
            "handled": exception["handled"],
            "attributes": super::fields::legal_keys(&exception["attributes"]),
            "stacktrace": stacktrace(frames),
        });
        if let Some(parent) = parent.filter(|parent| parent + 1 != index) {
            out["parent"] = parent.into();
        }
        if let Value::Object(members) = &mut out {
            members.retain(|_, value| !value.is_null());
        }
        flat.push(out);
        let causes = exception["cause"].as_array().into_iter().flatten();
        open.extend(causes.rev().map(|cause| (cause, Some(index))));
    }
    if flat.is_empty() {
        Value::Null
    } else {
        flat.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_holds_only_what_is_told() {
        let sent = json!([
            {"filename": "a.py", "lineno": 0, "library_frame": false, "module": "", "vars": {}},
            {"library_frame": true, "pre_context": [], "post_context": ["x"], "context_line": "y"},
        ]);
        assert_eq!(
            stacktrace(&sent),
            json!([
                {"filename": "a.py", "line": {"number": 0}, "exclude_from_grouping": false},
                {
                    "library_frame": true, "context": {"post": ["x"]}, "line": {"context": "y"},
                    "exclude_from_grouping": false,
                },
            ])
        );
    }

    #[test]
    fn causes_are_flattened_depth_first() {
        let tree = json!({"type": "a", "cause": [
            {"type": "b", "cause": [{"type": "c"}, {"type": "d"}]},
            {"type": "e"},
        ]});
        let flat = exceptions(&tree, &Value::Null);
        assert_eq!(
            flat,
            json!([
                {"type": "a"},
                {"type": "b"},
                {"type": "c"},
                {"type": "d", "parent": 1},
                {"type": "e", "parent": 0},
            ])
        );
    }
}
