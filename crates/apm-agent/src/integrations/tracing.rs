//! A layer for the crate `tracing`: its spans become spans of the current transaction, its events errors and logs.
//!
//! A span lasts from its creation until it is closed, on the wall clock: time in which its future waits counts, as it
//! does for every other span. While it is entered it is the current span, also for queries and HTTP calls below it, and
//! its transaction goes with it to whatever thread or task enters it.
//!
//! Fields of OpenTelemetry's semantic conventions say what a span is: a query, a call, a message, a request that is
//! answered. The last, outside of a transaction, becomes one. All other spans are recorded within a transaction only.

mod carrier;
mod described;
mod fields;
mod meaning;
mod sqlx;
mod tower_http;
mod traced;

use std::borrow::Cow;
use std::sync::Arc;

use ::tracing::span::{Attributes, Id, Record};
use ::tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::integrations::logs::{Observed, observe};
use crate::recording::context;
use crate::recording::current::Current;
use crate::recording::recorder::{self, Recorder};
use crate::recording::span::Recording;
#[cfg(feature = "tower")]
pub(crate) use carrier::Carrier;
use fields::{Fields, Line};
use meaning::Key;
use traced::Traced;

/// The type and subtype of the spans that have no other.
const KIND: &str = "app.internal";

/// The layer; see [`layer`].
#[derive(Clone, Debug)]
pub struct ApmLayer {
    most: Level,
    sqlx: Option<Arc<Database>>,
}

/// A database, as the service names it.
#[derive(Debug)]
struct Database {
    subtype: Cow<'static, str>,
    instance: Option<String>,
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
///
/// Spans whose fields say that they are a query, a call, a message or a request are recorded from level `DEBUG` on:
///
/// ```
/// # use tracing_subscriber::layer::SubscriberExt as _;
/// # let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
/// # tracing::subscriber::with_default(subscriber, || {
/// let recorded = apm_agent::testing::record(|_| {
///     let request = tracing::info_span!("serve", otel.kind = "server", http.method = "GET", http.route = "/people");
///     let sql = "SELECT * FROM people";
///     request.in_scope(|| drop(tracing::debug_span!("ask", db.system = "postgresql", db.statement = sql)));
/// });
/// assert_eq!(recorded.transactions[0]["name"], "GET /people");
/// assert_eq!(recorded.spans[0]["name"], "SELECT FROM people");
/// # });
/// ```
///
/// The same goes for the spans of tower-http's `TraceLayer`, and for the events by which sqlx tells of queries. A
/// filter for the whole subscriber must let these pass: `tower_http=debug,sqlx::query=debug`.
#[must_use]
pub fn layer() -> ApmLayer {
    carrier::set_installed();
    ApmLayer {
        most: Level::INFO,
        sqlx: None,
    }
}

impl ApmLayer {
    /// Records spans and events down to `level`. Libraries such as `h2` have very many below `INFO`.
    #[must_use]
    pub fn with_max_level(self, level: Level) -> Self {
        Self {
            most: level,
            ..self
        }
    }

    /// Says which database sqlx asks, as it does not tell: the system, such as `postgresql`, and the database's name.
    /// Without it SQLite is recognised, and the queries of all others are those of a system `unknown`.
    ///
    /// ```
    /// let layer = apm_agent::tracing::layer().with_sqlx("postgresql", Some("shop"));
    /// ```
    #[must_use]
    pub fn with_sqlx(self, subtype: impl Into<Cow<'static, str>>, instance: Option<&str>) -> Self {
        let database = Database {
            subtype: subtype.into(),
            instance: instance.map(str::to_owned),
        };
        Self {
            sqlx: Some(Arc::new(database)),
            ..self
        }
    }

    /// Whether a span is recorded.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let level = *metadata.level();
        let decides = |name| Key::from_name(name).is_some_and(Key::decides);
        let has_meaning = || {
            tower_http::is_request(metadata)
                || metadata.fields().iter().any(|it| decides(it.name()))
        };
        level <= self.most || (level <= Level::DEBUG && has_meaning())
    }
}

/// The context in which a span begins: that of the parent it names, else what is current.
fn parent<S>(attributes: &Attributes<'_>, subscriber: &Context<'_, S>) -> Option<Current>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let explicit = attributes.parent().and_then(|id| subscriber.span(id));
    let explicit =
        explicit.and_then(|parent| parent.extensions().get::<Traced>().map(Traced::current));
    // An entered span is current, so the slot knows the parent that `tracing` knows, and spans by hand between both.
    explicit.or_else(|| {
        let mut current = context::current()?;
        // A root has no span above it, but it still belongs to the request.
        if attributes.is_root() {
            current.span = None;
        }
        Some(current)
    })
}

/// Reads the fields of a span. They are formatted by the service's own code, which may open spans and look at this one:
/// no lock is held here.
fn read<'a>(
    agent: &'a Recorder,
    metadata: &Metadata<'_>,
    record: impl FnOnce(&mut Fields<'a>),
) -> Fields<'a> {
    let is_request = tower_http::is_request(metadata);
    let key_of = match is_request {
        true => tower_http::key_of,
        false => Key::from_name,
    };
    let mut fields = Fields::new(agent, key_of);
    record(&mut fields);
    // The other fields of tower-http may be all headers, with what is secret in them.
    if is_request {
        fields.labels.clear();
    }
    fields
}

impl<S> Layer<S> for ApmLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscriber: Context<'_, S>) {
        let metadata = attributes.metadata();
        let carries = carrier::is_carrier(metadata);
        if !(carries || self.wants(metadata)) || recorder::on_agent_thread() {
            return;
        }
        let Some(span) = subscriber.span(id) else {
            return;
        };
        if span.extensions().get::<Traced>().is_some() {
            // There are two of these layers.
            return;
        }
        let traced = match parent(attributes, &subscriber) {
            // Inside of a transaction, the span of a request says nothing new.
            Some(parent) if carries || tower_http::is_request(metadata) => {
                Some(Traced::Carrier(parent))
            }
            Some(parent) => {
                let agent = &parent.transaction.recorder;
                let fields = read(agent, metadata, |fields| attributes.record(fields));
                let recording = Recording::open(&parent, metadata.name(), KIND);
                recording.map(|recording| Traced::span(recording, fields))
            }
            None if carries => None,
            None => begin(attributes),
        };
        if let Some(traced) = traced {
            // The lock of the extensions is free again before anything is dropped.
            let replaced = span.extensions_mut().replace(traced);
            drop(replaced);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscriber: Context<'_, S>) {
        let Some(span) = subscriber.span(id) else {
            return;
        };
        let agent = span.extensions().get::<Traced>().map(Traced::agent);
        let Some(agent) = agent else {
            return;
        };
        // The lock of the span's extensions is taken when all text is there.
        let fields = read(&agent, span.metadata(), |fields| values.record(fields));
        if let Some(traced) = span.extensions_mut().get_mut::<Traced>() {
            traced.tell(fields);
        }
    }

    fn on_enter(&self, id: &Id, subscriber: Context<'_, S>) {
        let Some(span) = subscriber.span(id) else {
            return;
        };
        let own = span.extensions().get::<Traced>().map(Traced::current);
        // A span that is not recorded may go to another thread, and takes along what is around it. Where something is
        // current already, that is nearer.
        let current = own.or_else(|| match context::with(|_| Some(())) {
            Some(()) => None,
            None => nearest(span.scope(), Traced::current),
        });
        if let Some(current) = current {
            context::enter_tracing(id.into_u64(), current);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        context::leave_tracing(id.into_u64());
    }

    fn on_close(&self, id: Id, subscriber: Context<'_, S>) {
        let traced = subscriber
            .span(&id)
            .and_then(|span| span.extensions_mut().remove::<Traced>());
        // The span ends here, when no lock of the subscriber is held.
        if let Some(traced) = traced {
            traced.close();
        }
    }

    fn on_event(&self, event: &Event<'_>, subscriber: Context<'_, S>) {
        let metadata = event.metadata();
        match metadata.target() {
            sqlx::TARGET if !recorder::on_agent_thread() => {
                let scope = subscriber.event_scope(event);
                let statement = |traced: &Traced| traced.statement().map(str::to_owned);
                let span = scope.and_then(|scope| nearest(scope, statement)).flatten();
                sqlx::observe(event, self.sqlx.as_deref(), span.as_deref());
            }
            tower_http::ON_RESPONSE => answer(event, &subscriber),
            _ => {}
        }
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

/// Looks at the innermost span of a scope that the agent knows.
fn nearest<'a, S, T>(mut scope: Scope<'a, S>, look: impl Fn(&Traced) -> T) -> Option<T>
where
    S: LookupSpan<'a>,
{
    scope.find_map(|span| span.extensions().get::<Traced>().map(&look))
}

/// Begins a transaction, if the fields of a span say that it answers a request or takes a message.
fn begin(attributes: &Attributes<'_>) -> Option<Traced> {
    let metadata = attributes.metadata();
    let is_request = tower_http::is_request(metadata);
    let tells_kind = |it: ::tracing::field::Field| Key::from_name(it.name()) == Some(Key::Kind);
    if !is_request && !metadata.fields().iter().any(tells_kind) {
        return None;
    }
    let agent = recorder::running()?;
    let fields = read(&agent, metadata, |fields| attributes.record(fields));
    let answers = ["server", "consumer"].map(|kind| fields.meaning.is_kind(kind));
    if !is_request && !answers.contains(&true) {
        return None;
    }
    let mut traced = Traced::begin(&agent, metadata.name(), &fields.meaning)?;
    traced.tell(fields);
    Some(traced)
}

/// Notes the status of an answer in the transaction of its request.
fn answer<S>(event: &Event<'_>, subscriber: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let Some(status) = tower_http::status(event) else {
        return;
    };
    let mut scope = subscriber.event_scope(event).into_iter().flatten();
    let request = scope.find(|span| tower_http::is_request(span.metadata()));
    if let Some(span) = request
        && let Some(traced) = span.extensions_mut().get_mut::<Traced>()
    {
        traced.answered(status);
    }
}
