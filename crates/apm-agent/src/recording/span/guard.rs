//! Spans by hand: a guard within a function, a future around others.

use std::borrow::Cow;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::recording::{Details, Recording};
use crate::recording::context::{self, Context, InContext};
use crate::recording::outcome::Outcome;
use crate::recording::transaction::extra::LabelValue;
use crate::trace::ids::SpanId;

/// An open span; ends when it is dropped. Until then it is the current span of the code around it, and it cannot leave
/// the thread: across an `.await` use [`in_span`].
///
/// Without a current transaction, or when that is not sampled, it does nothing.
#[derive(Debug)]
#[must_use = "the span ends as soon as the guard is dropped"]
pub struct SpanGuard {
    recording: Option<Recording>,
    not_send: PhantomData<*const ()>,
}

/// Begins a span named `name` of a type such as `app`, `template` or `custom`, optionally with a subtype behind a dot
/// (`db.redis`).
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
    // The conversions may be the service's own code.
    let (name, kind) = (name.into(), kind.into());
    let recording = context::with(|current| Recording::begin(current, Details::new(name, kind)));
    if let Some(recording) = &recording {
        context::enter_span(recording.current());
    }
    SpanGuard {
        recording,
        not_send: PhantomData,
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

    /// Says that the span calls another service: its kind (`redis`) and, where there are several, its name. This puts
    /// the service on the service map and in the list of dependencies.
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
        // The span is left before it ends.
        if let Some(recording) = &self.recording {
            context::leave_span(recording.span.id);
        }
    }
}

pin_project! {
    /// A future inside a span; see [`in_span`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct InSpan<F> {
        #[pin]
        future: InContext<F>,
        // Name and kind, until the first poll: there is no span yet.
        new: Option<(Cow<'static, str>, Cow<'static, str>)>,
        begun: GivenUp,
    }
}

/// The span of a future. Dropped before the future is done, it was given up.
#[derive(Debug, Default)]
struct GivenUp(Option<Recording>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let Some(recording) = &mut self.0 {
            recording.given_up = true;
        }
    }
}

/// Runs a future inside a span, which begins with the first poll, as a child of what is current there, and ends with
/// the future. Of a future that is dropped half-way the outcome is unknown, unless an error was captured in it.
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
    InSpan {
        future: Context::default().wrap(future),
        new: Some((name.into(), kind.into())),
        begun: GivenUp::default(),
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some((name, kind)) = this.new.take() {
            let outer = context::current();
            this.begun.0 = outer
                .as_ref()
                .and_then(|current| Recording::begin(current, Details::new(name, kind)));
            let span = this.begun.0.as_ref().map(Recording::current);
            this.future.as_mut().set_current(span.or(outer));
        }
        let output = std::task::ready!(this.future.poll(task));
        drop(this.begun.0.take());
        Poll::Ready(output)
    }
}
