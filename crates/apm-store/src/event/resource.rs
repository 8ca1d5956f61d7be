//! Senders of batches.

use std::net::IpAddr;

/// The sender of a batch: the metadata line, and the peer's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `service.name`
    pub service_name: String,
    /// `service.environment`
    pub environment: Option<String>,
    /// `service.version`
    pub service_version: Option<String>,
    /// `service.agent.name`, such as `python`.
    pub agent_name: String,
    /// `service.agent.version`
    pub agent_version: String,
    /// `service.language.name`
    pub language: Option<String>,
    /// The address that the request came from.
    pub client: Option<IpAddr>,
    /// The identity that is stored once: `{"metadata":{…},"client":"127.0.0.1"}`.
    pub document: String,
}
