//! The head of a request of actix-web, and the headers of a response.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderMap, HeaderName};

use super::origin::origin;
use crate::config::Snapshot;
use crate::integrations::http_server::{self, Head, HeaderCache};

/// Appends `"request":{…},`.
pub(super) fn write(
    out: &mut Vec<u8>,
    request: &ServiceRequest,
    settings: &Snapshot,
    cache: &mut HeaderCache<HeaderName>,
) {
    let head = request.head();
    let first = Head {
        method: head.method.as_str(),
        version: version(head.version),
        secure: request.app_config().secure(),
        authority: head.uri.authority().map(|authority| authority.as_str()),
        path: head.uri.path(),
        query: head.uri.query(),
        peer: head.peer_addr.map(|peer| peer.ip()),
    };
    let headers = || pairs(&head.headers);
    let origin = || origin(request, settings.use_forwarded_headers);
    let cookies = || Some(head.headers.get(header::COOKIE)?.as_bytes());
    first.write(out, settings, cache, headers, origin, cookies);
}

/// Appends `"response":{…},`, to a request for this path.
pub(super) fn write_response<B>(
    out: &mut Vec<u8>,
    path: &str,
    response: &HttpResponse<B>,
    settings: &Snapshot,
    cache: &mut HeaderCache<HeaderName>,
) {
    let answer = (http_server::place(path), response.status().as_u16());
    http_server::write_response(out, answer, settings, cache, || pairs(response.headers()));
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &[u8])> {
    headers.iter().map(|(name, value)| (name, value.as_bytes()))
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        Version::HTTP_3 => "3.0",
        _ => "1.1",
    }
}
