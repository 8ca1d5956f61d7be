//! Statements on their way to the server: which of their literals must not be sent.
//!
//! It never fails, keeps no state between statements, and takes time linear in the text.

mod changes;
mod commands;
mod mask;
mod message;
mod secrets;

pub(crate) use changes::changes_rows;
pub(crate) use commands::{command, command_name, is_sql};
pub(crate) use mask::statement;
pub(crate) use message::message;
