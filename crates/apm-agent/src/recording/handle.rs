//! Handles for users: a transaction of their own, or the one that is current.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::recording::context::{self, Context, Entered, InContext};
use crate::recording::current::Current;
use crate::recording::http::HttpRequest;
use crate::recording::outcome::Outcome;
use crate::recording::recorder::{self, Recorder, RecorderHandle};
use crate::recording::transaction::Core;
use crate::recording::transaction::extra::{LabelValue, User};
use crate::trace::propagation::TraceContext;
use crate::util::lock;

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
        Self::begin_on(recorder::running().as_ref(), name.into(), kind.into(), None)
    }

    /// Begins a transaction that continues the trace of a `traceparent`, as it may have come with a message or a job.
    pub fn continue_from(
        parent: Option<TraceContext>,
        name: impl Into<Cow<'static, str>>,
        kind: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::begin_on(
            recorder::running().as_ref(),
            name.into(),
            kind.into(),
            parent,
        )
    }

    pub(crate) fn begin_on(
        recorder: Option<&Arc<Recorder>>,
        name: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<TraceContext>,
    ) -> Self {
        Self {
            core: recorder.map(RecorderHandle::new).and_then(|recorder| {
                let settings = recorder.config.load();
                Core::begin(&recorder, &settings, Some(name), kind, parent)
            }),
        }
    }

    /// Makes it current on this thread until the guard is dropped or the transaction ends. Across an `.await` use
    /// [`Transaction::wrap`].
    pub fn enter(&self) -> Entered {
        Entered::new(self.current(), false)
    }

    /// Runs a closure in it.
    pub fn run<R>(&self, closure: impl FnOnce() -> R) -> R {
        context::run(self.current(), closure)
    }

    /// Runs a future in it, and ends it with the future. Where the future is dropped before it is done, as by a
    /// time-out, the result is `cancelled` and the outcome unknown, unless an error was captured in it or you said
    /// otherwise.
    pub fn wrap<F: Future>(self, future: F) -> InTransaction<F> {
        InTransaction {
            future: Context::new(self.current()).wrap(future),
            transaction: GivenUp(Some(self)),
        }
    }

    /// Sets the result, such as `success` or `timeout`: a few words that group transactions.
    pub fn set_result(&self, result: impl Into<Cow<'static, str>>) {
        // Conversions may be the service's own code, which must not run under the lock.
        let result = result.into();
        if let Some(core) = &self.core {
            lock(&core.state).result.set(result);
        }
    }

    /// Says which request the transaction answers: see [`CurrentTransaction::set_http`].
    pub fn set_http(&self, request: &HttpRequest<'_>) {
        if let Some(core) = &self.core {
            core.set_http(request);
        }
    }

    /// A handle by which more can be said about the transaction.
    #[must_use]
    pub fn handle(&self) -> Option<CurrentTransaction> {
        self.core.clone().map(CurrentTransaction)
    }

    pub(crate) fn current(&self) -> Option<Current> {
        self.core.as_ref().map(Current::outside_spans)
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
        transaction: GivenUp,
    }
}

/// The transaction of a future. Dropped before the future is done, it was given up.
#[derive(Debug)]
struct GivenUp(Option<Transaction>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        let core = self.0.as_ref().and_then(|it| it.core.as_ref());
        if let Some(core) = core
            // A panic is a failure, and `Transaction` notes it.
            && !std::thread::panicking()
        {
            let mut state = lock(&core.state);
            state.given_up = true;
            state.result.find("cancelled".into());
        }
    }
}

impl<F: Future> Future for InTransaction<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = std::task::ready!(this.future.poll(task));
        drop(this.transaction.0.take());
        Poll::Ready(output)
    }
}

/// The transaction that the calling code runs for, to tell it more. What is set here beats what the agent finds by
/// itself.
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
    context::with(|current| Some(CurrentTransaction(Arc::clone(&current.transaction))))
}

// Conversions may be the service's own code: they happen before the lock is taken.
impl CurrentTransaction {
    /// Renames it. Names group transactions: put what varies into labels.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        lock(&self.0.state).name.set(name.into());
    }

    /// Sets the result, such as `HTTP 2xx`.
    pub fn set_result(&self, result: impl Into<Cow<'static, str>>) {
        let result = result.into();
        lock(&self.0.state).result.set(result);
    }

    /// Sets how it ended. [`Outcome::Unknown`] is left out of the error rate.
    pub fn set_outcome(&self, outcome: Outcome) {
        lock(&self.0.state).outcome.set(outcome);
    }

    /// Says which request the transaction answers, and how. With a status, it also finds the result (`HTTP 2xx`) and
    /// the outcome: a status of 500 or more is a failure. Secrets in the URL are left out as from any other request.
    /// The last call counts, so it can be called again when the answer is there.
    ///
    /// The agent's own middleware does this for actix-web; this is for integrations of other frameworks.
    pub fn set_http(&self, request: &HttpRequest<'_>) {
        self.0.set_http(request);
    }

    /// Says for whom the work is done.
    pub fn set_user(&self, user: User) {
        lock(&self.0.state).extra().user = Some(user);
    }

    /// Adds a label: a string, number or bool that can be searched for.
    pub fn set_label(&self, key: &str, value: impl Into<LabelValue>) {
        let value = value.into();
        lock(&self.0.state).extra().labels.set(key, value);
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

    /// The value of a `traceparent` header for a call that the agent does not see, as from code that is not
    /// instrumented.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let from = context::with(|current| {
            Arc::ptr_eq(&current.transaction, &self.0).then(|| current.parent_id())
        });
        let from = from.unwrap_or(self.0.identity.id);
        String::from_utf8_lossy(&self.0.traceparent(from)).into_owned()
    }
}
