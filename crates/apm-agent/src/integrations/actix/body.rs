//! The response body, which ends the transaction when it is sent, or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use super::request::mark_unfinished;
use crate::recording::context::{Running, Scope};
use crate::recording::outcome::Outcome;
use crate::recording::transaction::Core;
use crate::util::lock;

pin_project! {
    /// A response body whose end is the end of the transaction.
    #[derive(Debug)]
    pub struct ApmBody<B> {
        #[pin]
        body: B,
        sending: Option<Sending>,
    }
}

/// A transaction whose body is being sent. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Sending {
    core: Arc<Core>,
    scope: Scope,
    /// Bytes that the body announced and has not produced; `None` when it did not say how many there are.
    left: Option<u64>,
    finished: bool,
    failed: bool,
}

impl<B: MessageBody> ApmBody<B> {
    /// A body that ends a transaction, in whose scope it is made; `None` for a body that nothing hangs on.
    pub(super) fn new(body: B, transaction: Option<(Arc<Core>, Scope)>) -> Self {
        let sending = transaction.map(|(core, scope)| {
            let (left, finished) = match body.size() {
                // Empty bodies are never polled.
                BodySize::None | BodySize::Sized(0) => (Some(0), true),
                BodySize::Sized(bytes) => (Some(bytes), false),
                BodySize::Stream => (None, false),
            };
            Sending {
                core,
                scope,
                left,
                finished,
                failed: false,
            }
        });
        Self { body, sending }
    }
}

impl<B: MessageBody> MessageBody for ApmBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let Some(sending) = this.sending else {
            return this.body.poll_next(task);
        };
        let polled = {
            // Code in streams belongs to the request.
            let mut running = Running::new(&mut sending.scope);
            let polled = this.body.poll_next(task);
            running.paused = !matches!(polled, Poll::Ready(None));
            polled
        };
        match &polled {
            Poll::Ready(None) => {
                sending.finished = true;
                drop(this.sending.take());
            }
            Poll::Ready(Some(Ok(bytes))) => {
                if let Some(left) = &mut sending.left {
                    *left = left.saturating_sub(bytes.len() as u64);
                    sending.finished = *left == 0;
                }
            }
            Poll::Ready(Some(Err(_))) => sending.failed = true,
            Poll::Pending => {}
        }
        polled
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let core = &self.core;
        if self.failed || !self.finished {
            let mut state = lock(&core.state);
            mark_unfinished(&mut state.context);
            if self.failed || std::thread::panicking() {
                state.outcome.find(Outcome::Failure);
            }
        }
        core.end();
    }
}
