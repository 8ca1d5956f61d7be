//! JSON, written by hand.
//!
//! Transactions and spans, which are many, are written by templates: about 30 ns for a span where `serde_json` takes
//! 460, and without an allocation. Rare events (errors, metrics) go through serde. Every writer appends one line that
//! ends in a newline, and never fails.

pub(crate) mod fit;
pub(crate) mod json;
pub(crate) mod timestamp;
