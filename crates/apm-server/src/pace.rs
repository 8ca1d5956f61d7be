//! One request of a connection at a time.
//!
//! actix decodes all requests that are in its read buffer before it has answered the first one. 128 KiB hold thousands
//! of short requests, each of which takes some 7 KB once it is decoded: a few hundred connections could take gigabytes.
//! So the stream below HTTP ([`Paced`]) hands on the bytes of one request, and those of the next one when the answer is
//! made and handed over.

mod chunks;
mod head;
#[cfg(test)]
mod pieces;
mod stream;

use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;

use actix_web::HttpRequest;
use actix_web::dev::RequestHead;
use actix_web::http::header;

pub(crate) use stream::Paced;

/// The messages of the application to the stream of its connection.
#[derive(Default)]
pub(crate) struct Pace {
    /// The body of the request that has begun, until the stream has seen it.
    begun: Cell<Option<Body>>,
    /// Requests whose answer is not handed over.
    under_way: Cell<usize>,
    /// Of the task that reads the stream, which waits for the application.
    reader: Cell<Option<Waker>>,
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace")
            .field("under_way", &self.under_way.get())
            .finish_non_exhaustive()
    }
}

impl Pace {
    fn begin(self: &Rc<Self>, body: Body) -> Turn {
        self.begun.set(Some(body));
        self.under_way.set(self.under_way.get() + 1);
        self.wake();
        Turn(Rc::clone(self))
    }

    fn wake(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// The body that follows the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The next request. Bytes after a request for another protocol count as such: they are not read before that
    /// request is refused.
    None,
    /// So many bytes.
    Sized(u64),
    /// Chunks, the last of which is empty.
    Chunked,
}

impl Body {
    /// actix refuses a request whose headers leave a doubt about its body: two lengths, or a length and an encoding.
    fn expected(head: &RequestHead) -> Self {
        let headers = head.headers();
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::Chunked;
        }
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.trim().parse().ok());
        match length {
            Some(length @ 1..) => Self::Sized(length),
            _ => Self::None,
        }
    }
}

/// A request whose answer is not handed over yet. As long as it is there, the next request is not read.
#[derive(Debug)]
pub(crate) struct Turn(Rc<Pace>);

impl Turn {
    /// `None`: the connection has no pace, as in tests of handlers.
    pub(crate) fn begin(request: &HttpRequest) -> Option<Self> {
        let pace = request.conn_data::<Rc<Pace>>()?;
        Some(pace.begin(Body::expected(request.head())))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        self.0.wake();
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_body_is_known_by_the_head() {
        for (headers, body) in [
            (&[][..], Body::None),
            (&[("content-length", "0")], Body::None),
            (&[("content-length", "70")], Body::Sized(70)),
            (&[("transfer-encoding", "chunked")], Body::Chunked),
            (
                &[("upgrade", "websocket"), ("connection", "upgrade")],
                Body::None,
            ),
        ] {
            let mut request = TestRequest::default();
            for header in headers {
                request = request.insert_header(*header);
            }
            assert_eq!(
                Body::expected(request.to_http_request().head()),
                body,
                "{headers:?}"
            );
        }
    }
}
