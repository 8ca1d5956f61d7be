//! W3C Trace Context: which trace an incoming request belongs to, and what an outgoing one says.
//!
//! Headers come from strangers. What is not valid to the letter counts as absent: an invalid `traceparent` starts a
//! new trace, an invalid `tracestate` is not passed on. Other vendors' `tracestate` entries travel on untouched.

mod state;

use std::fmt;

use crate::trace::ids::{self, SpanId, TraceId};
use crate::trace::sampler::SampleRate;

pub(crate) use state::TraceState;

/// The origin of a transaction: the caller's `traceparent` and `tracestate`.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceContext {
    trace_id: TraceId,
    parent_id: SpanId,
    sampled: bool,
    state: TraceState,
}

impl TraceContext {
    /// Reads the trace headers among `headers` (names in any case); `None` unless there is exactly one valid
    /// `traceparent`.
    pub fn from_headers<'h>(
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Option<Self> {
        let mut parent: Option<&[u8]> = None;
        let mut state = state::Reader::default();
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("traceparent") {
                if parent.replace(value).is_some() {
                    return None;
                }
            } else if name.eq_ignore_ascii_case("tracestate") {
                state.read(value);
            }
        }
        let (trace_id, parent_id, sampled) = parse_traceparent(parent?)?;
        Some(Self {
            trace_id,
            parent_id,
            sampled,
            state: state.finish(),
        })
    }

    /// Reads the text of a `traceparent`, as it may be stored with a job or a message.
    pub fn from_traceparent(traceparent: &str) -> Option<Self> {
        Self::from_headers([("traceparent", traceparent.as_bytes())])
    }

    /// The trace that the caller works for.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The caller's span or transaction.
    pub fn parent_id(&self) -> SpanId {
        self.parent_id
    }

    /// Whether the caller records this trace.
    pub fn sampled(&self) -> bool {
        self.sampled
    }

    pub(crate) fn state(&self) -> &TraceState {
        &self.state
    }
}

/// The `traceparent` text.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_traceparent(self.trace_id, self.parent_id, self.sampled);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// The length of every `traceparent` that the agent writes.
pub(crate) const TRACEPARENT_LEN: usize = 55;

/// Writes `00-<trace id>-<parent id>-<flags>`.
pub(crate) fn format_traceparent(
    trace_id: TraceId,
    parent_id: SpanId,
    sampled: bool,
) -> [u8; TRACEPARENT_LEN] {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    if let Some(hex) = text[3..].first_chunk_mut() {
        trace_id.write_hex(hex);
    }
    if let Some(hex) = text[36..].first_chunk_mut() {
        parent_id.write_hex(hex);
    }
    text[TRACEPARENT_LEN - 1] += u8::from(sampled);
    text
}

fn parse_traceparent(value: &[u8]) -> Option<(TraceId, SpanId, bool)> {
    const SAMPLED: u8 = 1;
    let value = value.trim_ascii();
    let known = value.first_chunk::<TRACEPARENT_LEN>()?;
    let version = ids::parse_hex_byte(&known[..2])?;
    let later_parts = &value[TRACEPARENT_LEN..];
    // Later versions may have more parts behind a dash, and 255 is forbidden.
    let length_is_right = match version {
        0 => later_parts.is_empty(),
        0xff => false,
        _ => later_parts.first().is_none_or(|&byte| byte == b'-'),
    };
    if !length_is_right || [known[2], known[35], known[52]] != [b'-'; 3] {
        return None;
    }
    let trace_id = TraceId::parse_hex(&known[3..35])?;
    let parent_id = SpanId::parse_hex(&known[36..52])?;
    let flags = ids::parse_hex_byte(&known[53..])?;
    Some((trace_id, parent_id, flags & SAMPLED != 0))
}

/// The meaning of incoming trace headers, by the option `trace_continuation_strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContinuationStrategy {
    /// Join every incoming trace.
    #[default]
    Continue,
    /// Start a new trace, and link it to the incoming one.
    Restart,
    /// Join the traces of Elastic's agents, restart all others.
    RestartExternal,
}

/// The use that a new transaction makes of the trace headers it came with.
#[derive(Debug, PartialEq)]
pub(crate) enum Continuation {
    /// There is nothing to continue: the transaction is the root of a trace, and decides on sampling.
    Root,
    /// The transaction belongs to the incoming trace and follows its sampling decision.
    Join(TraceContext),
    /// The transaction is a root, and refers to the incoming trace by a span link; foreign `tracestate` is dropped.
    Restart { link: (TraceId, SpanId) },
}

impl ContinuationStrategy {
    pub(crate) fn decide(self, incoming: Option<TraceContext>) -> Continuation {
        let Some(incoming) = incoming else {
            return Continuation::Root;
        };
        let join = match self {
            Self::Continue => true,
            Self::Restart => false,
            Self::RestartExternal => incoming.state.has_elastic_entry(),
        };
        if join {
            Continuation::Join(incoming)
        } else {
            Continuation::Restart {
                link: (incoming.trace_id, incoming.parent_id),
            }
        }
    }
}

/// The sampling rate that the events of a transaction report: the root's own, or the one that it was told; `None` is
/// unknown.
pub(crate) fn reported_rate(
    continuation: &Continuation,
    root_rate: SampleRate,
    sampled: bool,
) -> Option<SampleRate> {
    match continuation {
        Continuation::Join(incoming) => incoming.state.sample_rate(),
        Continuation::Root | Continuation::Restart { .. } => {
            Some(if sampled { root_rate } else { SampleRate::NONE })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::fixtures;

    #[derive(Deserialize)]
    struct Case {
        headers: Vec<(String, String)>,
        is_traceparent_valid: bool,
        is_tracestate_valid: Option<bool>,
    }

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn with_state(tracestate: &str) -> TraceContext {
        TraceContext::from_headers([
            ("traceparent", PARENT.as_bytes()),
            ("tracestate", tracestate.as_bytes()),
        ])
        .unwrap()
    }

    #[test]
    fn elastics_shared_headers_are_judged_as_published() {
        let Some(cases) = fixtures::json::<Vec<Case>>("json-specs/w3c_distributed_tracing.json")
        else {
            return;
        };
        assert_eq!(cases.len(), 82);
        let mut states = 0;
        for case in cases {
            let context = TraceContext::from_headers(
                case.headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_bytes())),
            );
            assert_eq!(
                context.is_some(),
                case.is_traceparent_valid,
                "{:?}",
                case.headers
            );
            if let Some(valid) = case.is_tracestate_valid {
                let mut reader = state::Reader::default();
                let texts = case
                    .headers
                    .iter()
                    .filter(|(name, _)| name.eq_ignore_ascii_case("tracestate"));
                texts.for_each(|(_, value)| reader.read(value.as_bytes()));
                assert_eq!(reader.is_valid(), valid, "{:?}", case.headers);
                states += 1;
            }
        }
        assert_eq!(states, 36);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let (trace_id, span_id) = (TraceId::random(), SpanId::random());
        for sampled in [true, false] {
            let text = format_traceparent(trace_id, span_id, sampled);
            let context =
                TraceContext::from_traceparent(std::str::from_utf8(&text).unwrap()).unwrap();
            assert_eq!(
                (context.trace_id(), context.parent_id(), context.sampled()),
                (trace_id, span_id, sampled)
            );
            assert_eq!(context.to_string().as_bytes(), text);
        }
    }

    #[test]
    fn strategies_follow_the_specification() {
        use ContinuationStrategy::{Continue, Restart, RestartExternal};
        let foreign = with_state("rojo=1");
        let elastic = with_state("rojo=1,es=s:0.5");
        let restart = || Continuation::Restart {
            link: (foreign.trace_id(), foreign.parent_id()),
        };
        let table = [
            (Continue, &foreign, Continuation::Join(foreign.clone())),
            (Continue, &elastic, Continuation::Join(elastic.clone())),
            (Restart, &foreign, restart()),
            (Restart, &elastic, restart()),
            (RestartExternal, &foreign, restart()),
            (
                RestartExternal,
                &elastic,
                Continuation::Join(elastic.clone()),
            ),
        ];
        for (strategy, incoming, expected) in table {
            assert_eq!(
                strategy.decide(Some(incoming.clone())),
                expected,
                "{strategy:?}"
            );
            assert_eq!(strategy.decide(None), Continuation::Root);
        }
    }

    #[test]
    fn a_missing_rate_is_not_taken_for_one() {
        let half = SampleRate::new(0.5).unwrap();
        let rate = |incoming, sampled| {
            reported_rate(
                &ContinuationStrategy::Continue.decide(incoming),
                half,
                sampled,
            )
        };
        assert_eq!(rate(None, true), Some(half));
        assert_eq!(rate(None, false), Some(SampleRate::NONE));
        assert_eq!(
            rate(Some(with_state("es=s:0.25")), true),
            SampleRate::new(0.25)
        );
        assert_eq!(rate(Some(with_state("rojo=1")), true), None);
    }
}
