//! A request under way: the context is current during every poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header;
use pin_project_lite::pin_project;

use super::body::ApmBody;
use super::{Request, errors, request};
use crate::integrations::http_server::{OnPanic, answered, caught, is_endless};
use crate::recording::context::Running;
use crate::recording::http;
use crate::recording::transaction::grouped;
use crate::util::lock;

pin_project! {
    /// The future of [`ApmService`](super::ApmService).
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct ApmFuture<F> {
        #[pin]
        future: F,
        request: Option<Request>,
        catch_panics: bool,
    }
}

impl<F> ApmFuture<F> {
    pub(super) fn new(future: F, request: Option<Request>, catch_panics: bool) -> Self {
        Self {
            future,
            request,
            catch_panics,
        }
    }
}

impl<F, B> Future for ApmFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<ApmBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let catch = *this.catch_panics;
        let held = OnPanic(this.request);
        let Some(recorded) = held.0.as_mut() else {
            let (answer, _) = poll(this.future, task, catch);
            let response = ready!(answer)?;
            return Poll::Ready(Ok(response.map_body(|_, body| ApmBody::new(body, None))));
        };
        let (answer, panicked) = {
            let mut running = Running::new(&mut recorded.scope);
            let polled = poll(this.future, task, catch);
            running.paused = polled.0.is_pending();
            polled
        };
        Poll::Ready(match ready!(answer) {
            Ok(response) => {
                let response = respond(recorded, response);
                *held.0 = None;
                Ok(response)
            }
            Err(error) => {
                if let Some(recorded) = held.0.take() {
                    fail(recorded, &error, panicked);
                }
                Err(error)
            }
        })
    }
}

/// Polls the service; with `catch`, a panic becomes an error, and the second part says so.
fn poll<F, T>(
    future: Pin<&mut F>,
    task: &mut Context<'_>,
    catch: bool,
) -> (Poll<Result<T, Error>>, bool)
where
    F: Future<Output = Result<T, Error>>,
{
    if !catch {
        return (future.poll(task), false);
    }
    // The future is not polled again after a panic.
    match caught(|| future.poll(task)) {
        Some(polled) => (polled, false),
        None => {
            let error = ErrorInternalServerError("the handler panicked");
            (Poll::Ready(Err(error)), true)
        }
    }
}

/// Completes the transaction with its response, and hands it to the body.
fn respond<B: MessageBody>(
    recorded: &mut Request,
    response: ServiceResponse<B>,
) -> ServiceResponse<ApmBody<B>> {
    let Some(core) = recorded.core.take() else {
        return response.map_body(|_, body| ApmBody::new(body, None));
    };
    let status = response.status();
    {
        let route = response.request().match_pattern();
        let route = route.as_deref();
        let mut routes = recorded.worker.routes.borrow_mut();
        let name = routes.name(&recorded.method, recorded.uri.path(), route);
        drop(routes);
        let settings = core.recorder.config.load();
        let name = grouped(&settings, name);
        let mut state = lock(&core.state);
        state.name.find(name);
        answered(&mut state, status.as_u16());
        if core.records_spans() {
            let headers = &mut recorded.worker.headers.borrow_mut();
            let (path, answer) = (recorded.uri.path(), response.response());
            request::write_response(&mut state.context, path, answer, &settings, headers);
        }
    }
    if let Some(error) = response.response().error() {
        errors::capture(&core, error, status.as_u16());
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map(|kind| kind.as_bytes());
    let sending = if is_endless(status.as_u16(), content_type) {
        core.end();
        None
    } else {
        Some((core, std::mem::take(&mut recorded.scope)))
    };
    response.map_body(|_, body| ApmBody::new(body, sending))
}

/// Ends the transaction of a request that a middleware refused, or whose handler panicked.
fn fail(recorded: Request, error: &Error, panicked: bool) {
    let status = error.as_response_error().status_code().as_u16();
    if let Some(core) = &recorded.core {
        let name = recorded.name_without_response(core);
        core.find_name(name);
        let mut state = lock(&core.state);
        if core.records_spans() {
            http::write_status(&mut state.context, status);
        }
    }
    // The panic itself was captured by the hook.
    if let Some(core) = &recorded.core
        && !panicked
    {
        errors::capture(core, error, status);
    }
    recorded.end(Some(status));
}
