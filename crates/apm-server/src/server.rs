//! Start and stop: the sockets, the database, the HTTP server on top.
//!
//! A server that listens beyond loopback without a secret token is refused unless it is told that this is
//! meant. Nothing is answered before the sockets are bound and the database is open.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use actix_server::Server as ActixServer;
use actix_web::dev::ServerHandle;
use actix_web::{rt, web};
use apm_store::{NameLimits, OpenError, Store, StoreOptions};
use tokio::sync::Notify;

use crate::config::{Config, SecretToken};
use crate::connections::{Connections, Limits};
use crate::http::{self, Credentials, Shared};
use crate::insight;
use crate::listen::{self, Door};
use crate::tls;

/// Connections of a worker that are about to end, beyond the limit of those that are open.
const SLACK: usize = 16;

/// Threads of a worker for queries and imports. More would only wait for a connection to the database, and each takes
/// memory.
const BLOCKING_THREADS: usize = 16;

/// Why a server did not start. Each message names the option to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// `listen` is not a host and a port.
    #[error(
        "cannot understand the address `{listen}`: give --apm-listen as HOST:PORT, such as 127.0.0.1:8200"
    )]
    Address {
        /// The address that was given.
        listen: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// Anyone on the network could read and write telemetry.
    #[error(
        "refusing to listen on {address} without a secret token, as any machine that reaches it could read all \
         telemetry: set --apm-secret-token, --apm-secret-token-file or --apm-api-key-file, or --insecure if that is meant"
    )]
    Exposed {
        /// The address that is not loopback.
        address: SocketAddr,
    },
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: choose another address with --apm-listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The secret token or the API keys could not be read.
    #[error("cannot read the secrets: {0}")]
    Credentials(String),
    /// The certificate or its key could not be used.
    #[error("cannot encrypt connections with --apm-tls-cert and --apm-tls-key: {0}")]
    Tls(String),
    /// The database could not be opened.
    #[error("cannot open the telemetry database given with --apm-database")]
    Database(#[from] OpenError),
    /// The worker threads could not be started.
    #[error("cannot start the server's threads")]
    Threads(#[source] io::Error),
}

/// The server, before it runs.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the database, binds the sockets and starts to answer. To be called within an actix `System`.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left behind but, possibly, a new database file.
    pub fn start(config: Config) -> Result<Running, StartError> {
        let credentials = Credentials::open(&config).map_err(StartError::Credentials)?;
        let own_token = credentials.own().cloned();
        let tls = config.tls.as_ref().map(tls::config).transpose();
        let tls = tls.map_err(StartError::Tls)?;
        let addresses = resolve(&config)?;
        let listeners = bind(&addresses)?;
        let addrs = listeners
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<Vec<_>, _>>()
            .map_err(StartError::Threads)?;
        let mut options = StoreOptions::new(&config.database);
        options.durability = config.durability;
        options.max_size = Some(config.max_size);
        options.names = NameLimits::new(config.max_names);
        options.raw_max_age = Some(config.max_age);
        options.rollup_max_age = Some(config.rollup_max_age);
        let store = Store::open(options)?;
        let looking = insight::Options {
            files: config.explain.iter().cloned().collect(),
            days: i64::try_from(config.rollup_max_age.as_secs() / 86_400).unwrap_or(i64::MAX),
            ..insight::Options::default()
        };
        let engine = insight::Engine::start(store.clone(), looking).map_err(StartError::Threads)?;
        let is_exposed = addrs.iter().any(|addr| !is_loopback(addr));
        let connections = Connections::new(limits(&config));
        let watched = Arc::clone(&connections);
        let shared = Shared::new(config.clone(), &store, credentials, watched, is_exposed);
        let shared = web::Data::new(shared);
        let mounted = shared.clone();
        let app_store = web::Data::new(store.clone());
        let app = move || http::app(mounted.clone(), app_store.clone());
        let stopping = Arc::<Notify>::default();
        let is_https = tls.is_some();
        let door = Door::new(connections, tls, &config);
        let builder = ActixServer::build()
            .workers(config.workers)
            // Never met: which connections there may be is decided when they open.
            .max_concurrent_connections(config.max_connections + SLACK)
            .worker_max_blocking_threads(BLOCKING_THREADS)
            .shutdown_timeout(config.shutdown_timeout.as_secs())
            .disable_signals();
        let idle = config.idle_timeout;
        let server = listen::listen(builder, listeners, &door, idle, &stopping, app);
        let server = server.map_err(StartError::Threads)?;
        let handle = server.handle();
        rt::spawn(server);
        Ok(Running {
            own_token,
            is_https,
            stopping,
            handle,
            addrs,
            shared,
            engine,
            store,
        })
    }
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    own_token: Option<SecretToken>,
    is_https: bool,
    /// Tells idle connections to end.
    stopping: Arc<Notify>,
    handle: ServerHandle,
    addrs: Vec<SocketAddr>,
    shared: web::Data<Shared>,
    engine: insight::Engine,
    store: Store,
}

impl Running {
    /// The address on which it listens; the first one if there are several.
    pub fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    /// All addresses on which it listens.
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// The address of its pages.
    pub fn url(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.addr())
    }

    /// The secret token for an agent in this process; `None` if none is needed. It allows nothing but to
    /// send events and to ask for settings, and ends with the server.
    pub fn own_token(&self) -> Option<&str> {
        self.own_token.as_ref().map(SecretToken::expose)
    }

    /// Stops it: no new requests, then (if `graceful`) the ones in flight, then the writer, which commits what
    /// it has taken.
    pub async fn stop(self, graceful: bool) {
        self.shared.end_streams();
        self.stopping.notify_waiters();
        self.handle.stop(graceful).await;
        let closed = rt::task::spawn_blocking(move || {
            drop(self.engine);
            self.store.close();
        })
        .await;
        if closed.is_err() {
            log::error!("the telemetry database was not closed in order");
        }
    }
}

/// The limits of connections. With a secret token, one in eight is left for those who have it.
fn limits(config: &Config) -> Limits {
    let all = config.max_connections.max(1);
    Limits {
        all,
        per_address: config.max_connections_per_address.max(1),
        reserved: if config.is_guarded() { all / 8 } else { 0 },
    }
}

/// The addresses that `listen` stands for, none of which is exposed without consent.
fn resolve(config: &Config) -> Result<Vec<SocketAddr>, StartError> {
    let listen = || config.listen.clone();
    let addresses: Vec<_> = config
        .listen
        .to_socket_addrs()
        .map_err(|source| StartError::Address {
            listen: listen(),
            source,
        })?
        .collect();
    if addresses.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "it stands for no address");
        return Err(StartError::Address {
            listen: listen(),
            source,
        });
    }
    let exposed = addresses.iter().find(|address| !is_loopback(address));
    match exposed {
        Some(&address) if !config.is_guarded() && !config.insecure => {
            Err(StartError::Exposed { address })
        }
        _ => Ok(addresses),
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Binds every address. With port 0 and several addresses, all get the port of the first.
fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::<TcpListener>::new();
    for &address in addresses {
        let mut address = address;
        if address.port() == 0
            && let Some(first) = listeners.first()
        {
            address.set_port(first.local_addr().map_err(StartError::Threads)?.port());
        }
        match TcpListener::bind(address) {
            Ok(listener) => listeners.push(listener),
            // `localhost` stands for ::1 on machines that have no IPv6.
            Err(source)
                if source.kind() == io::ErrorKind::AddrNotAvailable && addresses.len() > 1 => {}
            Err(source) => return Err(StartError::Listen { address, source }),
        }
    }
    match listeners.is_empty() {
        true => Err(StartError::Listen {
            address: addresses[0],
            source: io::ErrorKind::AddrNotAvailable.into(),
        }),
        false => Ok(listeners),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretToken;

    fn config(listen: &str) -> Config {
        Config {
            listen: listen.to_owned(),
            ..Config::default()
        }
    }

    #[test]
    fn beyond_loopback_a_token_or_consent_is_needed() {
        let open = config("0.0.0.0:0");
        let error = resolve(&open).expect_err("refused").to_string();
        assert!(
            error.contains("--apm-secret-token") && error.contains("--insecure"),
            "{error}"
        );
        assert!(
            resolve(&Config {
                insecure: true,
                ..open.clone()
            })
            .is_ok()
        );
        assert!(
            resolve(&Config {
                secret_token: SecretToken::new("t"),
                ..open
            })
            .is_ok()
        );
        assert!(resolve(&config("[::1]:0")).is_ok());
        assert!(resolve(&config("[::ffff:127.0.0.1]:0")).is_ok());
    }

    #[test]
    fn an_address_that_is_none_names_the_option() {
        for bad in ["8200", "", "host:port", "127.0.0.1:99999"] {
            let error = resolve(&config(bad)).expect_err(bad).to_string();
            assert!(error.contains("--apm-listen"), "{error}");
        }
    }

    #[test]
    fn a_port_in_use_names_the_option() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = bind(&[taken.local_addr().unwrap()])
            .expect_err("taken")
            .to_string();
        assert!(error.contains("--apm-listen"), "{error}");
    }
}
