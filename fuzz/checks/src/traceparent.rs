//! Trace context in headers.

use apm_agent::TraceContext;

/// What is taken from a header stands in it, and is no id of zeros.
pub fn traceparent(text: &str) {
    let Some(context) = TraceContext::from_traceparent(text) else {
        return;
    };
    for id in [
        context.trace_id().to_string(),
        context.parent_id().to_string(),
    ] {
        assert!(text.contains(&id), "{id} of {text:?}");
        assert!(id.bytes().any(|digit| digit != b'0'), "{id} of {text:?}");
    }
}
