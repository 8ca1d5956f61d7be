//! Stack frames as they are indexed.

use super::fields::{as_text, legal_keys};
use crate::json::{Json, Members};

/// The frames of a trace; null where there are none.
pub(super) fn stacktrace<'a>(frames: &'a Json<'a>) -> Json<'a> {
    match frames.as_list().filter(|frames| !frames.is_empty()) {
        Some(frames) => Json::List(frames.iter().map(frame).collect()),
        None => Json::Null,
    }
}

fn frame<'a>(frame: &'a Json<'a>) -> Json<'a> {
    let mut out = Members::new();
    let mut set = |name: &'static str, value: Json<'a>| {
        if is_told(&value) {
            out.insert(name.into(), value);
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
        set(name, frame[name].share());
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
    out.insert("exclude_from_grouping".into(), false.into());
    Json::Object(out)
}

/// Whether a value says more than its absence does.
fn is_told(value: &Json<'_>) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Text(text) => !text.is_empty(),
        Json::List(elements) => !elements.is_empty(),
        Json::Object(members) => !members.is_empty(),
        Json::Shared(value) => is_told(value),
        _ => true,
    }
}

fn group<'a>(frame: &'a Json<'a>, pairs: &[(&'static str, &'static str)]) -> Json<'a> {
    let told = pairs.iter().filter(|(from, _)| is_told(&frame[from]));
    let members: Members<'a> = told
        .map(|(from, to)| ((*to).into(), frame[from].share()))
        .collect();
    members.into()
}

/// An exception and its causes, depth first. Where the one before is not the parent, its index is named.
pub(super) fn exceptions<'a>(exception: &'a Json<'a>, stack: &'a Json<'a>) -> Json<'a> {
    let mut flat = Vec::new();
    let mut open = vec![(exception, None::<usize>)];
    while let Some((exception, parent)) = open.pop() {
        if !exception.is_object() {
            continue;
        }
        let index = flat.len();
        // The frames of the outermost one are stored apart; those of its causes are in the document.
        let frames = if index == 0 && !stack.is_null() {
            stack
        } else {
            &exception["stacktrace"]
        };
        let parent = parent.filter(|parent| parent + 1 != index);
        let members = [
            ("message", exception["message"].share()),
            ("module", exception["module"].share()),
            ("type", exception["type"].share()),
            ("code", as_text(&exception["code"])),
            ("handled", exception["handled"].share()),
            ("attributes", legal_keys(&exception["attributes"])),
            ("stacktrace", stacktrace(frames)),
            ("parent", parent.into()),
        ];
        let told = members.into_iter().filter(|(_, value)| !value.is_null());
        let members: Members<'a> = told.map(|(name, value)| (name.into(), value)).collect();
        flat.push(Json::Object(members));
        let causes = exception["cause"].values();
        // The last one is taken first, so the causes go in backwards.
        open.extend(causes.rev().map(|cause| (cause, Some(index))));
    }
    if flat.is_empty() {
        Json::Null
    } else {
        flat.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The JSON of what `make` makes of another.
    fn made(sent: &Value, make: impl for<'a> Fn(&'a Json<'a>) -> Json<'a>) -> Value {
        let sent = sent.to_string();
        let sent = Json::read(&sent).unwrap();
        make(&sent).into()
    }

    #[test]
    fn a_frame_holds_only_what_is_told() {
        let sent = json!([
            {"filename": "a.py", "lineno": 0, "library_frame": false, "module": "", "vars": {}},
            {"library_frame": true, "pre_context": [], "post_context": ["x"], "context_line": "y"},
        ]);
        assert_eq!(
            made(&sent, stacktrace),
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
        let flat = made(&tree, |tree| exceptions(tree, &Json::Null));
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
