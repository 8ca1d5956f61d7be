//! Whether a request comes from one of this server's own pages, or from another site's.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::hosts;
use crate::front::Front;

/// The relation between the server and the page that sent a request, as the browser tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// One of this server's pages, or the reader by hand.
    Own,
    /// Another site's page, by its name.
    Foreign(String),
    /// Nothing is said: no browser, or an old one that reads.
    Unsaid,
}

/// Judges a request. `Sec-Fetch-Site` is the browser's own judgement, which no proxy on the way can spoil and no page
/// can set. Browsers leave it out where the connection is not encrypted; then the Origin is compared with the addresses
/// of this server.
pub(super) fn judge(request: &HttpRequest, front: &Front) -> Site {
    let headers = request.headers();
    let origins = || {
        let all = headers.get_all(header::ORIGIN);
        all.map(|origin| origin.to_str().unwrap_or("?"))
    };
    let mut said = headers.get_all("sec-fetch-site").peekable();
    if said.peek().is_some() {
        return match said.all(|site| site == "same-origin" || site == "none") {
            true => Site::Own,
            false => Site::Foreign(origins().next().unwrap_or("another site").to_owned()),
        };
    }
    // A proxy passes on the name by which it was asked, or puts its own in its place.
    let named = headers.get_all(header::HOST).next();
    let named = named.and_then(|host| host.to_str().ok());
    let own = [named, Some(front.host.as_str())];
    let is_own = |origin: &str| own.iter().flatten().any(|host| is_at(origin, host));
    match origins().find(|origin| !is_own(origin)) {
        Some(foreign) => Site::Foreign(foreign.to_owned()),
        None if headers.contains_key(header::ORIGIN) => Site::Own,
        None => Site::Unsaid,
    }
}

/// Whether another site's page loads this as a part of itself: an image, a script, a frame. Following a link is none of
/// these.
pub(super) fn is_embedded(request: &HttpRequest) -> bool {
    let says = |name: &str, values: &[&str]| {
        let mut said = request.headers().get_all(name);
        said.any(|value| values.iter().any(|known| value == known))
    };
    let is_link = says("sec-fetch-mode", &["navigate"])
        && !says("sec-fetch-dest", &["iframe", "frame", "embed", "object"]);
    says("sec-fetch-site", &["cross-site", "same-site"]) && !is_link
}

/// Whether an origin is that of a host. Where the host names no port it is the default one of the origin's scheme: that
/// the server is asked by this scheme is not known, as a proxy may have taken the encryption off.
fn is_at(origin: &str, host: &str) -> bool {
    let (authority, default) = match origin.split_once("://") {
        Some(("http", authority)) => (authority, 80),
        Some(("https", authority)) => (authority, 443),
        _ => return false,
    };
    let (of, port) = hosts::split(authority);
    let (name, named) = hosts::split(host);
    !name.is_empty()
        && of.eq_ignore_ascii_case(name)
        && port.unwrap_or(default) == named.unwrap_or(default)
}

#[cfg(test)]
mod tests;
