//! Trace context in headers.

use apm_agent::TraceContext;

/// Ids that are taken from a header stand in it, and are no zeros.
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
