//! Exit spans that were not reported: count and time per target and outcome.
//!
//! At most 128 entries per transaction (agent specification); further targets are not counted.

use std::sync::Arc;
use std::time::Duration;

use crate::encode::json;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::SpanKind;

const MAX_ENTRIES: usize = 128;
/// Characters in the target fields of an entry (intake schema).
const MAX_TARGET: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct DroppedStats(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    kind: Arc<SpanKind>,
    outcome: Outcome,
    count: u64,
    sum: Duration,
}

impl DroppedStats {
    pub(crate) fn add(
        &mut self,
        kind: &Arc<SpanKind>,
        outcome: Outcome,
        count: u32,
        sum: Duration,
    ) {
        if !kind.exit || kind.target.is_none() {
            return;
        }
        let room = self.0.len() < MAX_ENTRIES;
        let known = self.0.iter_mut().find(|entry| {
            entry.outcome == outcome
                && (Arc::ptr_eq(&entry.kind, kind) || entry.kind.target == kind.target)
        });
        match known {
            Some(entry) => {
                entry.count += u64::from(count);
                entry.sum += sum;
            }
            None if room => {
                self.0.push(Entry {
                    kind: Arc::clone(kind),
                    outcome,
                    count: count.into(),
                    sum,
                });
            }
            None => {}
        }
    }

    /// Appends `"dropped_spans_stats":[…],` if there are any.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        out.extend_from_slice(b"\"dropped_spans_stats\":[");
        for entry in &self.0 {
            entry.write(out);
        }
        out.pop();
        out.extend_from_slice(b"],");
    }
}

impl Entry {
    fn write(&self, out: &mut Vec<u8>) {
        let Some(target) = &self.kind.target else {
            return;
        };
        out.extend_from_slice(b"{\"destination_service_resource\":");
        json::keyword(out, &target.resource);
        if let Some(kind) = &target.kind {
            out.extend_from_slice(b",\"service_target_type\":");
            json::limited(out, kind, MAX_TARGET);
        }
        if let Some(name) = &target.name {
            out.extend_from_slice(b",\"service_target_name\":");
            json::limited(out, name, MAX_TARGET);
        }
        out.extend_from_slice(b",\"outcome\":\"");
        out.extend_from_slice(self.outcome.as_str().as_bytes());
        out.extend_from_slice(b"\",\"duration\":{\"count\":");
        json::uint(out, self.count);
        out.extend_from_slice(b",\"sum\":{\"us\":");
        json::uint(out, u64::try_from(self.sum.as_micros()).unwrap_or(u64::MAX));
        out.extend_from_slice(b"}}},");
    }
}
