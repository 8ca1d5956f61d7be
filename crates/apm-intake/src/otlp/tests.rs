//! Bodies, and the documents that they become.

mod bridge;
mod cases;
mod documents;
mod hostile;
mod own;
mod round_trip;
mod sdks;
mod spans;

use super::*;

/// 2026-11-29T12:00:00Z, µs since the epoch.
const NOW: i64 = 1_795_953_600_000_000;

fn json(signal: Signal, body: &serde_json::Value) -> Export {
    decode(signal, Encoding::Json, body.to_string().as_bytes(), NOW)
        .unwrap_or_else(|error| panic!("{error}: {body}"))
}
