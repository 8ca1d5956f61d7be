//! The bounds of what is taken of a body at once.

/// Attributes of one item that are kept. SDKs send at most 128 unless told otherwise.
pub(super) const MAX_ATTRIBUTES: usize = 1024;
/// The longest item, bytes: a span, a log record, a point. Decoded, one may need thirty times as much memory.
pub(super) const MAX_ITEM: usize = 1024 * 1024;
/// The longest resource or scope, bytes.
pub(super) const MAX_HEAD: usize = 1024 * 1024;
/// The most levels of values within values.
pub(super) const MAX_DEPTH: u32 = 60;
/// A batch is handed over when it holds so much, bytes.
pub(super) const BATCH_BYTES: usize = 1024 * 1024;
/// A batch is handed over when it holds so many events.
pub(super) const BATCH_EVENTS: usize = 4096;
