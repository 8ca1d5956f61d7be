//! What a handler hands on to the connection when it did not read all of a request.

use std::any::Any;

/// What was not read of a request, kept until its answer is sent.
pub(crate) struct Unfinished(#[expect(dead_code, reason = "kept for its end")] Box<dyn Any>);

impl Unfinished {
    pub(crate) fn new(payload: impl Any) -> Self {
        Self(Box::new(payload))
    }
}
