//! One call: who calls, what is sent, what becomes of it.

use std::net::SocketAddr;

use ::http::{Method, Request, header};
use actix_web::web::Bytes;
use apm_intake::otlp::Encoding;
use apm_intake::{Compression, Export, Wire};
use h2::RecvStream;
use h2::server::SendResponse;

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
