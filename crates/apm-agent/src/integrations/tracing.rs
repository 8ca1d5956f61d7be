//! A layer for the crate `tracing`: its spans become spans of the current transaction, its events errors and logs.
//!
//! A span lasts from its creation until it is closed, on the wall clock: time in which its future waits counts, as it
//! does for every other span. While it is entered it is the current span, also for queries and HTTP calls below it, and
//! its transaction goes with it to whatever thread or task enters it. Outside of a transaction nothing is recorded.

mod fields;

use ::tracing::span::{Attributes, Id, Record};
use ::tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::integrations::logs::{Observed, observe};
use crate::recording::context;
use crate::recording::recorder;
use crate::recording::span::Recording;
use fields::{Labels, Line};

/// The type and subtype of the spans.
const KIND: &str = "app.internal";

/// The layer; see [`layer`].
#[derive(Clone, Debug)]
pub struct ApmLayer {
    most: Level,
}

/// A layer that records spans and events of level `INFO` and above.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
/// # tracing::subscriber::with_default(subscriber, || {
/// let recorded = apm_agent::testing::record(|agent| {
///     agent.transaction("clean up", "task").run(|| {
///         tracing::info_span!("find what is old", days = 30).in_scope(|| { /* … */ });
///     });
/// });
/// assert_eq!(recorded.spans[0]["name"], "find what is old");
/// assert_eq!(recorded.spans[0]["context"]["tags"]["days"], 30);
/// # });
/// ```
#[must_use]
pub fn layer() -> ApmLayer {
    ApmLayer { most: Level::INFO }
}

impl ApmLayer {
    /// Records spans and events down to `level`. Libraries such as `h2` have very many below `INFO`.
    #[must_use]
    pub fn with_max_level(self, level: Level) -> Self {
        Self { most: level }
    }
}

impl<S> Layer<S> for ApmLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscriber: Context<'_, S>) {
        let metadata = attributes.metadata();
        if *metadata.level() > self.most || recorder::on_agent_thread() {
            return;
        }
        let Some(span) = subscriber.span(id) else {
            return;
        };
        if span.extensions().get::<Recording>().is_some() {
            // There are two of these layers.
            return;
        }
        let explicit = attributes.parent().and_then(|id| subscriber.span(id));
        let explicit = explicit.and_then(|parent| {
            parent
                .extensions()
                .get::<Recording>()
                .map(Recording::current)
        });
        // An entered span is current, so the slot knows the parent that `tracing` knows, and spans by hand between
        // both.
        let parent = explicit.or_else(|| {
            let mut current = context::current()?;
            if attributes.is_root() {
                current.span = None;
            }
            Some(current)
        });
        let Some(parent) = parent else {
            return;
        };
        // The fields are formatted by the service's own code, which may open spans and look at this one: no lock is
        // held here.
        let mut labels = Labels::new(&parent.transaction.recorder);
        attributes.record(&mut labels);
        if let Some(mut recording) = Recording::open(&parent, metadata.name(), KIND) {
            labels.put_on(&mut recording);
            let replaced = span.extensions_mut().replace(recording);
            drop(replaced);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscriber: Context<'_, S>) {
        let Some(span) = subscriber.span(id) else {
            return;
        };
        let agent = span.extensions().get::<Recording>().map(Recording::agent);
        let Some(agent) = agent else {
            return;
        };
        // As above: the lock of the span's extensions is taken when all text is there.
        let mut labels = Labels::new(&agent);
        values.record(&mut labels);
        if let Some(recording) = span.extensions_mut().get_mut::<Recording>() {
            labels.put_on(recording);
        }
    }

    fn on_enter(&self, id: &Id, subscriber: Context<'_, S>) {
        let current = subscriber
            .span(id)
            .and_then(|span| span.extensions().get::<Recording>().map(Recording::current));
        if let Some(current) = current {
            context::enter_tracing(id.into_u64(), current);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        context::leave_tracing(id.into_u64());
    }

    fn on_close(&self, id: Id, subscriber: Context<'_, S>) {
        let recording = subscriber
            .span(&id)
            .and_then(|span| span.extensions_mut().remove::<Recording>());
        // The span ends here, when no lock of the subscriber is held.
        drop(recording);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > self.most {
            return;
        }
        let record = Observed {
            level: match *metadata.level() {
                Level::ERROR => log::Level::Error,
                Level::WARN => log::Level::Warn,
                Level::INFO => log::Level::Info,
                Level::DEBUG => log::Level::Debug,
                Level::TRACE => log::Level::Trace,
            },
            target: metadata.target(),
            file: metadata.file(),
            line: metadata.line(),
        };
        observe(&record, || {
            let mut line = Line::default();
            event.record(&mut line);
            line.into_message()
        });
    }
}
