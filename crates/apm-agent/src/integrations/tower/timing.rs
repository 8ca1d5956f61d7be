//! A layer that tells the caller what its request has cost; it is optional.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::header::{HeaderName, HeaderValue};
use ::http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::integrations::request_cost::RequestCost;

/// A layer that adds the header `Server-Timing` to responses: the trace's id, the number of queries and their time, and
/// the time until the answer began. Browsers show it beside the request.
///
/// Put it inside of [`ApmLayer`](super::ApmLayer), so that it runs within a transaction. Everybody who may send a
/// request learns its trace's id and what it has cost: it is for services whose callers may know that.
///
/// ```
/// # fn example(agent: &apm_agent::Agent) {
/// let layers = tower::ServiceBuilder::new()
///     .layer(apm_agent::tower::ApmLayer::new(agent))
///     .layer(apm_agent::tower::ServerTiming);
/// # let _ = layers; }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerTiming;

impl<S> Layer<S> for ServerTiming {
    type Service = ServerTimingService<S>;

    fn layer(&self, service: S) -> Self::Service {
        ServerTimingService { service }
    }
}

/// The service of [`ServerTiming`].
#[derive(Clone, Copy, Debug)]
pub struct ServerTimingService<S> {
    service: S,
}

impl<S, B, R> Service<Request<B>> for ServerTimingService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ServerTimingFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
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

impl<F, R, E> Future for ServerTimingFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.future.poll(task));
        if let (Ok(response), Some(cost)) = (&mut answer, this.cost.take())
            && let Ok(value) = HeaderValue::from_str(&cost.facts().header())
        {
            // A service may have timings of its own.
            let name = HeaderName::from_static("server-timing");
            response.headers_mut().append(name, value);
        }
        Poll::Ready(answer)
    }
}
