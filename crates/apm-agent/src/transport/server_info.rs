//! Which version the server has. It decides whether unsampled transactions are sent.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::agent::Inner;
use crate::transport::client::{Client, read_limited};

/// A server's version: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerVersion(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl ServerVersion {
    /// From 8.0 on, servers ignore unsampled transactions.
    pub(crate) fn wants_unsampled(self) -> bool {
        self < Self(8, 0, 0)
    }

    /// One version had a bug.
    pub(crate) fn refuses_activation_method(self) -> bool {
        self == Self(8, 7, 0)
    }

    /// `8.17.2`, with or without something behind it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-', '+']).map(str::parse);
        let mut part = || parts.next()?.ok();
        Some(Self(part()?, part()?, part().unwrap_or(0)))
    }
}

/// How often the server is asked until it says.
const EVERY: Duration = Duration::from_secs(10);

/// Asks until the version is known, and again where another server takes over. Failures are silent: many proxies let only the intake
/// through.
pub(crate) async fn watch(agent: Arc<Inner>, client: Arc<Client>) {
    loop {
        let switched = client.switched.notified();
        match ask(&client).await {
            Some(version) => {
                agent.set_server_version(version);
                switched.await;
            }
            None => {
                // The wait ends early where there is another one to ask.
                let _ = tokio::time::timeout(EVERY, switched).await;
            }
        }
    }
}

/// Asks the server. `None` where it does not say: anonymous, behind a proxy, or something else altogether.
async fn ask(client: &Client) -> Option<ServerVersion> {
    #[derive(Deserialize)]
    struct Info {
        version: String,
    }
    let response = client
        .get("/")
        .header(reqwest::header::ACCEPT, "application/json")
        .send()
        .await
        .ok()?;
    if !response.status().is_success() {
        return None;
    }
    let body = read_limited(response).await;
    let info: Info = serde_json::from_slice(&body).ok()?;
    ServerVersion::parse(&info.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_a_suffix() {
        assert_eq!(
            ServerVersion::parse("8.17.2"),
            Some(ServerVersion(8, 17, 2))
        );
        assert_eq!(
            ServerVersion::parse("7.4-SNAPSHOT"),
            Some(ServerVersion(7, 4, 0))
        );
        assert_eq!(
            ServerVersion::parse("9.0.0-rc1"),
            Some(ServerVersion(9, 0, 0))
        );
        assert_eq!(ServerVersion::parse("pocket"), None);
        assert!(ServerVersion(7, 17, 9).wants_unsampled());
        assert!(!ServerVersion(8, 0, 0).wants_unsampled());
    }
}
