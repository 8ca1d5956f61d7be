//! From encoded events to the server.
//!
//! Threads of the service append to [`buffers`], which are whole request bodies. The [`sender`] thread takes the full and the
//! ripe ones and posts them. Nothing here ever waits on a thread of the service, and memory is bounded by constants.

pub(crate) mod backoff;
mod body;
pub(crate) mod buffers;
pub(crate) mod central_config;
pub(crate) mod client;
mod ready;
mod refusal;
pub(crate) mod sender;
pub(crate) mod server_info;
pub(crate) mod tls;
