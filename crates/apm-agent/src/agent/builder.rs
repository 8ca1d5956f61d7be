//! Setting up an agent: what the code says, what the environment says, start.

mod setters;

use super::{Agent, AgentGuard};
use crate::config::{Config, LocalSources};

/// Why the environment cannot be read. An invalid value of an option is no such error: it is reported in the log when
/// the agent starts, and the next source counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A variable of ours is not Unicode.
    #[error("the environment variable {0} is not valid Unicode: set it again, or remove it")]
    NotUnicode(String),
}

/// Collects settings, of which all have a default. It does not matter in which order they are set: the environment
/// beats what the code says, and central configuration beats both.
///
/// There is a method per option. What it is given is checked when the agent starts: a value that is not valid is
/// reported in the log, and the next source counts.
///
/// ```
/// # use std::time::Duration;
/// # fn example() -> Result<(), apm_agent::ConfigError> {
/// let agent = apm_agent::Agent::builder()
///     .service_name("my-app-01")
///     .api_request_time(Duration::from_secs(1))
///     .transaction_ignore_urls(["/health*", "/metrics"])
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
    /// Sets an option by its name, to a text as its environment variable takes it: for settings that the service reads
    /// itself, as from a file of its own. Where the name is known, use its method. The last value of an option counts.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.sources.code.push((key.into(), value.into()));
        self
    }

    /// Reads the environment variables `ELASTIC_APM_…`, which beat what the code says, whether it says it before or
    /// behind this call. Where nobody gives the service a name, it takes that of the executable.
    ///
    /// # Errors
    /// [`ConfigError::NotUnicode`] when one of these variables is not Unicode.
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

    /// Starts the agent. Never fails and never blocks: an agent that cannot work says so in the log and records
    /// nothing.
    ///
    /// Keep what it returns until the end of `main`: see [`AgentGuard`]. Hooks for panics that end the process are best
    /// set before.
    pub fn start(self) -> AgentGuard {
        let (config, warnings) = self.resolve();
        AgentGuard::new(Agent::start(config, &warnings))
    }

    /// The configuration, and what is wrong with it.
    pub(crate) fn resolve(self) -> (Config, Vec<String>) {
        Config::resolve(self.sources)
    }
}
