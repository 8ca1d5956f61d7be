//! The version of the server. It decides whether unsampled transactions are sent.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::recording::server_version::ServerVersion;
use crate::worker::client::{Client, read_limited};
use crate::worker::shared::Shared;

/// The interval at which the server is asked until it says.
const EVERY: Duration = Duration::from_secs(10);

/// Asks until the version is known, and again where another server takes over. Failures are silent: many proxies let
/// only the intake through.
pub(crate) async fn watch(shared: Arc<Shared>, client: Arc<Client>) {
    loop {
        let switched = client.switched.notified();
        match ask(&client).await {
            Some(version) => {
                shared.set_server_version(version);
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
