//! SQL on its way to the server: which of its literals must not be sent.
//!
//! It never fails, keeps no state between statements, and takes time linear in the text.

mod commands;
mod mask;
mod message;
mod secrets;

pub(crate) use commands::command;
pub(crate) use mask::statement;
pub(crate) use message::message;
