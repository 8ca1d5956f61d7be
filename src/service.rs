//! The service as something that starts on a port and stops.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpServer};
use apm_agent::Agent;
use tokio::runtime::Handle;

use crate::cli::ServiceOptions;
use crate::db::{Database, DbError, OpenError};
use crate::error::body;
use crate::process::connections_per_worker;
use crate::routes::{State, configure};
use crate::upstream::Address;
use crate::{strategy, watch};

/// The longest time that requests in flight may take when the service stops.
const SHUTDOWN_TIMEOUT_S: u64 = 3;
/// Connections beyond the workers, for requests that arrive while others wait for SQLite's write lock.
const SPARE_CONNECTIONS: u32 = 6;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error("cannot listen on {addr} (--listen, LISTEN)")]
    Listen {
        addr: String,
        source: std::io::Error,
    },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot prepare the database for --sql-group")]
    Strategy(#[from] DbError),
}

/// The service, listening.
#[derive(Debug)]
pub struct Service {
    /// Its address; the port is the real one when 0 was asked for.
    pub addr: SocketAddr,
    /// Its database, for the metrics of the agent.
    pub database: Database,
    handle: ServerHandle,
}

impl Service {
    /// Opens the database, takes the port and begins to serve. Belongs inside an actix system, and heeds no signals.
    pub fn start(options: &ServiceOptions, agent: &Agent) -> Result<Self, StartError> {
        let listen_error = |source| StartError::Listen {
            addr: options.listen.clone(),
            source,
        };
        // The port comes first: a second start on it leaves the database alone.
        let listener = TcpListener::bind(&options.listen).map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        let workers = workers(options);
        let size = u32::try_from(workers)
            .unwrap_or(u32::MAX)
            .saturating_add(SPARE_CONNECTIONS);
        let database = Database::open(&options.database, size, Some(agent))?;
        let upstream_url = options
            .upstream_url
            .clone()
            .unwrap_or_else(|| format!("http://{}/people", reachable(addr)));
        strategy::apply(&mut *database.conn()?, options.sql_group).map_err(DbError::from)?;
        watch::start(database.clone(), agent);
        let state = State {
            database: database.clone(),
            upstream: Address::new(&upstream_url),
            sql_group: options.sql_group,
        };
        let agent = agent.clone();
        let server = HttpServer::new(move || {
            // Each worker has a runtime of its own.
            agent.metrics().observe_tokio(&Handle::current());
            App::new()
                .configure(|config| configure(config, &state))
                // The last one wrapped is the outermost: the agent sees everything but this translation into JSON.
                .wrap(agent.middleware().catch_panics(true))
                .wrap(from_fn(errors_as_json))
        })
        .workers(workers)
        .max_connections(connections_per_worker(workers))
        .shutdown_timeout(SHUTDOWN_TIMEOUT_S)
        // A client that has closed its side wants no answer.
        .h1_allow_half_closed(false)
        // Actix would answer a signal by stopping the whole system, and with it the APM server that waits for the last
        // events.
        .disable_signals()
        .listen(listener)
        .map_err(listen_error)?
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Self {
            addr,
            database,
            handle,
        })
    }

    /// Takes no more requests, and waits for those in flight, for 3 s at most.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// Threads that serve requests.
pub fn workers(options: &ServiceOptions) -> usize {
    let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    options.workers.map_or_else(cores, usize::from)
}

/// An address to which this process can connect when it listens on all of them.
pub fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    addr
}

/// The same for the host and the port of an option; a host name stays as it is.
pub fn reachable_name(listen: &str) -> String {
    listen.parse().map_or_else(
        |_| listen.to_owned(),
        |address| reachable(address).to_string(),
    )
}

/// Gives what failed outside a handler, as a panic, the body that the service's errors have.
async fn errors_as_json(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    next.call(request).await.map_err(|error| {
        let response = body(error.as_response_error().status_code(), &error);
        InternalError::from_response(error, response).into()
    })
}
