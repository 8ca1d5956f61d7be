//! Setting up an agent: what the code says, what the environment says, start.

use super::{Agent, AgentGuard};
use crate::config::{Config, LocalSources};

/// Why the environment cannot be read. An invalid value of an option is no such error: it is reported in the log when the agent
/// starts, and the next source counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A variable of ours is not Unicode.
    #[error("the environment variable {0} is not valid Unicode: set it again, or remove it")]
    NotUnicode(String),
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
#[derive(Debug, Default)]
#[must_use = "call `start`"]
pub struct Builder {
    sources: LocalSources,
}

impl Builder {
    /// The name under which the service appears: letters, digits, spaces, `-` and `_`.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.option("service_name", name)
    }

    /// The version of the service, such as `env!("CARGO_PKG_VERSION")`.
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.option("service_version", version)
    }

    /// Where the APM server listens, such as `http://127.0.0.1:8200`.
    pub fn server_url(self, url: impl Into<String>) -> Self {
        self.option("server_url", url)
    }

    /// Any option of docs/configuration.md, in the text form that its environment variable takes. The last value of an option counts.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.sources.code.push((key.into(), value.into()));
        self
    }

    /// Reads the environment variables `ELASTIC_APM_…`, which beat what the code says, and takes the executable's name for the service's
    /// where nobody gives one.
    ///
    /// # Errors
    /// When one of these variables is not Unicode.
    pub fn from_env(mut self) -> Result<Self, ConfigError> {
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("ELASTIC_APM_") && value.to_str().is_none() {
                return Err(ConfigError::NotUnicode(name.into_owned()));
            }
        }
        let LocalSources {
            environment,
            detected,
            ..
        } = LocalSources::from_process();
        self.sources.environment = environment;
        self.sources.detected = detected;
        Ok(self)
    }

    /// Starts the agent. Never fails and never blocks: an agent that cannot work says so in the log and records nothing.
    ///
    /// Keep what it returns until the end of `main`: see [`AgentGuard`]. Hooks for panics that end the process are best set
    /// before.
    pub fn start(self) -> AgentGuard {
        let (config, warnings) = self.resolve();
        AgentGuard::new(Agent::start(config, &warnings))
    }

    /// The configuration, and what is wrong with it.
    pub(crate) fn resolve(self) -> (Config, Vec<String>) {
        Config::resolve(self.sources)
    }
}
