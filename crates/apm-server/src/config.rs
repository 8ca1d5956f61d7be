//! The server's options.
//!
//! Every field has a default that suits one developer on one machine; the command line of the root package
//! maps its `--apm-*` options onto these.

mod base_path;
mod network;
mod rum;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use apm_store::Durability;
pub use base_path::BasePath;
pub use network::Network;
pub use rum::{ClientAddress, Rum};

/// The server's options: where it listens, what it keeps, and for how long.
///
/// ```
/// let mut config = apm_server::Config::default();
/// config.listen = "127.0.0.1:0".to_owned();
/// config.database = "apm.db".into();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Host and port; every address that the host stands for is bound. Port 0: any free one.
    pub listen: String,
    /// Host and port of another listener, for OTLP over HTTP alone. `None`: no such listener. OTLP is taken at
    /// `listen`, too.
    pub otlp_listen: Option<String>,
    /// Host and port of a listener for OTLP over gRPC. `None`: no such listener.
    pub otlp_grpc_listen: Option<String>,
    /// Origins of pages that may send OTLP from a browser, such as `https://shop.example`.
    pub otlp_origins: Vec<String>,
    /// The terms on which events of browsers' agents are taken. `None`: they are not taken.
    pub rum: Option<Rum>,
    /// The database file; made where there is none.
    pub database: PathBuf,
    /// The token that agents send as `Authorization: Bearer …`, and that the pages ask for.
    pub secret_token: Option<SecretToken>,
    /// A file with the secret token, read again when it changes. It stands before `secret_token`.
    pub secret_token_file: Option<PathBuf>,
    /// A file of API keys, read again when it changes (see [`crate::api_keys`]).
    pub api_key_file: Option<PathBuf>,
    /// Encrypts connections.
    pub tls: Option<TlsFiles>,
    /// Whether to listen beyond loopback without a secret token.
    pub insecure: bool,
    /// Names besides those of this machine under which it is reached, without ports. With none, a server on loopback
    /// answers to this machine's names alone, and one beyond loopback to any. `.example.com` stands for all names
    /// below it, `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `Forwarded` and `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The path before that of every route in the addresses that clients use. A proxy may take it off or leave
    /// it.
    pub base_path: BasePath,
    /// Whether an acknowledged event survives a power loss, or only the end of the process.
    pub durability: Durability,
    /// Size of the data files together, bytes, beyond which the oldest events go.
    pub max_size: u64,
    /// The limit of different names of each kind in one service (transactions, statements, destinations, errors,
    /// metrics); what is beyond is counted as `_other`. 0: no limit.
    pub max_names: usize,
    /// The age at which events are deleted, from their arrival.
    pub max_age: Duration,
    /// The part of `max_size`, in percent, that traces may take which are kept beyond the newest events: failed, slow
    /// and pinned ones, samples of statements. At most 50; 0: none.
    pub keep: u8,
    /// The time that a search of documents may take; its page then says that it is not complete.
    pub search_time: Duration,
    /// Whether traces are sampled once they are complete, and by which rules.
    pub tail: Option<apm_store::TailSampling>,
    /// The age at which rollups are deleted, and kept traces that are not pinned.
    pub rollup_max_age: Duration,
    /// Longest line, bytes, terminator included.
    pub max_event_size: usize,
    /// Largest body of OTLP, bytes, before and after decompression.
    pub max_export_size: usize,
    /// Most connections that are open, each of which takes two of the process's open files. With more, idle ones are
    /// closed.
    pub max_connections: usize,
    /// Of these, most from one address (in IPv6: one network of 2⁶⁴) that is neither of this machine nor in
    /// [`trusted_proxies`](Self::trusted_proxies).
    pub max_connections_per_address: usize,
    /// Most bodies of events that are open at the same time.
    pub max_streams: usize,
    /// Threads that answer requests.
    pub workers: usize,
    /// Longest time for what is small: the head of the first request of a connection, the body of one that is not
    /// events, a line of events, and a TLS handshake, which has 10 s at most in any case.
    pub read_timeout: Duration,
    /// Longest time that a body of events, or an uploaded file, may take as a whole. Agents keep a request open
    /// between events.
    pub body_timeout: Duration,
    /// The longest time that a caller may leave unread what waits for it.
    pub write_timeout: Duration,
    /// The time for which an idle connection is kept open.
    pub idle_timeout: Duration,
    /// The longest time that requests in flight may take to finish on a graceful stop.
    pub shutdown_timeout: Duration,
    /// The engine to which all events are sent, too.
    pub output: Option<apm_output::Config>,
    /// Rules and receivers of alerts. Its `url` is made from `listen` where it is empty.
    pub alerts: apm_alerts::Options,
    /// Services whose SQLite file may be asked how it would answer their statements: name and file. It is only read.
    pub explain: Vec<(String, PathBuf)>,
    /// An address of a service in the same process, which the pages say to call as long as nothing has come.
    pub call_first: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8200".to_owned(),
            otlp_listen: None,
            otlp_grpc_listen: None,
            otlp_origins: Vec::new(),
            rum: None,
            database: "apm.db".into(),
            secret_token: None,
            secret_token_file: None,
            api_key_file: None,
            tls: None,
            insecure: false,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            base_path: BasePath::default(),
            durability: Durability::Normal,
            max_size: 1 << 30,
            max_names: apm_store::NAMES,
            max_age: Duration::from_hours(7 * 24),
            keep: 20,
            search_time: apm_store::SEARCH_TIME,
            tail: None,
            rollup_max_age: Duration::from_hours(90 * 24),
            max_event_size: 300 * 1024,
            max_export_size: 16 << 20,
            max_connections: 512,
            max_connections_per_address: 128,
            max_streams: 256,
            workers: 2,
            read_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(3600),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(45),
            shutdown_timeout: Duration::from_secs(4),
            output: None,
            alerts: apm_alerts::Options::default(),
            explain: Vec::new(),
            call_first: None,
        }
    }
}

impl Config {
    /// Whether a secret is needed.
    pub(crate) fn is_guarded(&self) -> bool {
        self.secret_token.is_some()
            || self.secret_token_file.is_some()
            || self.api_key_file.is_some()
    }
}

/// PEM files for encrypted connections, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that lead to an authority, in this order.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
}

/// A secret that does not show in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// Bytes of a file with a token, at most.
    pub const LARGEST_FILE: u64 = 4096;

    /// Takes any text but the empty one, which is no secret. Blanks around it, such as the end of a line, are left out:
    /// no header can carry them.
    pub fn new(token: impl Into<String>) -> Option<Self> {
        let token = token.into();
        let token = token.trim();
        (!token.is_empty()).then(|| Self(token.to_owned()))
    }

    /// The text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_token_does_not_show_when_printed() {
        let config = Config {
            secret_token: SecretToken::new("hush"),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("hush"));
        assert_eq!(SecretToken::new(""), None);
        assert_eq!(SecretToken::new(" \n"), None);
        assert_eq!(SecretToken::new("hush\r\n"), SecretToken::new("hush"));
    }
}
