//! The answer to a call: a message and the trailers behind it, or a refusal in headers alone.

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::{Response, StatusCode};
use actix_web::web::Bytes;
use h2::server::SendResponse;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::otlp::Status;

/// The encodings that are read.
pub(super) const ENCODINGS: &str = "identity,gzip,deflate,zstd";

/// Characters that are escaped in a `grpc-message`, besides those that are no ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Why a call is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no call of gRPC. That is said in HTTP.
    NoGrpc,
    /// It is, and has a status.
    Status(Status),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// Sends an answer.
///
/// # Errors
/// The caller has gone.
pub(super) fn send(
    mut respond: SendResponse<Bytes>,
    done: Result<Vec<u8>, Refusal>,
) -> Result<(), h2::Error> {
    match done {
        Ok(message) => {
            let mut response = Response::new(());
            *response.headers_mut() = head();
            let mut stream = respond.send_response(response, false)?;
            stream.send_data(framed(&message), false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            stream.send_trailers(trailers)
        }
        Err(refusal) => respond.send_response(refused(&refusal), true).map(drop),
    }
}

fn head() -> HeaderMap {
    let mut head = HeaderMap::new();
    let kind = HeaderValue::from_static("application/grpc");
    head.insert(header::CONTENT_TYPE, kind);
    let encodings = HeaderValue::from_static(ENCODINGS);
    head.insert("grpc-accept-encoding", encodings);
    head
}

fn refused(refusal: &Refusal) -> Response<()> {
    let mut response = Response::new(());
    let status = match refusal {
        Refusal::NoGrpc => {
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        }
        Refusal::Status(status) => status,
    };
    *response.headers_mut() = head();
    let headers = response.headers_mut();
    headers.insert("grpc-status", HeaderValue::from(status.code as u16));
    let message = utf8_percent_encode(&status.message, ESCAPED).to_string();
    if let Ok(message) = HeaderValue::from_str(&message) {
        headers.insert("grpc-message", message);
    }
    if status.retry.is_some()
        && let Ok(details) = HeaderValue::from_str(&status.details())
    {
        headers.insert("grpc-status-details-bin", details);
    }
    response
}

/// A message with its prefix, not compressed.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("an answer is small");
    let mut frame = Vec::with_capacity(5 + message.len());
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    frame.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::otlp::Code;

    fn headers(status: Status) -> HeaderMap {
        refused(&Refusal::Status(status)).headers().clone()
    }

    #[test]
    fn a_refusal_is_escaped_and_says_when_to_come_back() {
        let headers_of_refused = headers(Status::new(Code::InvalidArgument, "100 %\né"));
        assert_eq!(headers_of_refused["grpc-status"], "3");
        assert_eq!(headers_of_refused["grpc-message"], "100 %25%0A%C3%A9");
        assert!(!headers_of_refused.contains_key("grpc-status-details-bin"));
        let later = headers(Status::after(Duration::from_secs(2), "no"));
        assert_eq!(later["grpc-status"], "14");
        assert!(later.contains_key("grpc-status-details-bin"));
    }

    #[test]
    fn an_empty_message_has_its_prefix() {
        assert_eq!(framed(b"")[..], [0, 0, 0, 0, 0]);
        assert_eq!(framed(b"ab")[..], [0, 0, 0, 0, 2, b'a', b'b']);
    }
}
