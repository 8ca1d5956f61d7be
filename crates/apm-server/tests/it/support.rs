//! What several tests need.

pub(crate) mod events;
pub(crate) mod fixtures;
pub(crate) mod server;
