//! The response body, which ends the transaction when it is sent, or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::integrations::http_server::{OnPanic, Sending};
use crate::recording::context::{Running, Scope};
use crate::recording::transaction::Core;

pin_project! {
    /// A response body whose end is the end of the transaction.
    #[derive(Debug)]
    pub struct ApmBody<B> {
        #[pin]
        body: B,
        sending: Option<Sending>,
    }
}

impl<B: MessageBody> ApmBody<B> {
    /// A body that ends a transaction; it is made in the scope of that. `None` for a body that ends nothing.
    pub(super) fn new(body: B, transaction: Option<(Arc<Core>, Scope)>) -> Self {
        let sending = transaction.map(|(core, scope)| {
            let bytes = match body.size() {
                BodySize::None => Some(0),
                BodySize::Sized(bytes) => Some(bytes),
                BodySize::Stream => None,
            };
            Sending::new(core, scope, bytes)
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
        let held = OnPanic(this.sending);
        let Some(sending) = held.0.as_mut() else {
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
                sending.finish();
                drop(held.0.take());
            }
            Poll::Ready(Some(Ok(bytes))) => sending.sent(bytes.len() as u64),
            Poll::Ready(Some(Err(_))) => sending.fail(),
            Poll::Pending => {}
        }
        polled
    }
}
