//! Stack traces: own frames with their source, consecutive library frames folded with the names of their crates.

use maud::{Markup, html};
use serde_json::Value;

use super::icon;
use super::source;
use crate::ui::words;

/// One frame, innermost first in its list.
#[derive(Debug, Clone, Default)]
pub(crate) struct StackFrame {
    pub(crate) function: String,
    pub(crate) module: String,
    /// As sent: a path, or a file name.
    pub(crate) file: String,
    pub(crate) line: Option<u64>,
    pub(crate) library: bool,
    pub(crate) pre: Vec<String>,
    pub(crate) context: Option<String>,
    pub(crate) post: Vec<String>,
    pub(crate) vars: Vec<(String, Value)>,
    /// Whether a source map was looked for in vain.
    pub(crate) is_unmapped: bool,
}

/// An exception or a cause, over its frames.
pub(crate) fn exception(sub: &str, title: &str) -> Markup {
    html! { div.causehead { span.sub { (sub) } div.exc { (title) } } }
}

/// Frames that only get in the way: those of libraries, and those of which no file is known.
fn is_aside(frame: &StackFrame) -> bool {
    frame.library || (frame.context.is_none() && matches!(frame.file.as_str(), "" | "<unknown>"))
}

/// The frames of one exception. The first own frame is open.
pub(crate) fn frames(frames: &[StackFrame]) -> Markup {
    // An agent that does not know the packages of its service says of all frames that they are a library's. Then none
    // gets in the way of another.
    let is_told = frames.iter().any(|frame| !frame.library);
    let is_aside = |frame: &StackFrame| is_told && is_aside(frame);
    let first_own = frames.iter().position(|frame| !is_aside(frame));
    // Each group with the place of its first frame.
    let groups = frames
        .chunk_by(|a, b| is_aside(a) && is_aside(b))
        .scan(0, |at, group| {
            let first = *at;
            *at += group.len();
            Some((first, group))
        });
    html! {
        div.frames {
            @for (first, group) in groups {
                @if is_aside(&group[0]) && group.len() > 1 {
                    (folded(group))
                } @else {
                    (frame_details(&group[0], first_own == Some(first)))
                }
            }
        }
    }
}

fn folded(group: &[StackFrame]) -> Markup {
    let mut crates: Vec<&str> = Vec::new();
    for name in group.iter().map(origin).filter(|name| !name.is_empty()) {
        if !crates.contains(&name) {
            crates.push(name);
        }
    }
    let more = crates.len().saturating_sub(4);
    let kind = if group.iter().all(|frame| frame.library) {
        " library frames"
    } else {
        " frames of libraries or without a file"
    };
    html! {
        details.folded {
            summary {
                (twisty())
                (group.len())
                (kind)
                span.where.dim { (crates[..crates.len().min(4)].join(", ")) @if more > 0 { " and " (more) " more" } }
            }
            @for frame in group { (frame_details(frame, false)) }
        }
    }
}

/// The crate or package of a frame: the first part of its module, else of its function.
fn origin(frame: &StackFrame) -> &str {
    let path = if frame.module.is_empty() {
        &frame.function
    } else {
        &frame.module
    };
    let path = path.trim_start_matches(['<', '&']);
    path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .next()
        .unwrap_or("")
}

fn frame_details(frame: &StackFrame, open: bool) -> Markup {
    let place = match frame.line {
        Some(line) => format!("{}:{line}", frame.file),
        None => frame.file.clone(),
    };
    let name = if frame.function.is_empty() {
        "unknown function"
    } else {
        &frame.function
    };
    let has_body = frame.context.is_some() || !frame.vars.is_empty();
    html! {
        details.frame open[open && has_body] {
            summary { (twisty()) code { (name) } span.where title=(place) { (place) } }
            @if has_body { (body(frame)) } @else { p.pad.dim { (no_source(frame)) } }
        }
    }
}

fn no_source(frame: &StackFrame) -> Markup {
    match frame.is_unmapped {
        true => html! {
            "No source map is stored for this file of this version: send it with "
            code { "pocket-apm sourcemap upload" } "."
        },
        false => html! { "No source was sent for this frame." },
    }
}

fn body(frame: &StackFrame) -> Markup {
    let first = frame
        .line
        .map(|line| line.saturating_sub(frame.pre.len() as u64));
    let lines = frame
        .pre
        .iter()
        .map(|line| (line, false))
        .chain(frame.context.iter().map(|line| (line, true)))
        .chain(frame.post.iter().map(|line| (line, false)));
    html! {
        @if frame.context.is_some() {
            div.src tabindex="0" {
                @for (i, (text, hit)) in lines.enumerate() {
                    span class=(if hit { "ln hit" } else { "ln" }) {
                        @if let Some(first) = first { (first + i as u64) }
                    }
                    span class=[hit.then_some("hit")] { (source::line(text)) }
                }
            }
        }
        @if !frame.vars.is_empty() {
            table.kv {
                caption.sr { "Local variables" }
                tbody {
                    @for (name, value) in &frame.vars { tr { th scope="row" { (name) } td { (variable(value, 0)) } } }
                }
            }
        }
    }
}

/// Members of a variable that are shown, how deep they are unfolded, and characters of a text.
const MEMBERS: usize = 200;
const DEPTH: usize = 8;
const LETTERS: usize = 300;

/// A local variable: what has members is unfolded by its reader, and lines stay lines.
fn variable(value: &Value, depth: usize) -> Markup {
    let members = |of: &mut dyn Iterator<Item = (String, &Value)>, count: usize, kind: &str| {
        html! {
            details.variable {
                summary { (twisty()) (words::count(count as u64, kind, &format!("{kind}s"))) }
                @for (name, value) in of.take(MEMBERS) {
                    div.member { span.dim { (name) ": " } (variable(value, depth + 1)) }
                }
                @if count > MEMBERS { div.dim { (count - MEMBERS) " more" } }
            }
        }
    };
    match value {
        Value::Object(map) if depth < DEPTH && !map.is_empty() => {
            let mut each = map.iter().map(|(name, value)| (name.clone(), value));
            members(&mut each, map.len(), "member")
        }
        Value::Array(list) if depth < DEPTH && !list.is_empty() => {
            let mut each = list
                .iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), value));
            members(&mut each, list.len(), "element")
        }
        Value::String(text) if text.chars().nth(LETTERS).is_some() => html! {
            details.variable {
                summary { (twisty()) span.lines-kept { (words::cut(text, LETTERS)) } }
                span.lines-kept { (text) }
            }
        },
        Value::String(text) => html! { span.lines-kept { (text) } },
        other => html! { (other.to_string()) },
    }
}

fn twisty() -> Markup {
    html! { span.twisty { (icon::small("right")) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, library: bool) -> StackFrame {
        StackFrame {
            function: function.into(),
            file: "src/x.rs".into(),
            line: Some(48),
            library,
            ..StackFrame::default()
        }
    }

    #[test]
    fn own_frames_show_their_source_and_library_frames_are_folded() {
        let own = StackFrame {
            pre: vec!["fn a() {".into()],
            context: Some("  b(<x>);".into()),
            post: vec!["}".into()],
            ..frame("my_app::save", false)
        };
        let list = [
            frame("core::panicking::panic", true),
            own,
            frame("actix_web::run", true),
            frame("<tokio::Task as Future>::poll", true),
        ];
        insta::assert_snapshot!(frames(&list).into_string().replace("><", ">\n<"));
    }

    #[test]
    fn variables_are_unfolded_and_keep_their_lines() {
        let value =
            serde_json::json!({"cart": [{"id": 7}], "note": "one\n<two>", "long": "x".repeat(400)});
        let Value::Object(map) = value else {
            unreachable!()
        };
        let own = StackFrame {
            vars: map.into_iter().collect(),
            ..frame("my_app::save", false)
        };
        let shown = frames(&[own]).into_string();
        assert!(
            shown.contains("1 element") && shown.contains("1 member"),
            "{shown}"
        );
        assert!(shown.contains("one\n&lt;two&gt;"), "{shown}");
        assert_eq!(shown.matches(&"x".repeat(400)).count(), 1, "{shown}");
        let mut deep = Value::Null;
        for _ in 0..100 {
            deep = Value::Array(vec![deep]);
        }
        assert_eq!(
            variable(&deep, 0).into_string().matches("<details").count(),
            DEPTH
        );
    }

    #[test]
    fn crates_come_from_the_path_of_the_function() {
        for (function, want) in [
            ("actix_web::run", "actix_web"),
            ("<tokio::Task as Future>::poll", "tokio"),
            ("main", "main"),
            ("", ""),
        ] {
            assert_eq!(origin(&frame(function, true)), want);
        }
    }

    #[test]
    fn frames_that_are_all_of_libraries_are_not_folded() {
        let list = [
            frame("com.shop.Cart.pay", true),
            frame("com.shop.Main.main", true),
        ];
        let shown = frames(&list).into_string();
        assert!(!shown.contains("folded"), "{shown}");
    }
}
