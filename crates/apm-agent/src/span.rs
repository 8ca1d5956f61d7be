//! Spans inside a transaction, by hand and for the integrations.
//!
//! [`ActiveSpan`] is a span that other spans can have for a parent; [`LeafSpan`] is an exit span, which has no children. Neither
//! blocks, and neither does any work when there is no transaction, when it is not sampled, or when the buffers are full.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::compression;
use crate::context::{self, Context, Current, Entered, InContext};
use crate::ids::SpanId;
use crate::outcome::Outcome;
use crate::service_target::ExitSpan;
use crate::span_kind::{SpanKind, Tail};
use crate::transaction::extra::Labels;
use crate::transaction::finished::FinishedSpan;
use crate::transaction::self_time::ChildTime;
use crate::transaction::{Core, LabelValue};
use crate::transport::buffers::lock;

/// A span that is open and may have children.
#[derive(Debug)]
pub(crate) struct ActiveSpan {
    pub(crate) id: SpanId,
    start: Instant,
    /// It got a place below the limit when it began.
    admitted: bool,
    parent: Option<Arc<ActiveSpan>>,
    parent_id: SpanId,
    state: Mutex<ActiveState>,
}

#[derive(Debug, Default)]
struct ActiveState {
    ended: bool,
    errored: bool,
    children: ChildTime,
    /// The child that compression keeps back.
    kept: Option<FinishedSpan>,
}

/// The beginning of a span: id, time and place in the tree.
#[derive(Debug)]
struct Beginning {
    id: SpanId,
    parent_id: SpanId,
    start: Instant,
    admitted: bool,
}

/// Begins a span under `current`; `None` if it is not to be recorded at all.
fn begin(current: &Current) -> Option<Beginning> {
    begin_at(current, None)
}

/// The same for a span that may have started before.
fn begin_at(current: &Current, start: Option<Instant>) -> Option<Beginning> {
    let core = &current.transaction;
    if !core.identity.sampled || core.lose_span() {
        return None;
    }
    let start = start.unwrap_or_else(Instant::now);
    let admitted = core.admit_span(start, current.span.is_none());
    if let Some(parent) = &current.span {
        lock(&parent.state).children.child_started(start);
    }
    Some(Beginning {
        id: SpanId::random(),
        parent_id: current.parent_id(),
        start,
        admitted,
    })
}

/// The addresses of the calling thread's stack, for a span that was long enough to deserve them.
fn stack_of(core: &Core, duration: Duration) -> Option<Box<[usize]>> {
    let min = core.settings.stack_trace_min_duration?;
    let stack = (duration >= min).then(|| core.agent.capture_stack())?;
    (!stack.is_empty()).then(|| stack.into_boxed_slice())
}

/// Ends a span: tells its parent, and reports what can be reported.
fn finish(core: &Core, parent: Option<&ActiveSpan>, span: FinishedSpan, self_time: Duration) {
    let Some(parent) = parent else {
        return core.end_child(span, self_time);
    };
    let kind = Arc::clone(&span.tail.kind);
    let released = {
        let mut state = lock(&parent.state);
        state.children.child_ended(span.end);
        if !state.ended {
            compression::offer(&mut state.kept, span, core.thresholds())
        } else {
            [state.kept.take(), Some(span)]
        }
    };
    core.end_descendant(released, &kind, self_time);
}

/// Ends a span that was over the limit.
fn finish_dropped(
    core: &Core,
    parent: Option<&ActiveSpan>,
    kind: &Arc<SpanKind>,
    outcome: Outcome,
    start: Instant,
    self_time: Option<Duration>,
) {
    let end = Instant::now();
    if let Some(parent) = parent {
        lock(&parent.state).children.child_ended(end);
    }
    let self_time = self_time.unwrap_or_else(|| end.saturating_duration_since(start));
    core.end_dropped(kind, outcome, start, end, self_time, parent.is_none());
}

/// An exit span: a query, a request to another service. It is not made current, so it can be kept anywhere and ended on any thread.
///
/// Dropped without an end, it ends with an unknown outcome.
#[derive(Debug)]
pub(crate) struct LeafSpan {
    current: Current,
    beginning: Beginning,
    kind: Arc<SpanKind>,
    /// Its id went downstream.
    pub(crate) propagated: bool,
    ended: bool,
}

impl LeafSpan {
    /// Begins an exit span under what is current; `None` without a transaction that wants it.
    pub(crate) fn begin(kind: &Arc<SpanKind>) -> Option<Self> {
        context::with(|current| Self::begin_in(current?, kind))
    }

    /// The same for a span that began earlier.
    pub(crate) fn begin_at(kind: &Arc<SpanKind>, start: Instant) -> Option<Self> {
        context::with(|current| Self::begin_with(current?, kind, Some(start)))
    }

    pub(crate) fn begin_in(current: &Current, kind: &Arc<SpanKind>) -> Option<Self> {
        Self::begin_with(current, kind, None)
    }

    fn begin_with(current: &Current, kind: &Arc<SpanKind>, start: Option<Instant>) -> Option<Self> {
        if !current.transaction.instrument {
            return None;
        }
        let beginning = begin_at(current, start)?;
        Some(Self {
            current: current.clone(),
            beginning,
            kind: Arc::clone(kind),
            propagated: false,
            ended: false,
        })
    }

    /// Whether its details are worth collecting: it has a place below the limit.
    pub(crate) fn admitted(&self) -> bool {
        self.beginning.admitted
    }

    pub(crate) fn id(&self) -> SpanId {
        self.beginning.id
    }

    /// Ends it. `tail` is only needed when it was admitted.
    pub(crate) fn end(mut self, outcome: Outcome, tail: Option<Arc<Tail>>) {
        self.close(outcome, tail);
    }

    /// Takes it back: it never was.
    pub(crate) fn forget(mut self) {
        self.ended = true;
        let end = Instant::now();
        let core = &self.current.transaction;
        if let Some(parent) = &self.current.span {
            lock(&parent.state).children.child_ended(end);
        }
        core.forget_span(end, self.current.span.is_none());
    }

    fn close(&mut self, outcome: Outcome, tail: Option<Arc<Tail>>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let core = &self.current.transaction;
        let parent = self.current.span.as_deref();
        let Beginning {
            id,
            parent_id,
            start,
            admitted,
        } = self.beginning;
        match tail {
            Some(tail) if admitted => {
                let end = Instant::now();
                let propagated = self.propagated;
                let span = FinishedSpan {
                    id,
                    parent_id,
                    start,
                    end,
                    outcome,
                    propagated,
                    tail,
                    composite: None,
                    stack: stack_of(core, end.saturating_duration_since(start)),
                };
                let self_time = span.duration();
                finish(core, parent, span, self_time);
            }
            _ => finish_dropped(core, parent, &self.kind, outcome, start, None),
        }
    }
}

impl Drop for LeafSpan {
    fn drop(&mut self) {
        if !self.ended {
            let tail = Tail::new(Arc::clone(&self.kind), "", None, |_| {});
            self.close(Outcome::Unknown, Some(Arc::new(tail)));
        }
    }
}

/// What a span by hand is told while it runs.
#[derive(Debug)]
struct Details {
    name: Cow<'static, str>,
    span_type: Cow<'static, str>,
    subtype: Option<Cow<'static, str>>,
    action: Option<Cow<'static, str>>,
    outcome: Option<Outcome>,
    /// What the user said the span calls: a kind, and a name.
    target: Option<(String, Option<String>)>,
    exit: bool,
    labels: Labels,
}

/// A span that is current, with what it will report; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    core: Arc<Core>,
    span: Arc<ActiveSpan>,
    details: Details,
}

impl Recording {
    /// Begins a span of a type such as `app.internal`; `None` if it is not to be recorded at all.
    #[cfg(feature = "tracing")]
    pub(crate) fn open(current: &Current, name: &'static str, kind: &'static str) -> Option<Self> {
        Self::begin(current, details(name.into(), kind.into()))
    }

    /// Adds a label.
    #[cfg(feature = "tracing")]
    pub(crate) fn set_label(&mut self, key: &str, value: LabelValue) {
        self.details.labels.set(key, value);
    }

    fn begin(current: &Current, details: Details) -> Option<Self> {
        let Beginning {
            id,
            parent_id,
            start,
            admitted,
        } = begin(current)?;
        let span = ActiveSpan {
            id,
            start,
            admitted,
            parent: current.span.clone(),
            parent_id,
            state: Mutex::default(),
        };
        Some(Self {
            core: Arc::clone(&current.transaction),
            span: Arc::new(span),
            details,
        })
    }

    pub(crate) fn current(&self) -> Current {
        Current {
            transaction: Arc::clone(&self.core),
            span: Some(Arc::clone(&self.span)),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let end = Instant::now();
        let Details {
            name,
            span_type,
            subtype,
            action,
            outcome,
            target,
            exit,
            labels,
        } = &mut self.details;
        let ActiveSpan {
            id,
            start,
            admitted,
            parent_id,
            ..
        } = *self.span;
        let (kept, self_time, errored) = {
            let mut state = lock(&self.span.state);
            state.ended = true;
            (
                state.kept.take(),
                state.children.self_time(start, end),
                state.errored,
            )
        };
        if let Some(kept) = kept {
            lock(&self.core.state).report(&self.core, [Some(kept), None]);
        }
        let span_type = std::mem::take(span_type);
        let span_type = if span_type.is_empty() {
            "custom".into()
        } else {
            span_type
        };
        let target = target.take().and_then(|(kind, name)| {
            let span = ExitSpan {
                span_type: &span_type,
                user_type: Some(&kind),
                user_name: name.as_deref(),
                ..ExitSpan::default()
            };
            span.target()
        });
        let kind = Arc::new(SpanKind {
            span_type,
            subtype: subtype.take(),
            exit: *exit,
            target,
        });
        let outcome = outcome.unwrap_or(Outcome::failed(errored || std::thread::panicking()));
        let parent = self.span.parent.as_deref();
        if !admitted {
            return finish_dropped(&self.core, parent, &kind, outcome, start, Some(self_time));
        }
        let tail = Arc::new(Tail::new(kind, name, action.as_deref(), |out| {
            labels.write(out)
        }));
        // Spans below it may refer to it by its id, which is therefore never merged away.
        let propagated = true;
        let span = FinishedSpan {
            id,
            parent_id,
            start,
            end,
            outcome,
            propagated,
            tail,
            composite: None,
            stack: stack_of(&self.core, end.saturating_duration_since(start)),
        };
        finish(&self.core, parent, span, self_time);
    }
}

/// An open span; ends when it is dropped. It is the current span of its thread until then, and cannot leave the thread:
/// across an `.await` use [`in_span`].
///
/// Without a current transaction, or when that is not sampled, it does nothing.
#[derive(Debug)]
#[must_use = "the span ends as soon as the guard is dropped"]
pub struct SpanGuard {
    /// Left first, so that the span is no longer current when it ends.
    entered: Option<Entered>,
    recording: Option<Recording>,
}

/// Begins a span named `name` of a type such as `app`, `template` or `custom`, optionally with a subtype behind a dot (`db.redis`).
///
/// ```
/// fn render() -> String {
///     let mut span = apm_agent::span("render invoice", "app");
///     span.set_label("pages", 3);
///     "…".to_owned()
/// }
/// # render();
/// ```
pub fn span(name: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> SpanGuard {
    let recording = context::with(|current| {
        let current = current?;
        Recording::begin(current, details(name.into(), kind.into()))
    });
    let entered = recording
        .as_ref()
        .map(|recording| Entered::new(Some(recording.current())));
    SpanGuard { entered, recording }
}

fn details(name: Cow<'static, str>, kind: Cow<'static, str>) -> Details {
    let (span_type, subtype) = match kind.split_once('.') {
        Some((span_type, subtype)) => {
            (span_type.to_owned().into(), Some(subtype.to_owned().into()))
        }
        None => (kind, None),
    };
    Details {
        name,
        span_type,
        subtype,
        action: None,
        outcome: None,
        target: None,
        exit: false,
        labels: Labels::default(),
    }
}

impl SpanGuard {
    /// Renames the span. Keep names few: put what varies into labels.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) {
        self.details(|details| details.name = name.into());
    }

    /// Sets what the span did, such as `query` or `render`.
    pub fn set_action(&mut self, action: impl Into<Cow<'static, str>>) {
        self.details(|details| details.action = Some(action.into()));
    }

    /// Sets how it ended. Without it, the span fails when an error was captured in it or a panic passes through it.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.details(|details| details.outcome = Some(outcome));
    }

    /// Adds a label: a string, number or bool that can be searched for.
    pub fn set_label(&mut self, key: &str, value: impl Into<LabelValue>) {
        self.details(|details| details.labels.set(key, value.into()));
    }

    /// Says that the span calls another service: its kind (`redis`) and, where there are several, its name. This puts the service on the
    /// service map and in the list of dependencies.
    pub fn set_target(&mut self, kind: &str, name: Option<&str>) {
        self.details(|details| {
            details.exit = true;
            details.target = Some((kind.to_owned(), name.map(str::to_owned)));
        });
    }

    /// The span's id; `None` if it is not recorded.
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        self.recording.as_ref().map(|recording| recording.span.id)
    }

    fn details(&mut self, change: impl FnOnce(&mut Details)) {
        if let Some(recording) = &mut self.recording {
            change(&mut recording.details);
        }
    }
}

impl Drop for SpanGuard {
    fn drop(&mut self) {
        drop(self.entered.take());
    }
}

pin_project! {
    /// A future inside a span; see [`in_span`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct InSpan<F> {
        #[pin]
        future: InContext<F>,
        recording: Option<Recording>,
    }
}

/// Runs a future inside a span that ends with it, also when it is dropped half-way.
///
/// ```
/// # async fn fetch() -> u32 { 7 }
/// # async fn example() {
/// let number = apm_agent::in_span("fetch the number", "app", fetch()).await;
/// # }
/// ```
pub fn in_span<F: Future>(
    name: impl Into<Cow<'static, str>>,
    kind: impl Into<Cow<'static, str>>,
    future: F,
) -> InSpan<F> {
    let outer = context::current();
    let recording = outer
        .as_ref()
        .and_then(|current| Recording::begin(current, details(name.into(), kind.into())));
    let current = recording.as_ref().map(Recording::current).or(outer);
    let future = current
        .map_or_else(Context::default, Context::of)
        .wrap(future);
    InSpan { future, recording }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = std::task::ready!(this.future.poll(task));
        drop(this.recording.take());
        Poll::Ready(output)
    }
}

/// The last query under `current` has failed, as its caller found out.
pub(crate) fn fail_last_query(current: &Current) {
    let core = &current.transaction;
    match &current.span {
        None => core.fail_last_query(),
        Some(parent) => {
            let released = compression::fail_last_query(&mut lock(&parent.state).kept);
            lock(&core.state).report(core, released);
        }
    }
}

impl ActiveSpan {
    /// An error was captured in it.
    pub(crate) fn errored(&self) {
        lock(&self.state).errored = true;
    }
}
