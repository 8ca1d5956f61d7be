//! Stack traces: addresses on the thread where something happened, names and lines on the agent's own.
//!
//! Taking the addresses costs microseconds; the first look-up of a name costs tens of milliseconds and as many
//! megabytes, as the binary's debug information is read. So a request's thread only ever takes addresses.
//!
//! Frames are in the order of the wire: the innermost call first.

mod classify;
mod resolve;
mod source;
mod symbol;
mod trim;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub(crate) use resolve::{Purpose, Resolver};

/// A stack frame on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Frame {
    /// Short and the same on every machine: `my-app/src/main.rs`, `actix-web-4.18.1/src/app.rs`.
    pub(crate) filename: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) abs_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    /// The module of the function, or else the library: what the server groups errors by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lineno: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) colno: Option<u32>,
    pub(crate) library_frame: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context_line: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pre_context: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) post_context: Vec<String>,
}

/// A place in source code that is known without a stack trace: of a panic, or of the caller of `capture_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// As the compiler knows it: often relative to the workspace.
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}
