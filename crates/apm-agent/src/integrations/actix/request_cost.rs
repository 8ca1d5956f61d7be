//! Middleware that tells the browser what its request has cost; both are optional.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::integrations::request_cost::RequestCost;
use crate::integrations::request_cost::badge::{self, Page, Wanted};

static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Middleware that adds the header `Server-Timing` to responses: the trace's id, the number of queries and their time,
/// and the time until the answer began. Browsers show it beside the request, and scripts read it by
/// `PerformanceResourceTiming.serverTiming`.
///
/// Wrap it before [`Agent::middleware`](crate::Agent::middleware), so that it runs inside of a transaction. Everybody
/// who may send a request learns its trace's id and what it has cost: it is for services whose callers may know that.
///
/// ```
/// # fn example(agent: &apm_agent::Agent) {
/// let app = actix_web::App::new()
///     .wrap(apm_agent::actix::ServerTiming)
///     .wrap(agent.middleware());
/// # let _ = app; }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerTiming;

impl<S, B> Transform<S, ServiceRequest> for ServerTiming
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = ServerTimingService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ServerTimingService { service }))
    }
}

/// The service of [`ServerTiming`].
#[derive(Debug)]
pub struct ServerTimingService<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for ServerTimingService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = ServerTimingFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let cost = RequestCost::begin(false);
        ServerTimingFuture {
            future: self.service.call(request),
            cost,
        }
    }
}

pin_project! {
    /// The future of [`ServerTimingService`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct ServerTimingFuture<F> {
        #[pin]
        future: F,
        cost: Option<RequestCost>,
    }
}

impl<F, B> Future for ServerTimingFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = std::task::ready!(this.future.poll(task));
        if let (Ok(response), Some(cost)) = (&mut answer, this.cost.take())
            && let Ok(value) = HeaderValue::from_str(&cost.facts().header())
        {
            // A service may have timings of its own.
            response.headers_mut().append(SERVER_TIMING.clone(), value);
        }
        Poll::Ready(answer)
    }
}

/// Middleware for development: a badge on each page that says how long its request took and which queries it made, with
/// a link to its trace.
///
/// It is shown to browsers on the machine of the service, in builds with debug assertions; see
/// [`Badge::also_released`]. Pages that are streamed or compressed are left as they are: wrap it before
/// `middleware::Compress` and before [`Agent::middleware`](crate::Agent::middleware). A strict content policy of the
/// page may take its looks from it.
///
/// ```
/// # fn example(agent: &apm_agent::Agent) {
/// let app = actix_web::App::new()
///     .wrap(apm_agent::actix::Badge::new("http://127.0.0.1:8200"))
///     .wrap(agent.middleware());
/// # let _ = app; }
/// ```
#[derive(Clone, Debug)]
pub struct Badge {
    options: badge::Options,
}

impl Badge {
    /// A badge whose link leads to the pages of this server.
    #[must_use]
    pub fn new(pages: &str) -> Self {
        Self {
            options: badge::Options::new(pages),
        }
    }

    /// Shows it in builds without debug assertions, too; still to this machine alone.
    #[must_use]
    pub fn also_released(mut self, also: bool) -> Self {
        self.options.also_released = also;
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for Badge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B, Bytes>>;
    type Error = Error;
    type Transform = BadgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(BadgeService {
            service,
            badge: self.options.clone(),
        }))
    }
}

/// The service of [`Badge`].
#[derive(Debug)]
pub struct BadgeService<S> {
    service: S,
    badge: badge::Options,
}

impl<S, B> Service<ServiceRequest> for BadgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B, Bytes>>;
    type Error = Error;
    type Future = BadgeFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let wanted = self.badge.begin(request.method().as_str(), peer, |name| {
            request.headers().contains_key(name)
        });
        BadgeFuture {
            future: self.service.call(request),
            wanted,
        }
    }
}

pin_project! {
    /// The future of [`BadgeService`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct BadgeFuture<F> {
        #[pin]
        future: F,
        wanted: Option<Wanted>,
    }
}

impl<F, B> Future for BadgeFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B, Bytes>>, Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = std::task::ready!(this.future.poll(task))?;
        Poll::Ready(Ok(match this.wanted.take() {
            Some(wanted) if is_page(&response) => with_badge(response, &wanted),
            _ => response.map_into_left_body(),
        }))
    }
}

fn is_page<B: MessageBody>(response: &ServiceResponse<B>) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE);
    let page = Page {
        status: response.status().as_u16(),
        content_type: kind.map_or(b"", |kind| kind.as_bytes()),
        is_encoded: headers.contains_key(header::CONTENT_ENCODING),
        size: match response.response().body().size() {
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::None | BodySize::Stream => None,
        },
    };
    page.takes_badge()
}

fn with_badge<B: MessageBody>(
    response: ServiceResponse<B>,
    wanted: &Wanted,
) -> ServiceResponse<EitherBody<B, Bytes>> {
    let mut changed = false;
    let mut response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(page) => {
            changed = true;
            EitherBody::right(Bytes::from(badge::insert(&page, &wanted.html())))
        }
        // A body of a known size may still come in parts.
        Err(body) => EitherBody::left(body),
    });
    if changed {
        // These are of the page without its badge.
        for name in [header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED] {
            response.headers_mut().remove(name);
        }
    }
    response
}
