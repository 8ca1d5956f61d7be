//! Setting up an agent: what the code says, what the environment says, start.

use std::collections::BTreeMap;

use crate::agent::Agent;
use crate::settings::Settings;

/// Why an agent cannot be configured. An invalid value of an option is none: it is reported in the log, and the next source counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no option of this name.
    #[error("there is no agent option named `{0}`: see docs/configuration.md for the list")]
    UnknownOption(String),
}

/// Collects settings. The environment (`ELASTIC_APM_…`) beats what the code sets here.
///
/// ```
/// # fn example() -> Result<(), apm_agent::ConfigError> {
/// let agent = apm_agent::Agent::builder()
///     .service_name("my-app-01")
///     .option("api_request_time", "1s")
///     .from_env()?
///     .start();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "call `start`"]
pub struct Builder {
    code: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl Builder {
    /// The name under which the service appears: letters, digits, spaces, `-` and `_`.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.option("service_name", name)
    }

    /// The version of the service.
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.option("service_version", version)
    }

    /// Where the APM server listens, such as `http://127.0.0.1:8200`.
    pub fn server_url(self, url: impl Into<String>) -> Self {
        self.option("server_url", url)
    }

    /// Any option of docs/configuration.md, in the text form that its environment variable takes.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.code.insert(key.into(), value.into());
        self
    }

    /// Reads the environment variables `ELASTIC_APM_…`, which beat what the code says.
    ///
    /// # Errors
    /// When the code set an option that does not exist.
    pub fn from_env(mut self) -> Result<Self, ConfigError> {
        for (key, value) in std::env::vars_os() {
            let (Some(key), Some(value)) = (key.to_str(), value.to_str()) else {
                continue;
            };
            if let Some(option) = key.strip_prefix("ELASTIC_APM_") {
                self.environment
                    .insert(option.to_ascii_lowercase(), value.to_owned());
            }
        }
        Ok(self)
    }

    /// Starts the agent. Never fails and never blocks: an agent that cannot work says so in the log and records nothing.
    #[must_use = "the handle is needed for the middleware, and to shut the agent down"]
    pub fn start(self) -> Agent {
        Agent::start(self.settings())
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::read(|key| {
            self.environment
                .get(key)
                .or_else(|| self.code.get(key))
                .cloned()
        })
    }
}
