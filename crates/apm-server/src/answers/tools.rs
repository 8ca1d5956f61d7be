//! Settings that answers need besides the store.

use std::path::PathBuf;
use std::sync::Arc;

use apm_output::Output;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::insight::Files;
use crate::insight::console::{self, ConsoleError, Limits};

/// Questions of the console that may run at a time: each may take a core for its whole time limit.
const AT_ONCE: usize = 2;

/// Settings that answers need besides the store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The telemetry database, for the console.
    pub(crate) database: PathBuf,
    /// Database files by service, for plans.
    pub(crate) files: Arc<Files>,
    /// Host and port at which OTLP is taken over HTTP, besides the server's own port.
    pub(crate) otlp_http: Option<String>,
    /// Host and port at which OTLP is taken over gRPC.
    pub(crate) otlp_grpc: Option<String>,
    /// An address of a service in the same process.
    pub(crate) call_first: Option<String>,
    /// Whether whoever sends events needs a secret.
    pub(crate) needs_secret: bool,
    /// The output to an engine, where there is one.
    pub(crate) output: Option<Arc<Output>>,
    /// The options of alerts.
    pub(crate) alerts: Arc<apm_alerts::Options>,
    at_once: Arc<Semaphore>,
}

impl Settings {
    /// From the server's configuration; of all workers together.
    pub fn from_config(config: &Config) -> Self {
        Self {
            database: config.database.clone(),
            files: Arc::new(config.explain.iter().cloned().collect()),
            otlp_http: config.otlp_listen.clone(),
            otlp_grpc: config.otlp_grpc_listen.clone(),
            call_first: config.call_first.clone(),
            needs_secret: config.is_guarded(),
            output: None,
            alerts: Arc::new(config.alerts.clone()),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Runs a question of the console, on the calling thread, within a read of the store.
    pub(crate) fn run(&self, sql: &str) -> Result<console::Table, ConsoleError> {
        // Refused at once: waiting would hold a thread that other questions need.
        let Ok(_permit) = self.at_once.try_acquire() else {
            return Err(ConsoleError::Locked);
        };
        console::run(&self.database, sql, Limits::default())
    }
}
