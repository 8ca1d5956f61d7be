//! Bodies of requests that are read before their handler runs, and bodies of answers in small portions.
//!
//! Left alone, a body that never ends would hold its connection for as long as its sender likes, and a client that asks
//! for many large answers at once and reads none of them would make the server hold them all (see also
//! `response_budget`).

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::{Version, header};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpMessage as _, HttpResponse};
use futures_util::StreamExt as _;
use tokio::time::{Duration, timeout};

use super::response_budget::Answer;
use crate::connections::UnderWay;
use crate::unread::Unfinished;

/// Longest body of a request that is not events: settings, markers, SQL.
pub(super) const MOST: usize = 1 << 20;

/// Bytes of a refused body that are read and thrown away, so that the caller gets to read the answer.
const DRAINED: usize = 1 << 20;

/// Bytes that are handed to the connection at once; with more than twice as much unsent, it takes no more.
const PORTION: usize = 16 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than [`MOST`].
    Large,
    /// It did not come in time.
    Late,
    /// The connection broke, or what came was no body.
    Broken,
}

/// Reads the body of a request, and gives it back to it as a whole.
pub(super) async fn read(request: &mut ServiceRequest, within: Duration) -> Result<(), Unread> {
    if !has_body(request) {
        return Ok(());
    }
    let mut payload = match request.take_payload() {
        Payload::None => return Ok(()),
        payload => payload,
    };
    let read = timeout(within, whole(&mut payload)).await;
    match read.unwrap_or(Err(Unread::Late)) {
        Ok(bytes) => {
            request.set_payload(Payload::from(bytes));
            Ok(())
        }
        Err(why) => {
            // Kept, for the refusal to hold it: see `Portions`.
            request.set_payload(payload);
            Err(why)
        }
    }
}

/// Whether a request says that a body follows. After one that asks for another protocol (`Upgrade: websocket`, CONNECT)
/// come bytes without end, which are no body.
fn has_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING)
        || request.version() == Version::HTTP_2
}

async fn whole(payload: &mut Payload) -> Result<Bytes, Unread> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        if bytes.len() + chunk.len() > MOST {
            return Err(Unread::Large);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// An answer that ends the connection, though the body may never end.
pub(super) async fn refused(answer: HttpResponse, mut payload: web::Payload) -> HttpResponse {
    let mut left = DRAINED;
    let all = async {
        while let Some(Ok(chunk)) = payload.next().await
            && left > chunk.len()
        {
            left -= chunk.len();
        }
    };
    // A slow sender does not get to hold the connection, so it is all the same whether this ends in time.
    let _ = timeout(Duration::from_secs(1), all).await;
    closed(answer, payload)
}

/// Ends the connection after an answer, whatever of the body has not come.
pub(super) fn closed(answer: HttpResponse, payload: web::Payload) -> HttpResponse {
    answer.map_body(|_, body| BoxBody::new(Portions::new(body, Some(Unfinished::new(payload)))))
}

/// The body of an answer, a portion at a time.
///
/// With a refused request it holds what was not read of that: the connection then ends a moment after the answer. Were
/// it dropped, the connection would wait for its end.
pub(super) struct Portions {
    source: Source,
    under_way: Option<UnderWay>,
    _unread: Option<Unfinished>,
}

/// The source of the portions.
enum Source {
    /// As the handler makes them; the rest of the last piece goes first.
    Body(BoxBody, Bytes),
    /// An answer that counts, as it is large.
    Large(Answer, u64),
}

impl Portions {
    pub(super) fn new(body: BoxBody, unread: Option<Unfinished>) -> Self {
        Self {
            source: Source::Body(body, Bytes::new()),
            under_way: None,
            _unread: unread,
        }
    }

    /// An answer of `size` bytes.
    pub(super) fn large(answer: Answer, size: u64) -> Self {
        Self {
            source: Source::Large(answer, size),
            under_way: None,
            _unread: None,
        }
    }

    /// The request that this answers is under way until the last portion is sent.
    pub(super) fn until_sent(mut self, under_way: Option<UnderWay>) -> Self {
        self.under_way = under_way;
        self
    }
}

impl MessageBody for Portions {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match &self.source {
            Source::Body(body, _) => body.size(),
            Source::Large(_, size) => BodySize::Sized(*size),
        }
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if let Some(under_way) = &this.under_way {
            under_way.goes_on();
        }
        match &mut this.source {
            Source::Body(body, rest) => {
                // The next piece is asked for when the last one is handed on, so that a stream is not read ahead of
                // its reader.
                if rest.is_empty() {
                    match Pin::new(body).poll_next(cx) {
                        Poll::Ready(Some(Ok(bytes))) => *rest = bytes,
                        other => return other,
                    }
                }
                let portion = rest.len().min(PORTION);
                Poll::Ready(Some(Ok(rest.split_to(portion))))
            }
            Source::Large(answer, _) => Poll::Ready(match answer.next(PORTION) {
                Ok(portion) if portion.is_empty() => None,
                Ok(portion) => Some(Ok(portion)),
                Err(error) => Some(Err(error.into())),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_fn;

    use super::*;

    #[actix_web::test]
    async fn a_large_answer_is_handed_on_in_portions() {
        let text: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let mut body = Portions::new(BoxBody::new(text.clone()), None);
        assert_eq!(body.size(), BodySize::Sized(100_000));
        let mut seen = Vec::new();
        while let Some(portion) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            let portion = portion.unwrap();
            assert!(!portion.is_empty() && portion.len() <= PORTION);
            seen.extend_from_slice(&portion);
        }
        assert_eq!(seen, text);
    }
}
