//! Stack traces of documents as frames.

use maud::{Markup, html};
use serde_json::Value;

use crate::agent_config::options::is_opentelemetry;
use crate::analytics::trace::item::Item;
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::flyout;
use crate::ui::components::frames::{StackFrame, frames};
use crate::ui::pages::trace::document::{field, text};
use crate::ui::pages::whole;

/// The section of the details: the stack trace of a span, or why there is none.
pub(super) fn section(item: &Item, document: &Value) -> Markup {
    let titled = |aside: Markup, body: Markup| flyout::section("Stack trace", aside, body);
    let list = stack_of(field(document, "span.stacktrace"));
    if !list.is_empty() {
        return titled(html! {}, frames(&list));
    }
    // OpenTelemetry's attribute holds it as a text.
    if let Some(stack) = text(document, "code.stacktrace") {
        return titled(
            copy("stack", "Copy"),
            code::block("stack", html! { (stack) }),
        );
    }
    // Only worth a word where a reader would expect one.
    if item.is_transaction || item.composite().is_some() || whole(item.duration as f64) == 0 {
        return html! {};
    }
    let why = match is_opentelemetry(&item.what.agent) {
        true => html! {
            "None was sent. SDKs of OpenTelemetry record none by themselves; the attribute "
            code { "code.stacktrace" } " of a span is shown here."
        },
        false => html! {
            "None was sent. Agents record one only for spans that take as long as their setting says; "
            code { "ELASTIC_APM_SPAN_STACK_TRACE_MIN_DURATION=0ms" } " records all."
        },
    };
    titled(html! {}, html! { p.dim { (why) } })
}

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
