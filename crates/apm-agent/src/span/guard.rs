//! Spans by hand: a guard within a function, a future around others.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::recording::{Details, Recording};
use crate::context::{self, Context, Entered, InContext};
use crate::ids::SpanId;
use crate::outcome::Outcome;
use crate::transaction::LabelValue;

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
        Recording::begin(current, Details::new(name.into(), kind.into()))
    });
    let entered = recording
        .as_ref()
        .map(|recording| Entered::new(Some(recording.current())));
    SpanGuard { entered, recording }
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
        .and_then(|current| Recording::begin(current, Details::new(name.into(), kind.into())));
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
