//! Recording: from what happens in the service to bytes that wait to be sent.
//!
//! Everything here runs on the threads of the service. Nothing blocks, nothing waits for the network, and memory is
//! bounded. The modules are listed from the lowest to the highest: each uses only those above it in this list.

pub(crate) mod outcome;
pub(crate) mod stats;

pub(crate) mod binds;
pub(crate) mod cost;
pub(crate) mod repeated;
pub(crate) mod service_target;
pub(crate) mod span_kind;
pub(crate) mod statement;

pub(crate) mod identity;

pub(crate) mod finished_span;

pub(crate) mod breakdown;
pub(crate) mod compression;
pub(crate) mod self_time;

pub(crate) mod buffers;
pub(crate) mod captured;
pub(crate) mod hosts;
pub(crate) mod http;
pub(crate) mod server_version;
pub(crate) mod stack;
pub(crate) mod stacks;

pub(crate) mod recorder;

pub(crate) mod transaction;

pub(crate) mod current;

pub(crate) mod leaf_span;

pub(crate) mod context;

pub(crate) mod db_span;
pub(crate) mod error;
pub(crate) mod handle;
pub(crate) mod panic;
pub(crate) mod span;
