//! Bodies of OpenTelemetry's protocol.

use apm_intake::otlp::{Encoding, Signal, decode};
use apm_store::event::Event;
use serde_json::Value;

/// 2026-11-29T12:00:00Z, µs since the epoch.
const NOW: i64 = 1_795_953_600_000_000;

/// A body of either encoding is read or refused. Its events have the form that the store takes, and are the same when
/// the body comes again.
pub fn otlp(body: &[u8]) {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
            let Ok(export) = decode(signal, encoding, body, NOW) else {
                continue;
            };
            assert_eq!(export.rejected > 0, export.reason.is_some());
            for batch in &export.batches {
                assert!(!batch.events.is_empty(), "an empty batch");
                for event in &batch.events {
                    let rest: Value = serde_json::from_str(batch.text(event.rest())).expect("JSON");
                    assert!(rest.is_object(), "{rest}");
                    if let Event::Span(span) = event {
                        assert!(span.duration >= 0, "{}", span.duration);
                    }
                }
            }
            let again = decode(signal, encoding, body, NOW).expect("it was read before");
            for (first, second) in export.batches.iter().zip(&again.batches) {
                assert_eq!(first.events, second.events);
            }
        }
    }
}
