//! What users hold: a transaction of their own, or the one that is current.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::agent::{self, Inner};
use crate::context::{self, Context, Current, Entered, InContext};
use crate::outcome::Outcome;
use crate::trace_context::TraceContext;
use crate::transaction::{Core, LabelValue, User};
use crate::transport::buffers::lock;

/// A transaction by hand, for work that no request asked for: jobs, consumers, start-up. It ends when it is dropped.
///
/// ```
/// let transaction = apm_agent::Transaction::begin("clean up", "task");
/// transaction.run(|| {
///     let _span = apm_agent::span("find what is old", "app");
/// });
/// transaction.set_result("success");
/// ```
#[derive(Debug)]
#[must_use = "the transaction ends as soon as it is dropped"]
pub struct Transaction {
    core: Option<Arc<Core>>,
}

impl Transaction {
    /// Begins a transaction on the agent that was started first. Does nothing where no agent is running.
    pub fn begin(name: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Self {
        Self::begin_on(agent::running().as_ref(), name.into(), kind.into(), None)
    }

    /// Begins a transaction that continues the trace of a `traceparent`, as it may have come with a message or a job.
    pub fn continue_from(
        parent: Option<TraceContext>,
        name: impl Into<Cow<'static, str>>,
        kind: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::begin_on(agent::running().as_ref(), name.into(), kind.into(), parent)
    }

    pub(crate) fn begin_on(
        agent: Option<&Arc<Inner>>,
        name: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<TraceContext>,
    ) -> Self {
        Self {
            core: agent.and_then(|agent| Core::begin(agent, Some(name), kind, parent)),
        }
    }

    /// Makes it current on this thread until the guard is dropped. Never hold the guard across an `.await`.
    pub fn enter(&self) -> Entered {
        Entered::new(self.current())
    }

    /// Runs a closure in it.
    pub fn run<R>(&self, closure: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        closure()
    }

    /// Runs a future in it, and ends it with the future.
    pub fn wrap<F: Future>(self, future: F) -> InTransaction<F> {
        let context = self.current().map_or_else(Context::default, Context::of);
        InTransaction {
            future: context.wrap(future),
            transaction: Some(self),
        }
    }

    /// Sets the result, such as `success` or `timeout`: a few words that group transactions.
    pub fn set_result(&self, result: impl Into<Cow<'static, str>>) {
        if let Some(core) = &self.core {
            lock(&core.state).result.set(result.into());
        }
    }

    /// What can be said about the transaction, as a handle.
    #[must_use]
    pub fn handle(&self) -> Option<CurrentTransaction> {
        self.core.clone().map(CurrentTransaction)
    }

    fn current(&self) -> Option<Current> {
        Some(Current {
            transaction: Arc::clone(self.core.as_ref()?),
            span: None,
        })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(core) = &self.core {
            if std::thread::panicking() {
                lock(&core.state).errored = true;
            }
            core.end();
        }
    }
}

pin_project! {
    /// A future inside a transaction; see [`Transaction::wrap`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct InTransaction<F> {
        #[pin]
        future: InContext<F>,
        transaction: Option<Transaction>,
    }
}

impl<F: Future> Future for InTransaction<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = std::task::ready!(this.future.poll(task));
        drop(this.transaction.take());
        Poll::Ready(output)
    }
}

/// The transaction that the calling code runs for, to tell it more. What is set here beats what the agent finds by itself.
///
/// ```
/// fn handler() {
///     if let Some(transaction) = apm_agent::current_transaction() {
///         transaction.set_label("tenant", "acme");
///     }
/// }
/// # handler();
/// ```
#[derive(Clone, Debug)]
pub struct CurrentTransaction(pub(crate) Arc<Core>);

/// The current transaction; `None` outside one.
#[must_use]
pub fn current_transaction() -> Option<CurrentTransaction> {
    context::with(|current| Some(CurrentTransaction(Arc::clone(&current?.transaction))))
}

impl CurrentTransaction {
    /// Renames it. Names group transactions: put what varies into labels.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        lock(&self.0.state).name.set(name.into());
    }

    /// Sets the result, such as `HTTP 2xx`.
    pub fn set_result(&self, result: impl Into<Cow<'static, str>>) {
        lock(&self.0.state).result.set(result.into());
    }

    /// Sets how it ended. [`Outcome::Unknown`] is left out of the error rate.
    pub fn set_outcome(&self, outcome: Outcome) {
        lock(&self.0.state).outcome.set(outcome);
    }

    /// Says for whom the work is done.
    pub fn set_user(&self, user: User) {
        lock(&self.0.state).extra().user = Some(user);
    }

    /// Adds a label: a string, number or bool that can be searched for.
    pub fn set_label(&self, key: &str, value: impl Into<LabelValue>) {
        lock(&self.0.state).extra().labels.set(key, value.into());
    }

    /// Adds data that is shown with the transaction and cannot be searched for; 64 KiB in all.
    pub fn set_custom(&self, key: &str, value: &serde_json::Value) {
        lock(&self.0.state).extra().custom(key, value);
    }

    /// Forgets the transaction and the spans that it still holds.
    pub fn discard(&self) {
        self.0.discard();
    }

    /// Whether it is recorded in full.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.0.identity.sampled
    }

    /// The value of a `traceparent` header for a call that the agent does not see, as from code that is not instrumented.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let from = context::with(|current| match current {
            Some(current) if Arc::ptr_eq(&current.transaction, &self.0) => current.parent_id(),
            _ => self.0.identity.id,
        });
        String::from_utf8_lossy(&self.0.traceparent(from)).into_owned()
    }
}
