//! The options of alerts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::receiver::Receiver;
use crate::rule::Rule;

/// The options of alerts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Rules of the configuration file.
    pub rules: Vec<Rule>,
    /// Receivers of the configuration file.
    pub receivers: Vec<Receiver>,
    /// The mail server; `None`: no emails are sent.
    pub smtp: Option<Smtp>,
    /// Networks that are not public, to which receivers of the page may lead all the same.
    pub networks: Vec<IpNet>,
    /// The address at which readers reach the pages, for links in messages: scheme, host, and the path before that of
    /// the pages.
    pub url: String,
    /// The lag of the output to an engine; `None`: there is no output.
    pub output: Option<OutputProbe>,
    /// Between two evaluations.
    pub look: Duration,
    /// Pauses between attempts to deliver a message.
    pub retries: Vec<Duration>,
    /// The longest time of an attempt.
    pub timeout: Duration,
}

/// The events that wait to be sent to an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Their number, at most.
    pub events: u64,
    /// The time for which the first of them has waited.
    pub time: Duration,
}

/// Reads how far the output to an engine is behind.
#[derive(Clone)]
pub struct OutputProbe(Arc<dyn Fn() -> Lag + Send + Sync>);

impl OutputProbe {
    /// From what reads it; that must not block.
    pub fn new(read: impl Fn() -> Lag + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Lag {
        (self.0)()
    }
}

impl fmt::Debug for OutputProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutputProbe")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            receivers: Vec::new(),
            smtp: None,
            networks: Vec::new(),
            url: String::new(),
            output: None,
            look: Duration::from_secs(10),
            retries: [5, 30, 120, 600, 1_800].map(Duration::from_secs).to_vec(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// The mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// `smtps://USER:PASSWORD@HOST` (encrypted from the start), `smtp://…?tls=required` (STARTTLS) or `smtp://…`.
    pub url: String,
    /// The sender.
    pub from: String,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp(from {})", self.from)
    }
}
