//! Exit spans of the requests that a client sends, with the trace headers of each.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::http::{HeaderValue, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::grpc::{self, Status};
use super::headers::text;
use crate::integrations::http_client::{Call, Trace};

/// A layer that records an exit span for each request that a client sends, such as those of hyper-util and tonic, with
/// the headers that let the service that is called join the trace. Outside of a transaction it only sends.
///
/// The span of a request ends at the head of the answer; that of a call by gRPC at its status, which comes last.
///
/// ```
/// # use std::convert::Infallible;
/// # use tower::{ServiceBuilder, service_fn};
/// # let client = service_fn(async |_: http::Request<String>| Ok::<_, Infallible>(http::Response::new(String::new())));
/// let client = ServiceBuilder::new()
///     .layer(apm_agent::tower::ApmClientLayer::new())
///     .service(client);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApmClientLayer {
    silent: bool,
    origin: Option<Arc<str>>,
}

impl ApmClientLayer {
    /// The layer with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records spans but sends no trace headers, for services that refuse headers they do not know.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Says which address the client calls, such as `http://127.0.0.1:50051`: for clients whose requests have no host,
    /// as that of tonic has.
    #[must_use]
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.trim_end_matches('/').into());
        self
    }

    /// The address of a request.
    fn url<B>(&self, request: &Request<B>) -> String {
        let uri = request.uri();
        if uri.authority().is_some() {
            return uri.to_string();
        }
        let mut url = match (&self.origin, text(request.headers(), header::HOST)) {
            (Some(origin), _) => origin.to_string(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => "http://".to_owned(),
        };
        // Into a text: there is nothing that could fail.
        let _ = write!(url, "{uri}");
        url
    }
}

impl<S> Layer<S> for ApmClientLayer {
    type Service = ApmClientService<S>;

    fn layer(&self, service: S) -> Self::Service {
        ApmClientService {
            service,
            apm: self.clone(),
        }
    }
}

/// A client whose requests are recorded; see [`ApmClientLayer`].
#[derive(Clone, Debug)]
pub struct ApmClientService<S> {
    service: S,
    apm: ApmClientLayer,
}

impl<S, B, R> Service<Request<B>> for ApmClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ApmClientBody<R>>;
    type Error = S::Error;
    type Future = ApmClientFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let url = self.apm.url(&request);
        let is_grpc = grpc::is_grpc(request.headers());
        let begun = match is_grpc {
            true => Call::begin_grpc(&url),
            false => Call::begin(request.method().as_str(), &url),
        };
        let call = begun.and_then(|(call, trace)| {
            if let Some(trace) = trace.filter(|_| !self.apm.silent) {
                inject(&mut request, &trace);
            }
            call
        });
        ApmClientFuture {
            future: self.service.call(request),
            call,
            is_grpc,
        }
    }
}

/// Adds the trace headers, replacing those of the caller's own making.
fn inject<B>(request: &mut Request<B>, trace: &Trace) {
    let headers = request.headers_mut();
    if let Ok(value) = HeaderValue::from_bytes(&trace.parent) {
        headers.insert("traceparent", value);
    }
    if let Some(state) = &trace.state
        && let Ok(value) = HeaderValue::from_str(state)
    {
        headers.insert("tracestate", value);
    }
}

pin_project! {
    /// The future of [`ApmClientService`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct ApmClientFuture<F> {
        #[pin]
        future: F,
        call: Option<Call>,
        is_grpc: bool,
    }
}

impl<F, R, E> Future for ApmClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ApmClientBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.future.poll(task));
        let mut call = this.call.take();
        if let Ok(response) = &answer {
            let head = response.headers();
            match Status::from_headers(head) {
                // A call that is answered without messages has its status in the head.
                Some(status) if *this.is_grpc => {
                    if let Some(call) = call.take() {
                        call.ended(status.of_client());
                    }
                }
                // The status comes with the trailers.
                _ if *this.is_grpc && grpc::is_grpc(head) => {}
                _ => {
                    if let Some(call) = call.take() {
                        call.answered(response.status().as_u16());
                    }
                }
            }
        }
        // Without an answer the call fails here.
        Poll::Ready(answer.map(|response| response.map(|body| ApmClientBody { body, call })))
    }
}

pin_project! {
    /// The body of an answer. Of a call by gRPC, its trailers end the span; they pass through it.
    #[derive(Debug)]
    pub struct ApmClientBody<B> {
        #[pin]
        body: B,
        call: Option<Call>,
    }
}

impl<B: Body> Body for ApmClientBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(task));
        let trailers = match &frame {
            Some(Ok(frame)) => frame.trailers_ref(),
            Some(Err(_)) | None => {
                // Without a status it has failed.
                drop(this.call.take());
                None
            }
        };
        if let Some(trailers) = trailers
            && let Some(call) = this.call.take()
        {
            let status = Status::from_headers(trailers).unwrap_or(Status::UNKNOWN);
            call.ended(status.of_client());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
