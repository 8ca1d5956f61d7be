//! Requests that `TraceLayer` of tower-http tells of, without any set-up of it.

use std::fmt::Debug;

use ::tracing::field::{Field, Visit};
use ::tracing::{Event, Metadata};

use super::meaning::Key;

/// The target of the event that tells of an answer.
pub(super) const ON_RESPONSE: &str = "tower_http::trace::on_response";

/// Whether a span is that of a request.
pub(super) fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "tower_http::trace::make_span" && metadata.name() == "request"
}

/// The facts that its fields tell. Headers are left out, as their values are not looked at one by one.
pub(super) fn key_of(name: &str) -> Option<Key> {
    match name {
        "method" => Some(Key::Method),
        "uri" => Some(Key::Url),
        _ => None,
    }
}

/// The status of the answer that an event tells of.
pub(super) fn status(event: &Event<'_>) -> Option<u64> {
    struct Status(Option<u64>);

    impl Visit for Status {
        fn record_i64(&mut self, field: &Field, value: i64) {
            if field.name() == "status" {
                self.0 = u64::try_from(value).ok();
            }
        }

        fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
    }

    let mut status = Status(None);
    event.record(&mut status);
    status.0
}
