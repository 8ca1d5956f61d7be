//! Errors: what went wrong, where, and in which transaction.
//!
//! On the thread where it happened only cheap facts are collected: the message chain, the caller's location, and the addresses of the
//! frames, which take a walk up the stack and only if there is room for the error. Names, files and lines are resolved and the
//! event is encoded on the agent's thread, from a bounded queue.
//!
//! Frames are taken where they lead to the place: in panics, and in what the service captures itself. An error that a handler
//! returned has left its place long ago, and a log line names its own.

mod chain;
mod queue;

use std::error::Error;
use std::panic::Location;
use std::sync::Arc;

use crate::agent::{self, Inner};
use crate::context::{self, Current};
use crate::ids::{ErrorId, SpanId};
use crate::transaction::Core;
use crate::transport::buffers::lock;

pub(crate) use chain::Cause;
#[cfg(feature = "diesel")]
pub(crate) use chain::MAX_CAUSES;
#[cfg(feature = "actix")]
pub(crate) use chain::{message, type_of_debug};
pub(crate) use queue::ErrorQueue;

/// An error as it was captured.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) id: ErrorId,
    /// Microseconds since the epoch.
    pub(crate) timestamp: u64,
    pub(crate) what: What,
    /// A function or `file:line` of the service, where one is known without a stack trace.
    pub(crate) culprit: Option<String>,
    pub(crate) location: Option<Place>,
    /// Return addresses, innermost first.
    pub(crate) addresses: Vec<usize>,
    pub(crate) within: Option<Within>,
}

/// A position in source code.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<&Location<'_>> for Place {
    fn from(location: &Location<'_>) -> Self {
        Self {
            file: location.file().to_owned(),
            line: location.line(),
            column: location.column(),
        }
    }
}

/// The transaction that an error happened in, and the span or transaction that caused it.
#[derive(Debug)]
pub(crate) struct Within {
    pub(crate) core: Arc<Core>,
    pub(crate) parent_id: SpanId,
}

/// Whether an error carries the frames of the thread that captures it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stack {
    Taken,
    Left,
}

#[derive(Debug)]
pub(crate) enum What {
    Exception {
        chain: Vec<Cause>,
        handled: bool,
    },
    Log {
        message: String,
        template: Option<String>,
        level: &'static str,
        logger: Option<String>,
    },
}

/// Captures an error with its causes, in the current transaction if there is one, and returns the id of the error event.
/// `None` when no agent records here.
///
/// The place of the call is reported as the place of the error, with the stack that led there (`stack_trace_limit`).
///
/// ```
/// fn read_settings() -> Result<String, std::io::Error> {
///     std::fs::read_to_string("settings.toml").inspect_err(|error| {
///         apm_agent::capture_error(error);
///     })
/// }
/// # let _ = read_settings();
/// ```
#[track_caller]
pub fn capture_error<E: Error + ?Sized>(error: &E) -> Option<ErrorId> {
    let place = Place::from(Location::caller());
    #[cfg(feature = "diesel")]
    if crate::integrations::diesel::is_query_error(error) {
        crate::integrations::diesel::fail_last_query();
    }
    capture_here(
        || What::Exception {
            chain: chain::of(error),
            handled: true,
        },
        place,
    )
}

/// Captures a message as an error event: something went wrong and there is no error value. Returns its id; `None` when no agent records here.
///
/// The place of the call and the stack that led there are reported, as by [`capture_error`].
#[track_caller]
pub fn capture_message(message: impl Into<String>) -> Option<ErrorId> {
    let place = Place::from(Location::caller());
    let what = || What::Log {
        message: message.into(),
        template: None,
        level: "error",
        logger: None,
    };
    capture_here(what, place)
}

/// Captures on the agent of the current transaction, else on the one that was started first.
fn capture_here(what: impl FnOnce() -> What, place: Place) -> Option<ErrorId> {
    let current = context::current();
    let agent = match &current {
        Some(current) => Arc::clone(&current.transaction.agent),
        None => agent::running()?,
    };
    let current = current.as_ref();
    capture(&agent, current, what, Some(place), None, Stack::Taken)
}

/// Captures an error on an agent. Never blocks; a full queue drops it and counts that.
pub(crate) fn capture(
    agent: &Arc<Inner>,
    current: Option<&Current>,
    what: impl FnOnce() -> What,
    location: Option<Place>,
    culprit: Option<String>,
    stack: Stack,
) -> Option<ErrorId> {
    let settings = agent.config.load();
    if !agent.reports(&settings) || agent.was_forked() {
        return None;
    }
    let what = what();
    if let What::Exception { chain, .. } = &what
        && chain
            .first()
            .is_some_and(|error| error.is_filtered(&settings.filter_exception_types))
    {
        return None;
    }
    if let Some(current) = current {
        lock(&current.transaction.state).errored = true;
        if let Some(span) = &current.span {
            span.errored();
        }
    }
    let id = ErrorId::random();
    let within = current.map(|current| Within {
        core: Arc::clone(&current.transaction),
        parent_id: current.parent_id(),
    });
    let timestamp = agent.clock.micros(std::time::Instant::now());
    agent.errors.push(agent, || Captured {
        id,
        timestamp,
        what,
        culprit,
        location,
        addresses: match stack {
            Stack::Taken => agent.capture_stack(),
            Stack::Left => Vec::new(),
        },
        within,
    });
    Some(id)
}
