//! The request and response members of a transaction's context.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderMap};

use super::headers::HeaderCache;
use super::origin::origin;
use crate::config::Snapshot;
use crate::encode::json;
use crate::recording::http;
use crate::sanitize::{self, RedactionCache, urls};

/// Bytes of JSON above which cookies are left out.
const MAX_COOKIES: usize = 32 * 1024;

/// Appends `"request":{…},`.
pub(super) fn write(
    out: &mut Vec<u8>,
    request: &ServiceRequest,
    settings: &Snapshot,
    headers: &mut HeaderCache,
) {
    let head = request.head();
    out.extend_from_slice(b"\"request\":{\"method\":");
    json::keyword(out, head.method.as_str());
    out.extend_from_slice(b",\"http_version\":\"");
    out.extend_from_slice(version(head.version));
    out.extend_from_slice(b"\",\"url\":{");
    write_url(out, request, settings, &mut headers.cookies);
    out.push(b'}');
    if settings.capture_headers {
        out.extend_from_slice(b",\"headers\":{");
        headers.write(out, settings, &head.headers);
        out.push(b'}');
        write_cookies(out, settings, &head.headers, &mut headers.cookies);
    }
    if let Some(peer) = head.peer_addr {
        out.extend_from_slice(b",\"socket\":{\"remote_address\":\"");
        write_ip(out, peer.ip());
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"},");
}

/// An address, which needs no escaping. IPv4 by hand: the formatter takes a thousand instructions for it.
fn write_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for octet in ip.octets() {
                json::uint(out, octet.into());
                out.push(b'.');
            }
            out.pop();
        }
        IpAddr::V6(ip) => out.extend_from_slice(ip.to_string().as_bytes()),
    }
}

/// The URL as the client asked for it.
fn write_url(
    out: &mut Vec<u8>,
    request: &ServiceRequest,
    settings: &Snapshot,
    names: &mut RedactionCache,
) {
    let head = request.head();
    let (secure, authority) = origin(request, settings.use_forwarded_headers);
    let mut is_secret = |name: &str| names.redacts(settings, name);
    let path = urls::text(head.uri.path(), &mut is_secret);
    let query = head.uri.query().map(|query| urls::query(query, is_secret));
    http::write_url(out, secure, authority.as_deref(), &path, query.as_deref());
}

/// Appends `,"cookies":{…}` if there are any; each is redacted by its own name.
fn write_cookies(
    out: &mut Vec<u8>,
    settings: &Snapshot,
    headers: &HeaderMap,
    names: &mut RedactionCache,
) {
    let Some(header) = headers.get(header::COOKIE) else {
        return;
    };
    let text = String::from_utf8_lossy(header.as_bytes());
    let before = out.len();
    out.extend_from_slice(b",\"cookies\":{");
    let none = out.len();
    sanitize::cookies(out, &text, |name| names.redacts(settings, name));
    if out.len() == none || out.len() - before > MAX_COOKIES {
        out.truncate(before);
    } else {
        out.push(b'}');
    }
}

/// Appends `"response":{…},`.
pub(super) fn write_response<B>(
    out: &mut Vec<u8>,
    response: &HttpResponse<B>,
    settings: &Snapshot,
    headers: &mut HeaderCache,
) {
    out.extend_from_slice(b"\"response\":{\"status_code\":");
    json::uint(out, response.status().as_u16().into());
    if settings.capture_headers && !response.headers().is_empty() {
        out.extend_from_slice(b",\"headers\":{");
        headers.write(out, settings, response.headers());
        out.push(b'}');
    }
    out.extend_from_slice(b"},");
}

/// Says in a response that was written before that it was not sent to its end.
pub(super) fn mark_unfinished(context: &mut Vec<u8>) {
    if context.ends_with(b"},") {
        context.truncate(context.len() - 2);
        context.extend_from_slice(b",\"finished\":false},");
    }
}

fn version(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_09 => b"0.9",
        Version::HTTP_10 => b"1.0",
        Version::HTTP_2 => b"2.0",
        Version::HTTP_3 => b"3.0",
        _ => b"1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_the_standard_library_writes_them() {
        for text in ["127.0.0.1", "255.10.200.9", "::1", "2001:db8::7"] {
            let mut out = Vec::new();
            write_ip(&mut out, text.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
