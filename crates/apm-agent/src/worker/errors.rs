//! Captured errors and spans with a stack become events: their frames are resolved here, which is slow.

mod encode;

use std::time::{Duration, Instant};

use crate::config::Settings;
use crate::recording::captured::Captured;
use crate::recording::recorder::Recorder;
use crate::recording::stacks::StackedSpan;
use crate::worker::stacktrace::{Purpose, Resolver};

/// The time for which an error waits for its transaction's name, which is known once the handler has run.
const NAME_WAIT: Duration = Duration::from_secs(1);

/// The end of every line of a span.
const END: &[u8] = b"}}\n";

/// Resolves and encodes the errors that wait; with `all`, also those whose transaction has no name yet. `true` if some
/// are left for that.
pub(crate) fn process(
    recorder: &Recorder,
    resolver: &mut Resolver,
    settings: &Settings,
    now: Instant,
    all: bool,
) -> bool {
    let mut left = false;
    for (since, captured) in recorder.errors.take() {
        if !all && now.saturating_duration_since(since) < NAME_WAIT && !has_name(&captured) {
            left = true;
            recorder.errors.put_back(since, captured);
            continue;
        }
        let line = encode::line(&captured, resolver, settings);
        recorder
            .buffers
            .append_error(|out| out.extend_from_slice(&line));
    }
    left
}

/// Whether the name of its transaction is known. One outside a transaction has nothing to wait for.
fn has_name(captured: &Captured) -> bool {
    captured
        .within
        .as_ref()
        .is_none_or(|within| within.transaction.has_name())
}

/// Resolves the stacks of the spans that wait, and passes these on.
pub(crate) fn process_stacks(recorder: &Recorder, resolver: &mut Resolver, settings: &Settings) {
    for StackedSpan { line, addresses } in recorder.stacks.take() {
        let frames = resolver.frames(None, &addresses, Purpose::Span, settings);
        // Spans were counted when they began to wait.
        recorder
            .buffers
            .append_counted(1, |out| match line.strip_suffix(END) {
                Some(span) if !frames.is_empty() => {
                    out.extend_from_slice(span);
                    out.extend_from_slice(b",\"stacktrace\":");
                    // Texts and numbers: there is nothing that could fail.
                    let frames = serde_json::to_vec(&frames).unwrap_or_else(|_| b"[]".to_vec());
                    out.extend_from_slice(&frames);
                    out.extend_from_slice(END);
                }
                _ => out.extend_from_slice(&line),
            });
    }
}
