//! SQL on its way to the server: the name of a statement's span, and which of its literals must not be sent.
//!
//! Scanners, no parsers: they never fail, keep no state between statements, and take time linear in the text.
//! Names are those that Elastic's other agents give to the statements that they publish as examples.

mod mask;
mod message;
mod secrets;
#[cfg(feature = "diesel")]
mod signature;
#[cfg(feature = "diesel")]
mod token;

#[cfg(feature = "diesel")]
pub(crate) use mask::{Dialect, statement};
pub(crate) use message::message;
#[cfg(feature = "diesel")]
pub(crate) use signature::signature;
