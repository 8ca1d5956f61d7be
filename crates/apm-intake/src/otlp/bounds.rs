//! The bounds of what is taken of a body at once.

/// Attributes of one item that are kept. SDKs send at most 128 unless told otherwise.
pub(super) const MAX_ATTRIBUTES: usize = 1024;
/// The longest item, bytes: a span, a log record, a point. Decoded, one may need thirty times as much memory.
pub(super) const MAX_ITEM: usize = 1024 * 1024;
/// The longest resource or scope, bytes.
pub(super) const MAX_HEAD: usize = 1024 * 1024;
/// The most levels of values within values.
pub(super) const MAX_DEPTH: u32 = 60;
/// The memory that the events of a body may take for each of its bytes. A span of nothing but ids and times takes some
/// ten times its bytes, a short event of a span some fifty times, an item without content hundreds of times.
const GROWTH: usize = 64;
/// The memory that they may take in any case, bytes.
const LEAST_MEMORY: usize = 2 << 20;
/// The most that they may take, bytes; more where that is less than eight times the body.
const MOST_MEMORY: usize = 256 << 20;
/// A batch is handed over when it holds so much, bytes.
pub(super) const BATCH_BYTES: usize = 1024 * 1024;
/// A batch is handed over when it holds so many events.
pub(super) const BATCH_EVENTS: usize = 4096;

/// The memory that the events of a body may take, bytes.
pub(super) fn memory(body: usize) -> usize {
    body.saturating_mul(GROWTH)
        .clamp(LEAST_MEMORY, MOST_MEMORY)
        .max(body.saturating_mul(8))
}
