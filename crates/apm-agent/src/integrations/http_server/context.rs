//! The request and response members of a transaction's context.

use std::borrow::Cow;

use super::head::Head;
use super::headers::HeaderCache;
use super::remembered::{LONGEST, place};
use crate::config::Snapshot;
use crate::encode::json;
use crate::recording::http::{self, KnownHost};
use crate::sanitize::{self, RedactionCache, urls};

/// Bytes of JSON above which cookies are left out.
const MAX_COOKIES: usize = 32 * 1024;

impl Head<'_> {
    /// Appends `"request":{…},`. `headers` are given anew with each call, `cookies` finds the value of that header, and
    /// `origin` the address that the client asked for: whether by HTTPS, and which host.
    pub(crate) fn write<'h, N, H>(
        &self,
        out: &mut Vec<u8>,
        settings: &Snapshot,
        cache: &mut HeaderCache<N>,
        headers: impl Fn() -> H,
        origin: impl FnOnce() -> (bool, Option<Cow<'h, str>>),
        cookies: impl FnOnce() -> Option<&'h [u8]>,
    ) where
        N: AsRef<str> + Clone + PartialEq + 'h,
        H: Iterator<Item = (&'h N, &'h [u8])>,
    {
        let (generation, place) = (settings.generation, place(self.path));
        if cache
            .requests
            .write(out, place, generation, self, headers())
        {
            return;
        }
        let before = out.len();
        out.extend_from_slice(b"\"request\":{\"method\":");
        json::keyword(out, self.method);
        out.extend_from_slice(b",\"http_version\":\"");
        out.extend_from_slice(self.version.as_bytes());
        out.extend_from_slice(b"\",\"url\":{");
        let is_plain = self.write_url(out, settings, &mut cache.cookies, &mut cache.host, origin());
        out.push(b'}');
        if settings.capture_headers {
            out.extend_from_slice(b",\"headers\":{");
            let has_cookies = cache.write(out, settings, headers());
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
        // Behind a proxy the address depends on more than is compared, and requests come from many clients.
        if is_plain
            && self.path.len() <= LONGEST
            && !settings.use_forwarded_headers
            && cache.requests.is_wanted(place)
            && let Some(headers) = cache.comparable(settings, headers())
        {
            let json = out.get(before..).unwrap_or_default();
            cache.requests.keep(place, generation, self, headers, json);
        }
    }

    /// The URL as the client asked for it. Whether it has no query, and no secrets that were left out.
    fn write_url(
        &self,
        out: &mut Vec<u8>,
        settings: &Snapshot,
        names: &mut RedactionCache,
        host: &mut KnownHost,
        (secure, authority): (bool, Option<Cow<'_, str>>),
    ) -> bool {
        let mut is_secret = |name: &str| names.redacts(settings, name);
        let path = urls::text(self.path, &mut is_secret);
        let query = self.query.map(|query| urls::query(query, is_secret));
        let (authority, query) = (authority.as_deref(), query.as_deref());
        http::write_url(out, secure, authority, &path, query, host);
        self.query.is_none() && matches!(path, Cow::Borrowed(_))
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

/// Appends `"response":{…},`. `place` is that of the request's path, `headers` are given anew with each call.
pub(crate) fn write_response<'h, N, H>(
    out: &mut Vec<u8>,
    (place, status): (usize, u16),
    settings: &Snapshot,
    cache: &mut HeaderCache<N>,
    headers: impl Fn() -> H,
) where
    N: AsRef<str> + Clone + PartialEq + 'h,
    H: Iterator<Item = (&'h N, &'h [u8])>,
{
    let generation = settings.generation;
    if cache
        .responses
        .write(out, place, generation, &status, headers())
    {
        return;
    }
    let start = out.len();
    out.extend_from_slice(b"\"response\":{\"status_code\":");
    json::uint(out, status.into());
    if settings.capture_headers {
        let before = out.len();
        out.extend_from_slice(b",\"headers\":{");
        let none = out.len();
        cache.write(out, settings, headers());
        if out.len() == none {
            out.truncate(before);
        } else {
            out.push(b'}');
        }
    }
    out.extend_from_slice(b"},");
    if cache.responses.is_wanted(place)
        && let Some(headers) = cache.comparable(settings, headers())
    {
        let json = out.get(start..).unwrap_or_default();
        cache
            .responses
            .keep(place, generation, &status, headers, json);
    }
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

#[cfg(test)]
mod tests;
