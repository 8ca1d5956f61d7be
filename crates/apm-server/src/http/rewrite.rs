//! The way in, before a route is looked for: who asks under which address, and the path that the routes know. The way
//! out: addresses and cookies as the client needs them.

use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use super::Shared;
use super::proxy::{self, Arrived};
use crate::config::BasePath;
use crate::front::Front;
use crate::listen::Encrypted;

/// Finds the front of a request, and leaves of its path what the routes know.
pub(super) async fn rewrite<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let front = Rc::new(front(&request));
    if let Some(uri) = routed(&request, &front) {
        // The router looks at its own copy of the path, and handlers at the head: both have to change.
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    request.extensions_mut().insert(Rc::clone(&front));
    let mut response = next.call(request).await?.map_into_boxed_body();
    lead_back(response.headers_mut(), &front);
    Ok(response)
}

fn front(request: &ServiceRequest) -> Front {
    let shared = request.app_data::<web::Data<Shared>>();
    let config = &shared.expect("every worker has it").config;
    let named = request.headers().get(header::HOST);
    let in_address = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let arrived = Arrived {
        peer: request.peer_addr().map(|peer| peer.ip()),
        is_https: request.conn_data::<Encrypted>().is_some(),
        host: named
            .and_then(|host| host.to_str().ok())
            .or(in_address)
            .unwrap_or_default(),
        headers: request.headers(),
    };
    proxy::front(&arrived, &config.trusted_proxies, &config.base_path)
}

/// The address with the path that the routes know, if it is another one than arrived: without the base path, which a
/// proxy may have taken off or not, and with one slash for several, as agents send it whose server's address ends with
/// one.
fn routed(request: &ServiceRequest, front: &Front) -> Option<Uri> {
    let shared = request.app_data::<web::Data<Shared>>()?;
    let whole = request.uri().path();
    let slim = one_slash(whole);
    let path = slim.as_deref().unwrap_or(whole);
    // The path that a proxy names stands before that of the option.
    let rest = [&front.base, &shared.config.base_path]
        .into_iter()
        .find_map(|base: &BasePath| base.rest(path).filter(|_| !base.is_root()));
    let path = rest.unwrap_or(path);
    if path == whole {
        return None;
    }
    let query = request.uri().query();
    let address = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(address.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// A path with one slash in the place of several; `None` where there are none.
fn one_slash(path: &str) -> Option<String> {
    path.contains("//").then(|| {
        let mut slim = String::with_capacity(path.len());
        for character in path.chars() {
            if character != '/' || !slim.ends_with('/') {
                slim.push(character);
            }
        }
        slim
    })
}

/// Redirections and cookies are made as if nothing stood before the routes, and the connection were plain.
fn lead_back(headers: &mut HeaderMap, front: &Front) {
    if !front.base.is_root()
        && let Some(location) = headers
            .get(header::LOCATION)
            .and_then(|to| to.to_str().ok())
        && location.starts_with('/')
        && !location.starts_with("//")
        && let Ok(location) = format!("{}{location}", front.base).parse()
    {
        headers.insert(header::LOCATION, location);
    }
    // Most answers set no cookie, and most servers stand at the root: their headers stay as they are.
    if !front.is_https && front.base.is_root() || !headers.contains_key(header::SET_COOKIE) {
        return;
    }
    let cookies: Vec<HeaderValue> = headers.remove(header::SET_COOKIE).collect();
    for cookie in cookies {
        let cookie = moved(&cookie, front).unwrap_or(cookie);
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// A cookie for the base path alone: other programs behind the same proxy do not get it. One that came encrypted never
/// goes unencrypted.
fn moved(cookie: &HeaderValue, front: &Front) -> Option<HeaderValue> {
    let text = cookie.to_str().ok()?;
    let mut moved = match front.base.is_root() {
        true => text.to_owned(),
        false => text.replace("; Path=/;", &format!("; Path={};", front.base)),
    };
    if front.is_https {
        moved.push_str("; Secure");
    }
    moved.parse().ok()
}

#[cfg(test)]
mod tests;
