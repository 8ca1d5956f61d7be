//! A layer for development that puts a badge on each page; it is optional.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::header::{self, HeaderValue};
use ::http::{Extensions, HeaderMap, Request, Response};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::integrations::request_cost::badge::{self, Wanted};

/// A layer for development: a badge on each page that says how long its request took and which queries it made, with a
/// link to its trace.
///
/// It is shown to browsers on the machine of the service, in builds with debug assertions; see
/// [`Badge::also_released`]. Put it inside of [`ApmLayer`](super::ApmLayer), so that it runs within a transaction, and
/// inside of a layer that compresses: pages that are streamed or compressed are left as they are. A strict content
/// policy of the page may take its looks from it.
///
/// The layer does not know the connection, so it asks the request's extensions for the address at its other end. axum
/// puts that there for a service that is made by `into_make_service_with_connect_info`. Without an address there is no
/// badge.
///
/// ```
/// # fn example(agent: &apm_agent::Agent) {
/// #[derive(Clone)]
/// struct Peer(std::net::SocketAddr);
///
/// let layers = tower::ServiceBuilder::new()
///     .layer(apm_agent::tower::ApmLayer::new(agent))
///     .layer(apm_agent::tower::Badge::new("http://127.0.0.1:8200", |extensions| {
///         extensions.get::<Peer>().map(|peer| peer.0.ip())
///     }));
/// # let _ = layers; }
/// ```
#[derive(Clone, Debug)]
pub struct Badge {
    options: badge::Options,
    peer: fn(&Extensions) -> Option<IpAddr>,
}

impl Badge {
    /// A badge whose link leads to the pages of this server. `peer` finds the address at the other end of the
    /// connection.
    #[must_use]
    pub fn new(pages: &str, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        Self {
            options: badge::Options::new(pages),
            peer,
        }
    }

    /// Shows it in builds without debug assertions, too; still to this machine alone.
    #[must_use]
    pub fn also_released(mut self, also: bool) -> Self {
        self.options.also_released = also;
        self
    }
}

impl<S> Layer<S> for Badge {
    type Service = BadgeService<S>;

    fn layer(&self, service: S) -> Self::Service {
        BadgeService {
            service,
            badge: self.clone(),
        }
    }
}

/// The service of [`Badge`].
#[derive(Clone, Debug)]
pub struct BadgeService<S> {
    service: S,
    badge: Badge,
}

impl<S, B, R> Service<Request<B>> for BadgeService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<BadgeBody<R>>;
    type Error = S::Error;
    type Future = BadgeFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let peer = (self.badge.peer)(request.extensions());
        let headers = request.headers();
        let wanted = self
            .badge
            .options
            .begin(request.method().as_str(), peer, |name| {
                headers.contains_key(name)
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

impl<F, R, E> Future for BadgeFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<BadgeBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(task))?;
        let wanted = this.wanted.take();
        Poll::Ready(Ok(match wanted.filter(|_| is_page(&response)) {
            Some(wanted) => with_badge(response, wanted.html()),
            None => response.map(BadgeBody::passing),
        }))
    }
}

fn is_page<R: Body>(response: &Response<R>) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE);
    let page = badge::Page {
        status: response.status().as_u16(),
        content_type: kind.map_or(b"", |kind| kind.as_bytes()),
        is_encoded: headers.contains_key(header::CONTENT_ENCODING),
        size: response.body().size_hint().exact(),
    };
    page.takes_badge()
}

fn with_badge<R: Body>(response: Response<R>, badge: String) -> Response<BadgeBody<R>> {
    let mut response = response.map(|body| BadgeBody {
        state: State::Reading(Page {
            promised: body.size_hint().exact().unwrap_or_default(),
            read: BytesMut::new(),
            badge,
        }),
        body,
    });
    let size = response.body().size_hint().exact();
    let headers = response.headers_mut();
    // These are of the page without its badge.
    for name in [header::ETAG, header::LAST_MODIFIED] {
        headers.remove(name);
    }
    // axum has said the length of the page already.
    if headers.remove(header::CONTENT_LENGTH).is_some()
        && let Some(size) = size
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    }
    response
}

pin_project! {
    /// A response body, with a badge where it is a page. Trailers pass through it.
    #[derive(Debug)]
    pub struct BadgeBody<R> {
        #[pin]
        body: R,
        state: State,
    }
}

/// The state of a body.
#[derive(Debug)]
enum State {
    /// It passes as it is.
    Passing,
    /// It is read to its end, as only that says where the page ends.
    Reading(Page),
    /// The page was handed on with its badge; trailers may follow.
    Done(Option<HeaderMap>),
}

/// A page that is being read.
#[derive(Debug)]
struct Page {
    /// Bytes that the body has promised, at most [`badge::LARGEST`].
    promised: u64,
    read: BytesMut,
    badge: String,
}

impl<R> BadgeBody<R> {
    fn passing(body: R) -> Self {
        let state = State::Passing;
        Self { body, state }
    }
}

impl<R: Body> Body for BadgeBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let mut this = self.project();
        loop {
            let page = match this.state {
                State::Passing => {
                    let frame = ready!(this.body.poll_frame(task));
                    let whole = |mut data: R::Data| data.copy_to_bytes(data.remaining());
                    return Poll::Ready(frame.map(|frame| Ok(frame?.map_data(whole))));
                }
                State::Done(trailers) => {
                    return Poll::Ready(
                        trailers
                            .take()
                            .map(|trailers| Ok(Frame::trailers(trailers))),
                    );
                }
                State::Reading(page) => page,
            };
            let frame = ready!(this.body.as_mut().poll_frame(task)).transpose()?;
            let trailers = match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    page.read.put(data);
                    if page.read.len() as u64 <= page.promised {
                        continue;
                    }
                    // Longer than it has promised to be: it passes, and the server complains as without a badge.
                    let read = page.read.split().freeze();
                    *this.state = State::Passing;
                    return Poll::Ready(Some(Ok(Frame::data(read))));
                }
                Some(Err(frame)) => frame.into_trailers().ok(),
                None => None,
            };
            let page = badge::insert(&page.read, &page.badge);
            *this.state = State::Done(trailers);
            return Poll::Ready(Some(Ok(Frame::data(page.into()))));
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passing => self.body.is_end_stream(),
            State::Reading(_) => false,
            State::Done(trailers) => trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passing => self.body.size_hint(),
            State::Reading(page) => SizeHint::with_exact(page.promised + page.badge.len() as u64),
            State::Done(_) => SizeHint::with_exact(0),
        }
    }
}
