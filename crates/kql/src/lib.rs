//! The query bar's language: the part of Kibana's KQL that telemetry needs.
//!
//! `field:value`, `field:"quoted value"`, `field:wild*card`, `field:*` (the field is there),
//! `field:(a or b)`, `field > 10` (`< <= >= >`), bare words (any text of the event), `and`, `or`,
//! `not`, parentheses. Wildcards work in field names too. Keywords are case-insensitive, values
//! are not, except in full-text fields such as `message` and `span.db.statement`. Numbers of fields that end in `.us`
//! and `.bytes` may have units: `transaction.duration.us > 5ms`.
//!
//! [`parse`] gives an [`Expr`]; [`matches()`] evaluates it over an ECS document and is the meaning
//! of the language. Nothing here knows SQL: `apm-server` translates what its columns hold, and leaves
//! the rest to [`matches()`]. Not supported: nested field groups `{}`, scripts, regular expressions.
//!
//! [`pasted`] reads ids as people paste them, for the fields of ids and for addresses.

mod address;
mod escape;
mod expr;
mod field;
mod leaves;
mod matches;
mod parse;
pub mod pasted;
mod units;
mod wildcard;

pub use escape::{filter, one_line, quoted};
pub use expr::{Bound, Expr, Field, Order, Value, is_full_text};
pub use leaves::{for_each_leaf, text_of};
pub use matches::matches;
pub use parse::{KqlError, parse, parse_in};
pub use units::micros;
pub use wildcard::Pattern;

#[cfg(test)]
mod tests;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
