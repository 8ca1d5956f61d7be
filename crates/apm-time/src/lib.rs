//! Points in time as people and scripts write them: RFC 3339, `now`, `now-15m`, `now-1d/d`, `yesterday 18:00`.
//!
//! Everything inside is whole microseconds since the epoch, UTC. A [`Range`] is half open, `[from, to)`, and never
//! empty. Errors name the request parameter that they are about.

mod error;
mod format;
mod interval;
mod range;
mod read;
mod spoken;
mod unit;

pub use error::TimeError;
pub use format::{rfc3339, rfc3339_millis};
pub use interval::interval;
pub use range::{DEFAULT_FROM, LATEST, Range, SECOND};
pub use read::{now, parse, parse_in};
pub use unit::Round;

#[cfg(test)]
mod tests;
