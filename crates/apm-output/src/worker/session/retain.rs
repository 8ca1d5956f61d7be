//! The age at which the engine deletes documents.

use super::Session;
use crate::dialect::Dialect;
use crate::lifecycle::{self, Installed};

impl Session {
    /// Installs the policy by which the engine deletes documents, where it is asked for. Sending does not wait for it.
    pub(in crate::worker) async fn retain(&self) {
        let Some(age) = self.config.retention else {
            return;
        };
        let namespace = &self.config.namespace;
        let name = lifecycle::name(namespace);
        let mut pause = self.config.pace.pause;
        self.stats.change(|stats| stats.lacks_retention = true);
        loop {
            let installed = async {
                let dialect = Dialect::ask(&self.client).await?;
                lifecycle::install(&self.client, dialect, namespace, age).await
            };
            let installed = installed.await;
            let words = match &installed {
                Ok(installed) => installed.words(&name),
                Err(why) => format!("not set yet: {why}"),
            };
            let before = self.stats.look().retention;
            if before.as_ref() != Some(&words) && installed.as_ref() != Ok(&Installed::Ours) {
                match &installed {
                    Ok(_) => log::warn!("documents in the engine are deleted {words}"),
                    Err(why) => log::warn!(
                        "the policy {name} by which the engine deletes documents is not set yet: {why}"
                    ),
                }
            }
            self.stats.change(|stats| {
                stats.retention = Some(words);
                stats.lacks_retention = installed.is_err();
            });
            if installed.is_ok() {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.config.pace.longest_pause);
        }
    }
}
