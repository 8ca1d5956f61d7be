//! The state that the worker and the agent's handles share: the recorder, and what is sent with its events.

use std::sync::Arc;

use crate::config::{CloudProvider, Config};
use crate::recording::recorder::Recorder;
use crate::recording::server_version::ServerVersion;
use crate::util::{Mutex, lock};
use crate::worker::client;
use crate::worker::metadata::{Framework, Metadata, cloud};
use crate::worker::metrics::Metrics;

/// One agent, without its thread.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) metrics: Metrics,
    metadata: Mutex<Metadata>,
}

impl Shared {
    pub(crate) fn new(config: Config, framework: Option<Framework>) -> Self {
        let metadata = Metadata::collect(&config.snapshot(), framework);
        Self {
            recorder: Arc::new(Recorder::new(config, metadata.line(true))),
            metrics: Metrics::default(),
            metadata: Mutex::new(metadata),
        }
    }

    /// The host's name, as far as it is known.
    pub(crate) fn hostname(&self) -> String {
        lock(&self.metadata).hostname().to_owned()
    }

    /// Notes the server's version, which decides what is sent to it.
    pub(crate) fn set_server_version(&self, version: ServerVersion) {
        self.recorder.set_server_version(version);
        if version.refuses_activation_method() {
            self.metadata_changed(&lock(&self.metadata));
        }
    }

    /// Completes the metadata by what a cloud's metadata service knows; takes about a second where there is none.
    pub(crate) async fn look_up_cloud(&self) {
        let provider = self.recorder.config.load().cloud_provider;
        if provider == CloudProvider::None {
            return;
        }
        let Ok(http) = client::for_local_services() else {
            return;
        };
        if let Some(cloud) = cloud::look_up(provider, &http, &cloud::Services::default()).await {
            let mut metadata = lock(&self.metadata);
            metadata.set_cloud(cloud);
            self.metadata_changed(&metadata);
        }
    }

    /// Puts the metadata, as it is now, before all that is sent from now on.
    fn metadata_changed(&self, metadata: &Metadata) {
        let version = self.recorder.server_version();
        let activation_method = !version.is_some_and(ServerVersion::refuses_activation_method);
        self.recorder
            .buffers
            .set_metadata(metadata.line(activation_method));
    }
}
