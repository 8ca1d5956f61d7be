//! Scheme and host of a request's address.

use std::borrow::Cow;

use actix_web::dev::ServiceRequest;
use actix_web::http::header;

use crate::integrations::http_server::is_host;

/// The address to which the client sent its request: whether by HTTPS, and to which host.
pub(super) fn origin(request: &ServiceRequest, forwarded: bool) -> (bool, Option<Cow<'_, str>>) {
    let head = request.head();
    let secure = request.app_config().secure();
    // By the `Host` header, or by the authority in HTTP/2.
    let authority = head
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| head.uri.authority().map(|authority| authority.as_str()));
    if !forwarded {
        return (secure, authority.map(Cow::Borrowed));
    }
    let told = request.connection_info();
    let secure = match told.scheme() {
        "https" | "wss" => true,
        "http" | "ws" => false,
        _ => secure,
    };
    let authority = match told.host() {
        host if is_host(host) => Some(Cow::Owned(host.to_owned())),
        _ => authority.map(Cow::Borrowed),
    };
    (secure, authority)
}
