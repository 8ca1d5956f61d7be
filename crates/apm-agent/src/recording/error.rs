//! Errors: what went wrong, where, and in which transaction.
//!
//! On the thread where it happened only cheap facts are collected: the message chain, the caller's location, and the
//! addresses of the frames, which take a walk up the stack and only if there is room for the error. Names, files and
//! lines are resolved and the event is encoded on the agent's thread, from a bounded queue.
//!
//! Frames are taken where they lead to the place: in panics, and in what the service captures itself. An error that a
//! handler returned has left its place long ago, and a log line names its own.

use std::error::Error;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use crate::recording::captured::{Captured, Place, What, Within, chain_of};
use crate::recording::context;
use crate::recording::current::Current;
use crate::recording::recorder::{self, Recorder};
use crate::trace::ids::ErrorId;
use crate::util::clock::Moment;
use crate::util::lock;

/// Whether an error carries the frames of the thread that captures it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stack {
    Taken,
    Left,
}

/// Looks at each error that the service captures: the name of its type, and the error.
type Observer = fn(&'static str, &dyn Error);

static OBSERVER: OnceLock<Observer> = OnceLock::new();

/// Has an integration look at the errors that the service captures by [`capture_error`]. There is one such integration.
#[cfg(feature = "diesel")]
pub(crate) fn observe_captured_errors(observer: Observer) {
    // Set again by each pool, to the same function.
    let _ = OBSERVER.set(observer);
}

/// Captures an error with its causes, in the current transaction if there is one, and returns the id of the error
/// event. `None` when no agent records here.
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
    if let Some(observe) = OBSERVER.get() {
        observe(std::any::type_name::<E>(), &error);
    }
    capture_here(
        || What::Exception {
            chain: chain_of(error),
            handled: true,
        },
        place,
    )
}

/// Captures a message as an error event: something went wrong and there is no error value. Returns its id; `None` when
/// no agent records here.
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
    let recorder = match &current {
        Some(current) => Arc::clone(&current.transaction.recorder),
        None => recorder::running()?,
    };
    let current = current.as_ref();
    capture(&recorder, current, what, Some(place), None, Stack::Taken)
}

/// Captures an error on an agent. Never blocks; a full queue drops it and counts that.
pub(crate) fn capture(
    recorder: &Arc<Recorder>,
    current: Option<&Current>,
    what: impl FnOnce() -> What,
    location: Option<Place>,
    culprit: Option<String>,
    stack: Stack,
) -> Option<ErrorId> {
    let settings = recorder.config.load();
    if !recorder.reports(&settings) || recorder.was_forked() {
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
        transaction: current.transaction.clone(),
        parent_id: current.parent_id(),
    });
    let timestamp = recorder.clock.micros(Moment::now());
    recorder.errors.push(&recorder.buffers, || Captured {
        id,
        timestamp,
        what,
        culprit,
        location,
        addresses: match stack {
            Stack::Taken => recorder.capture_stack(),
            Stack::Left => Vec::new(),
        },
        within,
    });
    Some(id)
}
