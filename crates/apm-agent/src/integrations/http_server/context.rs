//! The request and response members of a transaction's context.

use std::borrow::Cow;
use std::net::IpAddr;

use super::headers::HeaderCache;
use crate::config::Snapshot;
use crate::encode::json;
use crate::recording::http::{self, KnownHost};
use crate::sanitize::{self, RedactionCache, urls};

/// Bytes of JSON above which cookies are left out.
const MAX_COOKIES: usize = 32 * 1024;

/// The first line of a request, and the connection that it came by.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// Such as `1.1`.
    pub(crate) version: &'static str,
    /// It came by HTTPS.
    pub(crate) secure: bool,
    /// The host that it was sent to, with its port.
    pub(crate) authority: Option<Cow<'a, str>>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    /// The other end of the connection.
    pub(crate) peer: Option<IpAddr>,
}

impl Head<'_> {
    /// Appends `"request":{…},`. `cookies` finds the value of the `cookie` header, if there is one.
    pub(crate) fn write<'h, N: AsRef<str> + Clone + PartialEq + 'h>(
        &self,
        out: &mut Vec<u8>,
        settings: &Snapshot,
        cache: &mut HeaderCache<N>,
        headers: impl Iterator<Item = (&'h N, &'h [u8])>,
        cookies: impl FnOnce() -> Option<&'h [u8]>,
    ) {
        out.extend_from_slice(b"\"request\":{\"method\":");
        json::keyword(out, self.method);
        out.extend_from_slice(b",\"http_version\":\"");
        out.extend_from_slice(self.version.as_bytes());
        out.extend_from_slice(b"\",\"url\":{");
        self.write_url(out, settings, &mut cache.cookies, &mut cache.host);
        out.push(b'}');
        if settings.capture_headers {
            out.extend_from_slice(b",\"headers\":{");
            let has_cookies = cache.write(out, settings, headers);
            out.push(b'}');
            if has_cookies && let Some(cookies) = cookies() {
                write_cookies(out, settings, cookies, &mut cache.cookies);
            }
        }
        if let Some(peer) = self.peer {
            out.extend_from_slice(b",\"socket\":{\"remote_address\":\"");
            cache.peer.write(out, peer);
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"},");
    }

    /// The URL as the client asked for it.
    fn write_url(
        &self,
        out: &mut Vec<u8>,
        settings: &Snapshot,
        names: &mut RedactionCache,
        host: &mut KnownHost,
    ) {
        let mut is_secret = |name: &str| names.redacts(settings, name);
        let path = urls::text(self.path, &mut is_secret);
        let query = self.query.map(|query| urls::query(query, is_secret));
        let authority = self.authority.as_deref();
        let query = query.as_deref();
        http::write_url(out, self.secure, authority, &path, query, host);
    }
}

/// Appends `,"cookies":{…}` if there are any; each is redacted by its own name.
fn write_cookies(
    out: &mut Vec<u8>,
    settings: &Snapshot,
    header: &[u8],
    names: &mut RedactionCache,
) {
    let text = String::from_utf8_lossy(header);
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
pub(crate) fn write_response<'h, N: AsRef<str> + Clone + PartialEq + 'h>(
    out: &mut Vec<u8>,
    status: u16,
    settings: &Snapshot,
    cache: &mut HeaderCache<N>,
    headers: impl Iterator<Item = (&'h N, &'h [u8])>,
) {
    out.extend_from_slice(b"\"response\":{\"status_code\":");
    json::uint(out, status.into());
    if settings.capture_headers {
        let before = out.len();
        out.extend_from_slice(b",\"headers\":{");
        let none = out.len();
        cache.write(out, settings, headers);
        if out.len() == none {
            out.truncate(before);
        } else {
            out.push(b'}');
        }
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

/// Whether a text is a host, perhaps with a port: anything else would make another address of it.
pub(crate) fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}
