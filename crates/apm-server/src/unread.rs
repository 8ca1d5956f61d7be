//! The unread rest of a request, which a handler hands on to the connection.

use std::any::Any;

/// The unread rest of a request, kept until its answer is sent.
pub(crate) struct Unfinished(#[expect(dead_code, reason = "kept for its end")] Box<dyn Any>);

impl Unfinished {
    pub(crate) fn new(payload: impl Any) -> Self {
        Self(Box::new(payload))
    }
}
