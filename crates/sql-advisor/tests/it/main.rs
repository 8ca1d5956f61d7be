//! Advice and migrations on databases with known answers.
#![expect(clippy::unwrap_used, reason = "a failed set-up should fail its test")]

mod advice;
mod entry;
mod file;
mod hostile;
mod migration;
mod prepare;
mod rows;
mod support;
