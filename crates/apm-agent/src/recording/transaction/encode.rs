//! A transaction as a line of JSON.

use super::state::State;
use crate::config::Settings;
use crate::encode::json;
use crate::recording::finished_span::encode::{hole, sample_rate};
use crate::recording::identity::Identity;

const HEAD: &[u8] = b"{\"transaction\":{\"id\":\"0000000000000000\",\
\"trace_id\":\"00000000000000000000000000000000\",\"timestamp\":0000000000000000,\"name\":";
const ID: usize = 22;
const TRACE_ID: usize = ID + 16 + 14;
const TIMESTAMP: usize = TRACE_ID + 32 + 14;

/// Appends a finished transaction that took so many microseconds.
pub(crate) fn write(
    out: &mut Vec<u8>,
    identity: &Identity,
    state: &State,
    micros: u64,
    with_body: Option<&Settings>,
) {
    let line = out.len();
    out.extend_from_slice(HEAD);
    *hole(out, line + ID) = identity.digits.id;
    *hole(out, line + TRACE_ID) = identity.digits.trace_id;
    let timestamp = hole(out, line + TIMESTAMP);
    identity.digits.timestamp.write(timestamp, 0);
    json::keyword(out, state.name());
    out.extend_from_slice(b",\"type\":");
    json::keyword(out, &state.kind);
    if let Some(parent) = identity.parent_id {
        out.extend_from_slice(b",\"parent_id\":\"0000000000000000\"");
        // The id has 16 digits, and a quotation mark behind it.
        let at = out.len() - 17;
        parent.write_hex(hole(out, at));
    }
    if let Some(result) = state.result() {
        out.extend_from_slice(b",\"result\":");
        json::keyword(out, result);
    }
    out.extend_from_slice(b",\"outcome\":\"");
    out.extend_from_slice(state.outcome().as_str().as_bytes());
    out.extend_from_slice(b"\",");
    if let Some(rate) = identity.sample_rate {
        sample_rate(out, rate);
    }
    if identity.sampled {
        out.extend_from_slice(b"\"sampled\":true,");
        write_context(out, state, with_body);
    } else {
        out.extend_from_slice(b"\"sampled\":false,");
    }
    if !identity.links.is_empty() {
        out.extend_from_slice(b"\"links\":[");
        for (trace_id, span_id) in &identity.links {
            out.extend_from_slice(
                format!("{{\"trace_id\":\"{trace_id}\",\"span_id\":\"{span_id}\"}},").as_bytes(),
            );
        }
        out.pop();
        out.extend_from_slice(b"],");
    }
    state.reported.dropped_stats.write(out);
    out.extend_from_slice(b"\"span_count\":{\"started\":");
    json::uint(out, state.reported.started.into());
    out.extend_from_slice(b",\"dropped\":");
    json::uint(out, state.reported.dropped.into());
    out.extend_from_slice(b"},\"duration\":");
    json::millis(out, micros);
    out.extend_from_slice(b"}}\n");
}

/// Appends `"context":{…},` if there is any.
fn write_context(out: &mut Vec<u8>, state: &State, with_body: Option<&Settings>) {
    let before = out.len();
    out.extend_from_slice(b"\"context\":{");
    let empty = out.len();
    state.write_context(out, with_body);
    if out.len() == empty {
        out.truncate(before);
        return;
    }
    out.pop(); // the last comma
    out.extend_from_slice(b"},");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holes_are_where_the_template_has_its_zeros() {
        assert_eq!(&HEAD[ID - 6..ID], b"\"id\":\"");
        assert_eq!(&HEAD[TRACE_ID - 12..TRACE_ID], b"\"trace_id\":\"");
        assert_eq!(&HEAD[TIMESTAMP - 12..TIMESTAMP], b"\"timestamp\":");
        assert_eq!(&HEAD[TIMESTAMP + 16..], b",\"name\":");
    }
}
