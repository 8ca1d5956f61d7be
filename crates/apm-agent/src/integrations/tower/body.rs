//! The response body, which ends the transaction when it is sent, or given up.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::carrier::{self, Carrier};
use super::grpc::Status;
use super::request::Named;
use crate::integrations::http_server::{OnPanic, Sending, given_up};
use crate::util::lock;

pin_project! {
    /// A response body whose end is the end of the transaction. Trailers pass through it.
    #[derive(Debug)]
    pub struct ApmBody<B> {
        // `None` for the answer of a handler that panicked.
        #[pin]
        body: Option<B>,
        answer: Option<Answer>,
    }
}

/// An answer that is being sent.
#[derive(Debug)]
pub(super) struct Answer {
    named: Named,
    status: Option<Status>,
    carrier: Carrier,
    sending: Sending,
}

impl<B> ApmBody<B> {
    /// A body that ends no transaction.
    pub(super) fn unrecorded(body: B) -> Self {
        Self {
            body: Some(body),
            answer: None,
        }
    }

    /// A body that ends a transaction.
    pub(super) fn recorded(body: B, answer: Answer) -> Self {
        Self {
            body: Some(body),
            answer: Some(answer),
        }
    }

    pub(super) fn empty() -> Self {
        Self {
            body: None,
            answer: None,
        }
    }
}

impl Answer {
    /// `status` is that of a call by gRPC, if the headers had it already.
    pub(super) fn new(
        named: Named,
        status: Option<Status>,
        carrier: Carrier,
        sending: Sending,
    ) -> Self {
        Self {
            named,
            status,
            carrier,
            sending,
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        self.status = Status::from_headers(trailers).or(self.status);
        self.sending.finish();
    }
}

/// The status of a call by gRPC is known at its end only. The transaction ends behind this, with the field `sending`.
impl Drop for Answer {
    fn drop(&mut self) {
        if self.named.call.is_none() {
            return;
        }
        let complete = self.sending.is_complete() || self.status.is_some();
        let failed = std::thread::panicking() || self.sending.has_failed();
        // A call that ended without a status has failed. One that was given up has none.
        let status = self
            .status
            .or((complete || failed).then_some(Status::UNKNOWN));
        let mut state = lock(&self.named.core.state);
        match status {
            Some(status) => {
                state.result.find(status.name().into());
                state.outcome.find(status.of_server());
            }
            None => given_up(&mut state),
        }
        drop(state);
        self.named.find_name(status);
    }
}

impl<B: Body> Body for ApmBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let recorded = OnPanic(this.answer);
        let Some(answer) = recorded.0.as_mut() else {
            return body.poll_frame(task);
        };
        // Code in streams belongs to the request.
        let polled = carrier::run(
            &mut answer.sending.scope,
            &answer.carrier,
            || body.as_mut().poll_frame(task),
            |polled| !matches!(polled, Poll::Ready(None)),
        );
        let frame = ready!(polled);
        match &frame {
            None => {
                answer.sending.finish();
                drop(recorded.0.take());
            }
            Some(Err(_)) => answer.sending.fail(),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    answer.sending.sent(data.remaining() as u64);
                }
                match frame.trailers_ref() {
                    Some(trailers) => answer.trailers(trailers),
                    // After this the server asks for no more.
                    None if body.is_end_stream() => answer.sending.finish(),
                    None => {}
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
