//! Helpers that every part of the agent uses. They know nothing of telemetry.

pub(crate) mod bounded;
pub(crate) mod clock;
pub(crate) mod list;
pub(crate) mod methods;
mod mutex;
pub(crate) mod own_log;
pub(crate) mod spare;
pub(crate) mod striped;
pub(crate) mod wildcard;

pub(crate) use mutex::{Mutex, MutexGuard, lock};
