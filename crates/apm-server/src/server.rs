//! Start and stop: the sockets, the database, the HTTP server on top.
//!
//! A server that listens beyond loopback without a secret token is refused unless it is told that this is
//! meant. Nothing is answered before the sockets are bound and the database is open.

mod bind;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_server::Server as ActixServer;
use actix_web::dev::ServerHandle;
use actix_web::{rt, web};
use apm_alerts::{Alerts, Lag, OutputProbe};
use apm_output::Output;
use apm_store::{NameLimits, OpenError, Store, StoreOptions};
use tokio::sync::Notify;

use self::bind::Bound;
use crate::config::{Config, SecretToken};
use crate::connections::{Connections, Limits};
use crate::http::{self, Credentials, Exposed, Shared};
use crate::listen::{self, Door};
use crate::{grpc, insight, shared, tls};

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
        "cannot understand the address `{listen}`: give {option} as HOST:PORT, such as 127.0.0.1:8200"
    )]
    Address {
        /// The option that names it.
        option: &'static str,
        /// The address that was given.
        listen: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// Anyone on the network could read and write telemetry.
    #[error(
        "refusing to listen on {address} without a secret token, as any machine that reaches it could read all \
         telemetry: set --apm-secret-token, --apm-secret-token-file or --apm-api-key-file, or --insecure if that is \
         meant"
    )]
    Exposed {
        /// The address that is not loopback.
        address: SocketAddr,
    },
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: choose another address with {option}")]
    Listen {
        /// The option that names it.
        option: &'static str,
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
    /// The output to Elasticsearch or OpenSearch could not be started.
    #[error(transparent)]
    Output(#[from] apm_output::StartError),
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
    pub fn start(mut config: Config) -> Result<Running, StartError> {
        let credentials = Credentials::open(&config).map_err(StartError::Credentials)?;
        let own_token = credentials.own().cloned();
        // Before SQLite is first used.
        if let Err(error) = sqlite_meter::bound_memory() {
            log::warn!("the memory of a statement on /sql and of a plan has no bound: {error}");
        }
        let tls = config.tls.as_ref().map(tls::config).transpose();
        let tls = tls.map_err(StartError::Tls)?;
        // A second server fails here, before it opens the database.
        let own = Bound::own(&config)?;
        let (listen, grpc) = (
            config.otlp_listen.as_deref(),
            config.otlp_grpc_listen.as_deref(),
        );
        let otlp = Bound::otlp(&config, "--apm-otlp-listen", listen)?;
        let grpc = Bound::otlp(&config, "--apm-otlp-grpc-listen", grpc)?;
        let receivers = Receivers {
            http: otlp.first(),
            grpc: grpc.first(),
        };
        // Handlers and pages read where it listens, and not where it was to listen.
        config.otlp_listen = receivers.http.map(|address| address.to_string());
        config.otlp_grpc_listen = receivers.grpc.map(|address| address.to_string());
        let mut options = StoreOptions::new(&config.database);
        options.durability = config.durability;
        options.max_size = Some(config.max_size);
        options.names = NameLimits::new(config.max_names);
        options.raw_max_age = Some(config.max_age);
        options.rollup_max_age = Some(config.rollup_max_age);
        options.keep = config.keep;
        options.search_time = config.search_time;
        options.tail = config.tail;
        options.keeps_unsent = config.output.is_some();
        options.shares_counts = config.output.is_some();
        let store = Store::open(options)?;
        let looking = insight::Options {
            files: config.explain.iter().cloned().collect(),
            days: i64::try_from(config.rollup_max_age.as_secs() / 86_400).unwrap_or(i64::MAX),
            ..insight::Options::default()
        };
        let engine = insight::Engine::start(store.clone(), looking).map_err(StartError::Threads)?;
        let output = config.output.clone();
        let output = output.map(|mut output| {
            // Several servers may be on one machine.
            output.server_name += &format!(":{}", own.addrs[0].port());
            output.kinds = shared::KINDS;
            output.take = Some(shared::take);
            output
        });
        let output = output.map(|output| Output::start(store.clone(), output).map(Arc::new));
        let output = output.transpose()?;
        let mut alerting = config.alerts.clone();
        if alerting.url.is_empty() {
            let scheme = if tls.is_some() { "https" } else { "http" };
            alerting.url = format!("{scheme}://{}{}", own.addrs[0], config.base_path);
        }
        alerting.output = output.clone().map(|output| {
            OutputProbe::new(move || {
                let lag = output.stats().lag;
                Lag {
                    events: lag.events,
                    time: lag.time,
                }
            })
        });
        let alerts = Alerts::start(store.clone(), alerting).map_err(StartError::Threads)?;
        let exposed = Exposed {
            pages: own.is_exposed(),
            otlp: otlp.is_exposed(),
        };
        let connections = Connections::new(limits(&config), config.trusted_proxies.clone());
        let watched = Arc::clone(&connections);
        let mut shared = Shared::new(
            config.clone(),
            &store,
            credentials,
            watched,
            exposed,
            alerts.clone(),
        );
        shared.answers.output.clone_from(&output);
        let shared = web::Data::new(shared);
        let mounted = shared.clone();
        let app_store = web::Data::new(store.clone());
        let app = move || http::app(mounted.clone(), app_store.clone());
        let stopping = Arc::<Notify>::default();
        let is_https = tls.is_some();
        let for_grpc = tls.as_deref().map(tls::for_grpc);
        let grpc_door = Door::new(Arc::clone(&connections), for_grpc, &config);
        let door = Door::new(connections, tls, &config);
        let builder = ActixServer::build()
            .workers(config.workers)
            // This limit is never reached: connections are limited when they open.
            .max_concurrent_connections(config.max_connections + SLACK)
            .worker_max_blocking_threads(BLOCKING_THREADS)
            .shutdown_timeout(config.shutdown_timeout.as_secs())
            .disable_signals();
        let idle = config.idle_timeout;
        let otlp_shared = shared.clone();
        let otlp_app = move || http::otlp_app(otlp_shared.clone());
        let addrs = own.addrs;
        let listening = listen::http(builder, own.listeners, &door, idle, &stopping, app)
            .and_then(|builder| {
                listen::http(builder, otlp.listeners, &door, idle, &stopping, otlp_app)
            })
            .and_then(|builder| {
                grpc::listen(builder, grpc.listeners, &grpc_door, &stopping, &shared)
            });
        let server = listening.map_err(StartError::Threads)?.run();
        let handle = server.handle();
        rt::spawn(server);
        Ok(Running {
            own_token,
            is_https,
            stopping,
            handle,
            addrs,
            receivers,
            shared,
            engine,
            output,
            alerts,
            store,
        })
    }
}

/// The addresses at which a server takes OTLP, besides its own port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    /// Over HTTP; the first address where there are several.
    pub http: Option<SocketAddr>,
    /// Over gRPC; the first address where there are several.
    pub grpc: Option<SocketAddr>,
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
    receivers: Receivers,
    shared: web::Data<Shared>,
    engine: insight::Engine,
    output: Option<Arc<Output>>,
    alerts: Alerts,
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

    /// The addresses at which it takes OTLP, besides its own port.
    pub fn receivers(&self) -> Receivers {
        self.receivers
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
        // Agents keep bodies of events open: requests in flight would be waited for in vain.
        self.shared.end_streams();
        self.stopping.notify_waiters();
        self.handle.stop(graceful).await;
        let closed = rt::task::spawn_blocking(move || {
            // Each of these may write to the store, which is closed last.
            drop(self.engine);
            if let Some(output) = self.output {
                output.stop();
            }
            self.alerts.stop();
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
