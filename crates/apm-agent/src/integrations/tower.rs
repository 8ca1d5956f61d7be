//! Layers for services and clients that are made of `tower`: axum, tonic, hyper.
//!
//! [`ApmLayer`] makes a transaction of each request. It begins before the service is called, is current in everything
//! that runs for the request, and ends when the response's body does, with its trailers. Where the same request meets
//! the layer again, as on a router inside of another, no second transaction begins: the inner layer says which route
//! was chosen. [`ApmClientLayer`] makes an exit span of each request that a client sends.

mod badge;
mod body;
mod carrier;
mod client;
mod forwarded;
mod future;
mod grpc;
mod headers;
mod request;
mod timing;

use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{Extensions, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::agent::Agent;
use crate::recording::recorder::RecorderHandle;

pub use badge::{Badge, BadgeBody, BadgeFuture, BadgeService};
pub use body::ApmBody;
pub use client::{ApmClientBody, ApmClientFuture, ApmClientLayer, ApmClientService};
pub use future::ApmFuture;
use grpc::Methods;
use request::Recorded;
pub use timing::{ServerTiming, ServerTimingFuture, ServerTimingService};

/// A layer that records a transaction per request. Put it outside of the others that you want to see.
///
/// A request to axum is named after its route (`GET /people/{id}`) if the layer is added by `Router::layer` and the
/// feature `axum` is there; for other routers see [`ApmLayer::route`]. A call by gRPC is named after its method.
/// Everything else is `GET unknown route`, never the raw path.
///
/// ```
/// # use std::convert::Infallible;
/// use tower::{ServiceBuilder, service_fn};
///
/// # fn example(agent: &apm_agent::Agent) {
/// let service = ServiceBuilder::new()
///     .layer(apm_agent::tower::ApmLayer::new(agent))
///     .service(service_fn(async |_: http::Request<String>| {
///         Ok::<_, Infallible>(http::Response::new("hello".to_owned()))
///     }));
/// # }
/// ```
///
/// Bodies of requests are not recorded, whatever `capture_body` says: the type of the body is the service's.
#[derive(Clone, Debug)]
pub struct ApmLayer {
    /// Keeps the agent running.
    _agent: Agent,
    recorder: RecorderHandle,
    catch_panics: bool,
    facts: Facts,
    methods: Arc<Methods>,
}

/// The ways in which a request's extensions tell of it.
#[derive(Clone, Copy, Debug)]
struct Facts {
    route: fn(&Extensions) -> Option<&str>,
    peer: fn(&Extensions) -> Option<IpAddr>,
}

impl ApmLayer {
    /// The layer with its defaults, for an agent that runs.
    #[must_use]
    pub fn new(agent: &Agent) -> Self {
        Self {
            _agent: agent.clone(),
            recorder: RecorderHandle::new(agent.recorder()),
            catch_panics: agent.recorder().config.load().catch_panics,
            facts: Facts {
                route: matched_path,
                peer: |_| None,
            },
            methods: Arc::default(),
        }
    }

    /// Answers 500 when a handler panics. Without it the connection is closed with no answer, which also ends the other
    /// requests on it. The panic is recorded either way.
    #[must_use]
    pub fn catch_panics(mut self, catch: bool) -> Self {
        self.catch_panics = catch;
        self
    }

    /// Names requests after the route that a router has put into their extensions. The router must have done that
    /// before the layer is called.
    ///
    /// ```
    /// # fn example(agent: &apm_agent::Agent) {
    /// #[derive(Clone)]
    /// struct Route(&'static str);
    ///
    /// let layer = apm_agent::tower::ApmLayer::new(agent)
    ///     .route(|extensions| extensions.get::<Route>().map(|route| route.0));
    /// # }
    /// ```
    #[must_use]
    pub fn route(mut self, route: fn(&Extensions) -> Option<&str>) -> Self {
        self.facts.route = route;
        self
    }

    /// Finds the address at the other end of the connection in a request's extensions, such as axum's `ConnectInfo` and
    /// tonic's `TcpConnectInfo`. Without it no address is recorded.
    #[must_use]
    pub fn peer_address(mut self, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.facts.peer = peer;
        self
    }
}

/// The route that axum has chosen.
#[cfg(feature = "axum")]
fn matched_path(extensions: &Extensions) -> Option<&str> {
    let path = extensions.get::<axum::extract::MatchedPath>()?;
    Some(path.as_str())
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &Extensions) -> Option<&str> {
    None
}

impl<S> Layer<S> for ApmLayer {
    type Service = ApmService<S>;

    fn layer(&self, service: S) -> Self::Service {
        ApmService {
            service,
            apm: self.clone(),
        }
    }
}

/// A service whose requests are recorded; see [`ApmLayer`].
#[derive(Clone, Debug)]
pub struct ApmService<S> {
    service: S,
    apm: ApmLayer,
}

impl<S, B, R> Service<Request<B>> for ApmService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Debug + Display,
    R: Body,
{
    type Response = Response<ApmBody<R>>;
    type Error = S::Error;
    type Future = ApmFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let catch = self.apm.catch_panics;
        let Some(mut recorded) = Recorded::begin(&self.apm, &mut request) else {
            return ApmFuture::new(self.service.call(request), None, catch);
        };
        // Some services do their work here, and not in the future that they return.
        let future = recorded.run(|| self.service.call(request), |_| true);
        ApmFuture::new(future, Some(recorded), catch)
    }
}
