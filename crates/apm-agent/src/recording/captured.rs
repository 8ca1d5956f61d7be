//! Errors as they were captured, before anything is resolved, and the bounded queue in which they wait for that.

mod chain;
mod queue;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::config::Settings;
use crate::recording::identity::Identity;
use crate::trace::ids::{ErrorId, SpanId};

#[cfg(feature = "diesel")]
pub(crate) use chain::MAX_CAUSES;
pub(crate) use chain::{Cause, chain_of};
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use chain::{message, type_of_debug};
pub(crate) use queue::ErrorQueue;
#[cfg(test)]
pub(crate) use queue::{CAPACITY, MANY};

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
    pub(crate) transaction: Arc<dyn Enclosing>,
    pub(crate) parent_id: SpanId,
}

/// A transaction, as far as the events of its errors tell of it.
pub(crate) trait Enclosing: fmt::Debug + Send + Sync {
    fn identity(&self) -> &Identity;

    /// Whether its name is known yet.
    fn has_name(&self) -> bool;

    fn describe(&self, settings: &Settings) -> Enclosed;
}

/// The facts of a transaction that the events of its errors repeat.
#[derive(Debug)]
pub(crate) struct Enclosed {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Encoded members of `context`, each followed by a comma.
    pub(crate) context: Vec<u8>,
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
