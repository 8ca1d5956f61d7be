//! An error event.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::Settings;
use crate::encode::json;
use crate::recording::captured::{Captured, Cause, What};
use crate::sanitize::urls;
use crate::sql;
use crate::trace::ids::{ErrorId, SpanId, TraceId};
use crate::worker::stacktrace::{Frame, Place, Purpose, Resolver};

#[derive(Serialize)]
struct Line<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    id: ErrorId,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Transaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    culprit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Exception<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Log<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Transaction {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(rename = "type")]
    kind: String,
    sampled: bool,
}

#[derive(Serialize)]
struct Exception<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    handled: Option<bool>,
    #[serde(skip_serializing_if = "<[Frame]>::is_empty")]
    stacktrace: &'a [Frame],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cause: Vec<Exception<'a>>,
}

#[derive(Serialize)]
struct Log<'a> {
    message: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logger_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param_message: Option<String>,
    #[serde(skip_serializing_if = "<[Frame]>::is_empty")]
    stacktrace: &'a [Frame],
}

/// The line of an error event, with its frames resolved: for the agent's thread only.
pub(crate) fn line(captured: &Captured, resolver: &mut Resolver, settings: &Settings) -> Vec<u8> {
    let place = captured.location.as_ref().map(|place| Place {
        file: &place.file,
        line: place.line,
        column: place.column,
    });
    let frames = resolver.frames(place, &captured.addresses, Purpose::Error, settings);
    let text = |message: &str| {
        // Clients of HTTP and of databases put addresses into their errors.
        let message = sql::message(message, settings.sanitize_sql);
        let message = urls::text(&message, |name| settings.sanitize_field_names.matches(name));
        limited(&message, settings.long_field_max_length as usize)
    };
    let culprit = captured.culprit.clone().or_else(|| culprit(&frames));
    let (exception, log) = match &captured.what {
        What::Exception { chain, handled } => {
            (Some(exception(chain, *handled, &frames, &text)), None)
        }
        What::Log {
            message,
            template,
            level,
            logger,
        } => {
            let log = Log {
                message: text(message),
                level,
                logger_name: logger.as_deref().map(keyword),
                param_message: template.as_deref().map(keyword),
                stacktrace: &frames,
            };
            (None, Some(log))
        }
    };
    let within = captured.within.as_ref();
    let identity = within.map(|within| within.transaction.identity());
    let (transaction, context) = match within {
        None => (None, None),
        Some(within) => {
            let enclosed = within.transaction.describe(settings);
            let transaction = Transaction {
                name: keyword(&enclosed.name),
                kind: keyword(&enclosed.kind),
                sampled: within.transaction.identity().sampled,
            };
            let mut context = enclosed.context;
            let context = (!context.is_empty()).then(|| {
                context.insert(0, b'{');
                context.pop(); // the last comma
                context.push(b'}');
                context
            });
            (Some(transaction), context)
        }
    };
    let context =
        context.and_then(|context| RawValue::from_string(String::from_utf8(context).ok()?).ok());
    let error = Error {
        id: captured.id,
        timestamp: captured.timestamp,
        trace_id: identity.map(|identity| identity.trace_id),
        transaction_id: identity.map(|identity| identity.id),
        parent_id: within.map(|within| within.parent_id),
        transaction,
        culprit: culprit.as_deref().map(keyword),
        exception,
        log,
        context,
    };
    let mut line = serde_json::to_vec(&Line { error }).unwrap_or_default();
    line.push(b'\n');
    line
}

fn exception<'a>(
    chain: &[Cause],
    handled: bool,
    frames: &'a [Frame],
    text: &dyn Fn(&str) -> String,
) -> Exception<'a> {
    let one = |cause: &Cause, handled, stacktrace| Exception {
        type_name: cause.type_name.as_deref().map(keyword),
        module: cause.module.as_deref().map(keyword),
        message: text(&cause.message),
        handled,
        stacktrace,
        cause: Vec::new(),
    };
    let mut inner = None;
    // From the innermost cause outwards, each becomes the cause of the next one.
    for cause in chain.iter().skip(1).rev() {
        let mut exception = one(cause, None, &[]);
        exception.cause.extend(inner.take());
        inner = Some(exception);
    }
    let Some(outer) = chain.first() else {
        return Exception {
            type_name: None,
            module: None,
            message: String::new(),
            handled: Some(handled),
            stacktrace: frames,
            cause: Vec::new(),
        };
    };
    let mut outer = one(outer, Some(handled), frames);
    outer.cause.extend(inner);
    outer
}

fn keyword(text: &str) -> String {
    limited(text, json::KEYWORD)
}

fn limited(text: &str, max: usize) -> String {
    json::cut(text, max).map_or_else(|| text.to_owned(), |kept| format!("{kept}…"))
}

/// The innermost frame that is the service's own: its function, or where that has only a local name, its file and line.
fn culprit(frames: &[Frame]) -> Option<String> {
    let own = frames
        .iter()
        .find(|frame| !frame.library_frame)
        .or(frames.first())?;
    let function = own
        .function
        .as_deref()
        .filter(|function| function.contains("::"));
    Some(match (function, own.lineno) {
        (Some(function), _) => function.to_owned(),
        (None, Some(line)) => format!("{}:{line}", own.filename),
        (None, None) => own.filename.clone(),
    })
}
