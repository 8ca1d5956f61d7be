//! Answers that go on for long are judged again: they end with the secret or the session that they were asked with.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::{Bytes, Data};

use super::{Guard, Seen};
use crate::http::Shared;
use crate::http::refusals::Refusal;
use crate::route::Access;

/// Time between two judgements. Each takes some µs.
const STEP: Duration = Duration::from_secs(1);

/// The answer, which ends early where its length is not known and its caller may not read any more.
pub(super) fn watched(
    response: ServiceResponse<BoxBody>,
    access: Access,
    guard: &Guard,
) -> ServiceResponse<BoxBody> {
    let is_stream = response.response().body().size() == BodySize::Stream;
    if !is_stream || access == Access::Open || !guard.credentials.are_needed() {
        return response;
    }
    let request = response.request().clone();
    response.map_body(|_, body| {
        BoxBody::new(Watched {
            body,
            request,
            access,
            next: Instant::now() + STEP,
        })
    })
}

/// A body whose caller is judged while it is sent.
struct Watched {
    body: BoxBody,
    request: HttpRequest,
    access: Access,
    next: Instant,
}

impl Watched {
    fn is_allowed(&self) -> bool {
        let Some(shared) = self.request.app_data::<Data<Shared>>() else {
            return false;
        };
        let guard = &shared.guard;
        let is_allowed = matches!(
            guard.see(&self.request),
            Seen::Holder { holder, .. } if holder.may(self.access)
        );
        if !is_allowed {
            guard.refusals.count(Refusal::Credentials);
        }
        is_allowed
    }
}

impl MessageBody for Watched {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + STEP;
            if !self.is_allowed() {
                // An error, so that a file does not look whole.
                let why = "the secret that this was asked with is no longer in force";
                return Poll::Ready(Some(Err(why.into())));
            }
        }
        Pin::new(&mut self.body).poll_next(context)
    }
}
