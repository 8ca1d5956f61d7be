//! A span per request that awc makes, with the trace headers of the request.
//!
//! The middleware sits inside awc's own handling of redirects, so each hop is a span. The span ends at the head of the
//! answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_http::{RequestHead, RequestHeadType};
use actix_web::dev::Service;
use awc::error::SendRequestError;
use awc::middleware::Transform;
use awc::{ConnectRequest, ConnectResponse};
use pin_project_lite::pin_project;

use crate::integrations::http_client::{Call, Trace};

/// The middleware for [`awc::Client`].
///
/// ```
/// let client = awc::Client::builder().wrap(apm_agent::awc::ApmClientMiddleware::new()).finish();
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApmClientMiddleware {
    silent: bool,
}

impl ApmClientMiddleware {
    /// The middleware with its defaults.
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
}

impl<S> Transform<S, ConnectRequest> for ApmClientMiddleware
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError> + 'static,
{
    type Transform = ApmClient<S>;

    fn new_transform(self, service: S) -> Self::Transform {
        ApmClient {
            service,
            silent: self.silent,
        }
    }
}

/// The middleware, around awc's connector.
#[derive(Debug)]
pub struct ApmClient<S> {
    service: S,
    silent: bool,
}

impl<S> Service<ConnectRequest> for ApmClient<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError> + 'static,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = ApmCall<S::Future>;

    actix_web::dev::forward_ready!(service);

    fn call(&self, mut request: ConnectRequest) -> Self::Future {
        let trace = {
            let head: &RequestHead = match &request {
                ConnectRequest::Client(RequestHeadType::Owned(head), ..) => head,
                ConnectRequest::Client(RequestHeadType::Rc(head, _), ..) => head,
                ConnectRequest::Tunnel(head, _) => head,
            };
            Call::begin(head.method.as_str(), &head.uri.to_string())
        };
        let call = trace.map(|(call, trace)| {
            if let Some(trace) = trace.filter(|_| !self.silent) {
                inject(&mut request, &trace);
            }
            call
        });
        ApmCall {
            future: self.service.call(request),
            call: call.flatten(),
        }
    }
}

/// Adds the trace headers, replacing those of the caller's own making.
fn inject(request: &mut ConnectRequest, trace: &Trace) {
    let headers: &mut HeaderMap = match request {
        ConnectRequest::Client(RequestHeadType::Owned(head), ..) => &mut head.headers,
        // The head is shared with copies of the request: headers of this one go beside it.
        ConnectRequest::Client(RequestHeadType::Rc(_, extra), ..) => {
            extra.get_or_insert_with(HeaderMap::new)
        }
        ConnectRequest::Tunnel(head, _) => &mut head.headers,
    };
    if let Ok(value) = HeaderValue::from_bytes(&trace.parent) {
        headers.insert(HeaderName::from_static("traceparent"), value);
    }
    if let Some(state) = &trace.state
        && let Ok(value) = HeaderValue::from_str(state)
    {
        headers.insert(HeaderName::from_static("tracestate"), value);
    }
}

pin_project! {
    /// The future of [`ApmClient`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct ApmCall<F> {
        #[pin]
        future: F,
        call: Option<Call>,
    }
}

impl<F> Future for ApmCall<F>
where
    F: Future<Output = Result<ConnectResponse, SendRequestError>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.future.poll(task));
        if let Some(call) = this.call.take() {
            match &answer {
                Ok(ConnectResponse::Client(response)) => call.answered(response.status().as_u16()),
                Ok(ConnectResponse::Tunnel(head, _)) => call.answered(head.status.as_u16()),
                Err(_) => call.failed(),
            }
        }
        Poll::Ready(answer)
    }
}
