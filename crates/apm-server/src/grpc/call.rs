//! One call: who calls, what is sent, what becomes of it.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::{Method, Request, header};
use actix_web::web::Bytes;
use apm_intake::otlp::{Encoding, Signal};
use apm_intake::{Compression, Export, Wire};
use h2::RecvStream;
use h2::server::SendResponse;
use tokio::time::timeout;

use super::answer::{self, Refusal};
use super::message::Message;
use crate::connections::Open;
use crate::http::Shared;
use crate::otlp::{self, Code, Status};

/// Answers a call.
pub(super) async fn answer(
    shared: &Shared,
    open: &Open,
    peer: SocketAddr,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let _under_way = open.begin();
    let done = take(shared, open, peer, request).await;
    if let Err(error) = answer::send(respond, done) {
        // The caller has gone.
        log::debug!("{peer}: no answer: {error}");
    }
}

/// Takes what a call sends. Gives the message of the answer.
async fn take(
    shared: &Shared,
    open: &Open,
    peer: SocketAddr,
    request: Request<RecvStream>,
) -> Result<Vec<u8>, Refusal> {
    let (head, body) = request.into_parts();
    let named = |name: &str| head.headers.get(name).map(|value| value.as_bytes());
    if head.method != Method::POST || !is_grpc(named(header::CONTENT_TYPE.as_str())) {
        return Err(Refusal::NoGrpc);
    }
    let path = head.uri.path();
    let signal = otlp::of_method(path).ok_or_else(|| {
        let path = &path[..path.floor_char_boundary(128)];
        let message = format!(
            "the method '{path}' is not known: this server takes OTLP's Export of traces, metrics and logs"
        );
        Status::new(Code::Unimplemented, message)
    })?;
    let client = peer.ip();
    match shared
        .guard
        .admit(client, named(header::AUTHORIZATION.as_str()))?
    {
        true => open.trust(),
        false if !open.has_place() => {
            let message = "the server is busy: too many requests are under way";
            return Err(Status::after(otlp::RETRY, message).into());
        }
        false => {}
    }
    let encoding = named("grpc-encoding").unwrap_or_default();
    let encoding = String::from_utf8_lossy(encoding);
    let compression = Compression::named(&encoding).ok_or_else(|| {
        let encoding = &encoding[..encoding.floor_char_boundary(128)];
        let message = format!(
            "the encoding '{encoding}' is not known: send {}",
            answer::ENCODINGS
        );
        Status::new(Code::Unimplemented, message)
    })?;
    let taken = store(shared, signal, compression, body);
    match named("grpc-timeout").and_then(patience) {
        None => taken.await,
        // The caller has given the call up by then, and may send it again.
        Some(patience) => timeout(patience, taken).await.unwrap_or_else(|_| {
            let message = format!("it took longer than the {patience:?} of grpc-timeout");
            Err(Status::new(Code::DeadlineExceeded, message).into())
        }),
    }
}

/// Reads the message of a call and stores what is in it.
async fn store(
    shared: &Shared,
    signal: Signal,
    compression: Compression,
    body: RecvStream,
) -> Result<Vec<u8>, Refusal> {
    let limits = shared.intake.limits();
    let message = Message::begin(body, compression, limits).await?;
    let export = Export {
        wire: Wire::OtlpGrpc,
        signal,
        encoding: Encoding::Protobuf,
        compression: message.compression(),
    };
    let done = shared.intake.export(export, message.chunks()).await;
    match done {
        Ok(done) => Ok(otlp::success(signal, Encoding::Protobuf, &done)),
        Err(error) => Err(Status::from(&error).into()),
    }
}

/// The time that a caller waits: at most eight digits and a unit. Any other text is no bound.
fn patience(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Whether a content type is that of gRPC with messages of protobuf.
fn is_grpc(kind: Option<&[u8]>) -> bool {
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| {
        matches!(rest, [] | [b';', ..] | b"+proto") || rest.starts_with(b"+proto;")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_caller_is_read_as_grpc_writes_it() {
        for (text, time) in [
            ("10S", Some(Duration::from_secs(10))),
            ("1500m", Some(Duration::from_millis(1500))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("100n", Some(Duration::from_nanos(100))),
            ("S", None),
            ("123456789S", None),
            ("-1S", None),
            ("10", None),
            ("", None),
        ] {
            assert_eq!(patience(text.as_bytes()), time, "{text}");
        }
    }

    #[test]
    fn only_messages_of_protobuf_are_taken() {
        for (kind, is_taken) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc+json", false),
            ("application/grpc-web", false),
            ("application/x-protobuf", false),
        ] {
            assert_eq!(is_grpc(Some(kind.as_bytes())), is_taken, "{kind}");
        }
        assert!(!is_grpc(None));
    }
}
