//! A transaction: one request, or one run of a background job, and the spans inside it.
//!
//! [`Core`] is shared (`Arc`) by everything that works on the transaction; whoever owns the end of it calls
//! [`Core::end`] exactly once, usually by dropping a guard. Spans that have ended are collected here; ending encodes
//! them and the transaction in one step. A span that ends later is still reported, by itself.

mod dropped_stats;
mod encode;
pub(crate) mod extra;
mod name;
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) mod queries;
pub(crate) mod reported;
pub(crate) mod request_body;
mod span_list;
pub(crate) mod state;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::config::{Settings, Snapshot, TransactionSettings};
use crate::recording::captured::{Enclosed, Enclosing};
use crate::recording::compression::{self, Thresholds};
use crate::recording::finished_span::{Ended, FinishedSpan};
use crate::recording::http::{self, HttpRequest};
use crate::recording::identity::{Digits, Identity};
use crate::recording::outcome::Outcome;
use crate::recording::recorder::RecorderHandle;
use crate::trace::ids::{SpanId, TraceId};

use crate::recording::span_kind::{SpanKind, Tail};
use crate::trace::propagation::{self, Continuation, TraceContext, TraceState};
use crate::util::clock::Moment;
use crate::util::{Mutex, lock, spare};

use name::Name;
use state::State;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) recorder: RecorderHandle,
    pub(crate) identity: Identity,
    pub(crate) settings: TransactionSettings,
    breakdown: bool,
    /// Whether integrations record spans.
    pub(crate) instrument: bool,
    /// The `tracestate` that came with the request and is passed on; of a root, made when it is needed.
    incoming_state: Option<TraceState>,
    /// It gives ids to log lines and to other services, and no event is made of it.
    only_propagates: bool,
    has_ended: AtomicBool,
    /// Whether its queries are told of; see [`queries`].
    #[cfg(any(feature = "actix", feature = "tower"))]
    tells_queries: AtomicBool,
    /// Its number among the requests under way, for middleware that meets it again; 0 for none.
    pub(crate) request: AtomicUsize,
    pub(crate) state: Mutex<State>,
}

/// The name, or the first pattern of `transaction_name_groups` that it fits.
pub(crate) fn grouped(settings: &Settings, name: impl Into<Name>) -> Name {
    let name = name.into();
    match settings.transaction_name_groups.find(&name) {
        Some(group) => Name::Own(group.pattern().to_owned().into()),
        None => name,
    }
}

impl Core {
    /// Names the transaction as the agent finds it.
    pub(crate) fn find_name(&self, name: impl Into<Name>) {
        let name = grouped(&self.recorder.config.load(), name);
        lock(&self.state).name.find(name);
    }

    /// Begins a transaction now, by the settings of now. `None` when the agent is not recording.
    pub(crate) fn begin(
        recorder: &RecorderHandle,
        settings: &Snapshot,
        name: Option<Cow<'static, str>>,
        kind: Cow<'static, str>,
        incoming: Option<TraceContext>,
    ) -> Option<Arc<Self>> {
        if !recorder.records(settings) {
            return None;
        }
        let start = Moment::now();
        let timestamp = recorder.clock.micros(start);
        if recorder.was_forked_by(timestamp) {
            return None;
        }
        let rate = settings.transaction_sample_rate;
        let continuation = settings.trace_continuation_strategy.decide(incoming);
        let (trace_id, sampled) = match &continuation {
            Continuation::Join(caller) => (caller.trace_id(), caller.sampled()),
            Continuation::Root | Continuation::Restart { .. } => {
                let trace_id = TraceId::random();
                (trace_id, rate.samples(trace_id))
            }
        };
        let sample_rate = propagation::reported_rate(&continuation, rate, sampled);
        let (parent_id, links, incoming_state) = match continuation {
            Continuation::Root => (None, Vec::new(), None),
            Continuation::Join(caller) => (
                Some(caller.parent_id()),
                Vec::new(),
                Some(caller.state().clone()),
            ),
            Continuation::Restart { link } => (None, vec![link], None),
        };
        let id = SpanId::random();
        let mut core = Arc::new(Self {
            identity: Identity {
                trace_id,
                id,
                parent_id,
                sampled,
                sample_rate,
                links,
                start,
                digits: Digits::new(trace_id, id, timestamp),
            },
            settings: settings.for_transaction(),
            instrument: settings.instrument,
            breakdown: settings.breakdown_metrics && !settings.metrics_interval.is_zero(),
            incoming_state,
            only_propagates: settings.context_propagation_only,
            has_ended: AtomicBool::new(false),
            #[cfg(any(feature = "actix", feature = "tower"))]
            tells_queries: AtomicBool::new(false),
            request: AtomicUsize::new(0),
            state: Mutex::default(),
            recorder: recorder.clone(),
        });
        // In place: the state is large, and would be moved with each step of making the whole.
        if let Some(core) = Arc::get_mut(&mut core) {
            let state = core.state.get_mut();
            state.kind = if kind.is_empty() {
                "custom".into()
            } else {
                kind
            };
            state.context = spare::take();
            state.reported.spans = span_list::take();
            if let Some(name) = name {
                state.name.find(grouped(settings, name));
            }
        }
        Some(core)
    }

    /// It was reported or discarded.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Whether there are spans at all, be they kept or counted.
    pub(crate) fn records_spans(&self) -> bool {
        self.identity.sampled && !self.only_propagates
    }

    pub(crate) fn thresholds(&self) -> Thresholds {
        Thresholds {
            enabled: self.settings.compression,
            exact_match: self.settings.exact_match_max_duration,
            same_kind: self.settings.same_kind_max_duration,
        }
    }

    /// The `traceparent` for a request made by the span `from`. One that only propagates names its caller, whom the
    /// server knows: a parent of which there is no event would tear the trace apart.
    pub(crate) fn traceparent(&self, from: SpanId) -> [u8; propagation::TRACEPARENT_LEN] {
        let caller = self.identity.parent_id.filter(|_| self.only_propagates);
        let from = caller.unwrap_or(from);
        propagation::format_traceparent(self.identity.trace_id, from, self.identity.sampled)
    }

    /// The `tracestate` for outgoing requests.
    pub(crate) fn tracestate(&self) -> Option<Arc<str>> {
        match (
            &self.incoming_state,
            self.identity.parent_id,
            self.identity.sample_rate,
        ) {
            (Some(state), ..) => state.header().cloned(),
            (None, None, Some(rate)) => TraceState::root(rate).header().cloned(),
            _ => None,
        }
    }

    /// Gives a beginning span its id, and a place, or none because of the limit. Counts it for the self time of its
    /// parent if that is the transaction.
    #[inline]
    pub(crate) fn admit_span(&self, start: Moment, child_of_transaction: bool) -> (SpanId, bool) {
        let mut state = lock(&self.state);
        if child_of_transaction && !state.ended {
            state.children.child_started(start);
        }
        let admitted = state.admitted < self.settings.max_spans;
        state.admitted += u32::from(admitted);
        (SpanId::draw(&mut state.ids), admitted)
    }

    /// Takes back an admitted span that turned out to be none.
    pub(crate) fn forget_span(&self, end: Moment, child_of_transaction: bool) {
        let mut state = lock(&self.state);
        state.admitted = state.admitted.saturating_sub(1);
        if child_of_transaction && !state.ended {
            state.children.child_ended(end);
        }
    }

    /// Counts queries from now on. `keeps`: whether their texts are wanted.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn tell_queries(&self, keeps: bool) {
        let mut state = lock(&self.state);
        state.queries.get_or_insert_default().keeps |= keeps;
        self.tells_queries.store(true, Ordering::Relaxed);
    }

    /// A query ended, or another span.
    #[inline]
    pub(crate) fn tell_query(
        &self,
        kind: &SpanKind,
        tail: Option<&Arc<Tail>>,
        (start, end): (Moment, Moment),
    ) {
        #[cfg(any(feature = "actix", feature = "tower"))]
        if self.tells_queries.load(Ordering::Relaxed)
            && kind.is_query()
            && let Some(queries) = &mut lock(&self.state).queries
        {
            queries.add(tail, end.since(start));
        }
        #[cfg(not(any(feature = "actix", feature = "tower")))]
        let _ = (kind, tail, start, end);
    }

    /// A child of the transaction itself ended.
    #[inline]
    pub(crate) fn end_child(&self, ended: Ended<'_>, self_time: u64) {
        let mut state = lock(&self.state);
        if state.ended {
            return state.reported.report_late(self, ended.into_span());
        }
        let state = &mut *state;
        state.children.child_ran(ended.start, ended.end);
        state.times.add(&ended.tail.kind, self_time);
        state.reported.offer(self, ended);
    }

    /// The last query of the transaction itself has failed, as its caller found out.
    pub(crate) fn fail_last_query(&self) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        let mut kept = state.reported.take_kept();
        compression::fail_last_query(&mut kept, |span| state.reported.report(self, span));
        if let Some(kept) = kept {
            state.reported.keep(kept);
        }
    }

    /// A descendant of a span ended: adds its self time. What its parent gives out is reported by
    /// [`Self::report`].
    pub(crate) fn end_descendant(&self, kind: &Arc<SpanKind>, self_time: u64) {
        let mut state = lock(&self.state);
        if !state.ended {
            state.times.add(kind, self_time);
        }
    }

    /// Reports a span that the compression of a span's children gave out.
    pub(crate) fn report(&self, span: FinishedSpan) {
        let mut state = lock(&self.state);
        if state.ended {
            state.reported.report_late(self, span);
        } else {
            state.reported.report(self, span);
        }
    }

    /// A span over the limit ended.
    pub(crate) fn end_dropped(
        &self,
        kind: &Arc<SpanKind>,
        outcome: Outcome,
        start: Moment,
        end: Moment,
        self_time: u64,
        child_of_transaction: bool,
    ) {
        let mut state = lock(&self.state);
        if state.ended {
            return;
        }
        if child_of_transaction {
            state.children.child_ended(end);
        }
        state.times.add(kind, self_time);
        state.reported.drop_span(kind, outcome, 1, end.since(start));
    }

    /// Notes the request that it answers, and finds result and outcome by the status.
    pub(crate) fn set_http(&self, request: &HttpRequest<'_>) {
        let mut context = Vec::new();
        if self.records_spans() {
            request.write(&mut context, &self.recorder.config.load());
        }
        let mut state = lock(&self.state);
        state.context = context;
        // The body's place was in the context that is replaced.
        state.body = None;
        if let Some(status) = request.status_code() {
            state.result.find(http::result(status).into());
            state.outcome.find(Outcome::of_server_status(status));
        }
    }

    /// Ends the transaction now and hands it over with its spans. Only the first call counts.
    pub(crate) fn end(&self) {
        let end = Moment::now();
        let took = end.nanos_since(self.identity.start);
        let mut state = lock(&self.state);
        if state.ended {
            return;
        }
        state.reported.settle(self);
        state.ended = true;
        self.has_ended.store(true, Ordering::Relaxed);
        if self.only_propagates {
            return;
        }
        // Metrics count unsampled transactions as well.
        if self.breakdown {
            let app = state.children.self_time(took, end);
            self.recorder
                .breakdown
                .add(&state.kind, state.name(), app, &state.times);
        }
        if !self.identity.sampled && !self.recorder.wants_unsampled() {
            return;
        }
        let lines = state.reported.spans.len() as u64 + 1;
        let settings = state.body.is_some().then(|| self.recorder.config.load());
        let with_body = settings
            .as_deref()
            .filter(|settings| settings.capture_body.for_transactions());
        let state = &mut *state;
        self.recorder.buffers.append(lines, |out| {
            state.reported.encode(self, out);
            encode::write(
                out,
                &self.identity,
                state,
                took / 1_000,
                with_body.map(|it| &***it),
            );
        });
        span_list::give(std::mem::take(&mut state.reported.spans));
        self.recorder
            .stacks
            .push(&mut state.reported.stacked, &self.recorder.buffers);
    }

    /// Ends the transaction by a panic that ends the process.
    pub(crate) fn end_with_process(&self) {
        {
            let mut state = lock(&self.state);
            state.errored = true;
            if let Some(route) = state.route.take() {
                state.name.find(route.into());
            }
        }
        self.end();
    }

    /// Ends the transaction without a trace of it.
    pub(crate) fn discard(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
        let mut state = lock(&self.state);
        state.ended = true;
        state.reported.clear();
        state.reported.stacked = Vec::new();
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        // Until now an error might have asked for it.
        spare::give(std::mem::take(&mut state.context));
        span_list::give(std::mem::take(&mut state.reported.spans));
    }
}

impl Enclosing for Core {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn has_name(&self) -> bool {
        lock(&self.state).name.get().is_some()
    }

    fn describe(&self, settings: &Settings) -> Enclosed {
        let state = lock(&self.state);
        let mut context = Vec::new();
        let with_body = settings.capture_body.for_errors().then_some(settings);
        state.write_context(&mut context, with_body);
        Enclosed {
            name: state.name().to_owned(),
            kind: state.kind.to_string(),
            context,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_fits_into_the_fast_lists_of_an_allocator() {
        // Of glibc, up to 1 032 bytes; `Arc` adds its two counts.
        let size = size_of::<Core>() + 2 * size_of::<usize>();
        assert!(size <= 1032, "{size}");
    }
}
