//! Stack traces of documents as frames.

use serde_json::Value;

use crate::ui::components::frames::StackFrame;
use crate::ui::pages::trace::document::{field, text};

/// The function of a frame, with its class where the two are told apart, as in Java: `com.shop.Cart.pay`.
fn function(frame: &Value) -> String {
    let function = text(frame, "function").unwrap_or_default();
    match text(frame, "classname") {
        Some(class) if !function.is_empty() && !function.starts_with(&class) => {
            format!("{class}.{function}")
        }
        _ => function,
    }
}

/// Frames as documents hold them.
pub(crate) fn stack_of(value: Option<&Value>) -> Vec<StackFrame> {
    let lines = |value: Option<&Value>| match value {
        Some(Value::Array(lines)) => lines
            .iter()
            .map(|line| line.as_str().unwrap_or("").to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let frame = |frame: &Value| StackFrame {
        function: function(frame),
        module: text(frame, "module")
            .or_else(|| text(frame, "classname"))
            .unwrap_or_default(),
        file: text(frame, "filename")
            .or_else(|| text(frame, "abs_path"))
            .or_else(|| text(frame, "classname"))
            .unwrap_or_default(),
        // The name of documents first, then that which agents send.
        line: field(frame, "line.number")
            .or_else(|| field(frame, "lineno"))
            .and_then(Value::as_u64),
        library: field(frame, "library_frame")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        pre: lines(field(frame, "context.pre").or_else(|| field(frame, "pre_context"))),
        context: field(frame, "line.context")
            .or_else(|| field(frame, "context_line"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        post: lines(field(frame, "context.post").or_else(|| field(frame, "post_context"))),
        is_unmapped: field(frame, "sourcemap.error").is_some(),
        vars: match field(frame, "vars") {
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            _ => Vec::new(),
        },
    };
    match value {
        Some(Value::Array(list)) => list.iter().map(frame).collect(),
        _ => Vec::new(),
    }
}
