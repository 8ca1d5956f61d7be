//! `POST /v1/traces`, `/v1/metrics` and `/v1/logs`: OTLP over HTTP.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::otlp::{Encoding, Signal};
use apm_intake::{Compression, Export, Wire};

use super::{Shared, body, respond};
use crate::otlp::{self, Status};

/// The mark of an application that takes OTLP alone.
#[derive(Debug)]
pub(super) struct Port;

pub(super) async fn traces(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    export(Signal::Traces, &request, payload, &shared).await
}

pub(super) async fn metrics(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    export(Signal::Metrics, &request, payload, &shared).await
}

pub(super) async fn logs(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    export(Signal::Logs, &request, payload, &shared).await
}

/// The answer to other addresses of a port for OTLP.
pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    let message = "404 page not found: this port takes OTLP at /v1/traces, /v1/metrics and /v1/logs; the pages are at \
                   the address of --apm-listen";
    respond::error(&request, 404, message)
}

async fn export(
    signal: Signal,
    request: &HttpRequest,
    mut payload: web::Payload,
    shared: &Shared,
) -> HttpResponse {
    let export = match read(signal, request) {
        Ok(export) => export,
        Err((status, message)) => {
            let mut response = respond::error(request, status, &message);
            if status == 405 {
                let post = header::HeaderValue::from_static("POST");
                response.headers_mut().insert(header::ALLOW, post);
            }
            return body::refused(response, payload).await;
        }
    };
    match shared.intake.export(export, &mut payload).await {
        Ok(done) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, otlp::media_type(export.encoding)))
            .body(otlp::success(signal, export.encoding, &done)),
        Err(error) => {
            let response = refusal(export.encoding, &Status::from(&error));
            body::refused(response, payload).await
        }
    }
}

/// Reads what the head of a request says of its body. Gives that, or the status of the refusal, and the remedy.
fn read(signal: Signal, request: &HttpRequest) -> Result<Export, (u16, String)> {
    if request.method() != Method::POST {
        return Err((
            405,
            "method not supported: send telemetry with POST".to_owned(),
        ));
    }
    let named = |name| {
        let value = request.headers().get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let excerpt = |text: &str| text[..text.floor_char_boundary(128)].to_owned();
    let kind = named(header::CONTENT_TYPE).unwrap_or_default();
    let encoding = otlp::of_media_type(&kind).ok_or_else(|| {
        let kind = excerpt(&kind);
        let message = format!(
            "the content type '{kind}' is not known: send application/x-protobuf or application/json"
        );
        (415, message)
    })?;
    let compressed = named(header::CONTENT_ENCODING).unwrap_or_default();
    let compression = Compression::named(&compressed).ok_or_else(|| {
        let compressed = excerpt(&compressed);
        let message = format!(
            "the content encoding '{compressed}' is not known: send gzip, zstd or deflate, or no encoding"
        );
        (415, message)
    })?;
    Ok(Export {
        wire: Wire::OtlpHttp,
        signal,
        encoding,
        compression,
    })
}

/// A refusal in the encoding of its request.
fn refusal(encoding: Encoding, status: &Status) -> HttpResponse {
    respond::status(encoding, status.http(), status)
}
