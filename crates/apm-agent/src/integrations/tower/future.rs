//! A request under way: the context is current during every poll.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::{Method, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{Answer, ApmBody};
use super::grpc::{self, Status};
use super::headers::{pairs, with_cache};
use super::request::Recorded;
use crate::integrations::http_server::{
    self, OnPanic, Sending, answered, caught, is_endless, write_response,
};
use crate::recording::http::write_status;
use crate::util::lock;

pin_project! {
    /// The future of [`ApmService`](super::ApmService).
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct ApmFuture<F> {
        #[pin]
        future: F,
        recorded: Option<Recorded>,
        catch_panics: bool,
    }
}

impl<F> ApmFuture<F> {
    pub(super) fn new(future: F, recorded: Option<Recorded>, catch_panics: bool) -> Self {
        Self {
            future,
            recorded,
            catch_panics,
        }
    }
}

impl<F, B, E> Future for ApmFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Debug + Display,
    B: Body,
{
    type Output = Result<Response<ApmBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let catch = *this.catch_panics;
        // `None` is a panic that is to be answered.
        let poll = || {
            let future = this.future;
            match catch {
                true => caught(|| future.poll(task)).map_or(Poll::Ready(None), |it| it.map(Some)),
                false => future.poll(task).map(Some),
            }
        };
        let recorded = OnPanic(this.recorded);
        let Some(request) = recorded.0.as_mut() else {
            return Poll::Ready(match ready!(poll()) {
                Some(answer) => answer.map(|response| response.map(ApmBody::unrecorded)),
                None => Ok(panicked()),
            });
        };
        let answer = ready!(request.run(poll, Poll::is_pending));
        let Some(recorded) = recorded.0.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match answer {
            Some(Ok(response)) => Ok(respond(recorded, response)),
            Some(Err(error)) => {
                fail(recorded, Some(&error));
                Err(error)
            }
            None => {
                fail(recorded, None::<&E>);
                Ok(panicked())
            }
        })
    }
}

/// The answer of a handler that panicked.
fn panicked<B>() -> Response<ApmBody<B>> {
    let mut response = Response::new(ApmBody::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Completes the transaction with its response, and hands it to the body.
fn respond<B: Body>(recorded: Recorded, response: Response<B>) -> Response<ApmBody<B>> {
    let has_body = has_body(&recorded.method, response.status());
    let place = recorded.place;
    let Some((mut named, scope, carrier)) = recorded.take() else {
        return response.map(ApmBody::unrecorded);
    };
    // An answer that is not by gRPC, as one of a layer in between, says nothing of a method.
    if !grpc::is_grpc(response.headers()) {
        named.call = None;
    }
    let status = response.status().as_u16();
    {
        let mut state = lock(&named.core.state);
        answered(&mut state, status);
        if named.core.records_spans() {
            let settings = named.core.recorder.config.load();
            let headers = response.headers();
            let written = with_cache(|cache| {
                let mut out = Vec::with_capacity(256);
                let answer = (place, status);
                write_response(&mut out, answer, &settings, cache, || pairs(headers));
                out
            });
            state.context.extend_from_slice(&written);
        }
    }
    named.find_name(None);
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if is_endless(status, content_type.map(|kind| kind.as_bytes())) {
        named.core.end();
        return response.map(ApmBody::unrecorded);
    }
    // A call that fails at once has its status among the headers, and no body.
    let status = Status::from_headers(response.headers());
    response.map(|body| {
        let bytes = match has_body && !body.is_end_stream() {
            true => body.size_hint().exact(),
            false => Some(0),
        };
        let sending = Sending::new(named.core.clone(), scope, bytes);
        ApmBody::recorded(body, Answer::new(named, status, carrier, sending))
    })
}

/// Whether the server will ask for the body.
fn has_body(method: &Method, status: StatusCode) -> bool {
    let none = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
    *method != Method::HEAD && !none.contains(&status)
}

/// Ends the transaction of a request to which the service returned an error, or whose handler panicked.
fn fail<E: Debug + Display>(recorded: Recorded, error: Option<&E>) {
    if let Some(core) = recorded.core() {
        // An error closes the connection, and nobody gets a status.
        if error.is_none() && core.records_spans() {
            write_status(&mut lock(&core.state).context, 500);
        }
        // A panic was captured by the hook.
        if let Some(error) = error {
            http_server::capture(core, error);
        }
    }
    recorded.end(Some(500));
}
