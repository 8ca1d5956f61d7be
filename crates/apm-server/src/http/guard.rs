//! Who may ask.
//!
//! * *Host*: a server on loopback answers only to names of this machine, or any page in a browser could read it under
//!   a name of its own that it lets point here (DNS rebinding).
//! * *Origin*: nothing is changed on behalf of another site's page.
//! * *Secret token*: agents send it as a bearer; a browser gets a session for it (see `login`).
//!
//! A request is judged by the route that answers it, never by its address, which can be spelled in many ways. Addresses that do not
//! exist are answered with 404.

use std::net::IpAddr;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq as _;

use super::body::{self, Portions};
use super::sessions::{self, Sessions};
use super::{Shared, login, respond};
use crate::config::{Config, SecretToken};
use crate::route::{Access, Body, Caller, Rules};

const MISSING: &str = "authentication failed: missing or improperly formatted Authorization header: expected \
                       'Authorization: Bearer secret_token' or 'Authorization: ApiKey base64(API key ID:API key)'";

/// What a server lets in.
#[derive(Debug)]
pub(crate) struct Guard {
    token: Option<SecretToken>,
    /// Names that it answers to besides those of the machine; `None`: to any.
    hosts: Option<Vec<String>>,
    pub(super) sessions: Sessions,
}

impl Guard {
    /// `is_exposed`: whether it is reached from beyond this machine, under names that it cannot know.
    pub(crate) fn new(config: &Config, is_exposed: bool) -> Self {
        let named = config.allowed_hosts.iter().map(String::as_str);
        let hosts = named
            .chain([host_of(&config.listen)])
            .map(str::to_ascii_lowercase)
            .collect();
        let any = is_exposed && config.allowed_hosts.is_empty();
        Self {
            token: config.secret_token.clone(),
            hosts: (!any).then_some(hosts),
            sessions: Sessions::default(),
        }
    }

    /// Whether this is the token, in a time that does not depend on it. Without a token, anything is.
    pub(super) fn is_token(&self, given: &[u8]) -> bool {
        let equals = |token: &SecretToken| given.ct_eq(token.expose().as_bytes()).into();
        self.token.as_ref().is_none_or(equals)
    }

    fn is_host(&self, host: &str) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let name = host_of(host).trim_end_matches('.').to_ascii_lowercase();
        name.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || hosts.contains(&name)
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address. Empty where it is neither.
fn host_of(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => host,
            Some((host, port)) if port.strip_prefix(':').is_some_and(is_port) => host,
            _ => "",
        },
        None => match authority.rsplit_once(':') {
            Some((host, port)) if is_port(port) => host,
            Some(_) => "",
            None => authority,
        },
    }
}

/// Whether a request carries the token or a session, or needs none.
pub(super) fn is_trusted(request: &HttpRequest, guard: &Guard) -> bool {
    guard.token.is_none()
        || has_token(request, guard)
        || sessions::sent(request).any(|session| guard.sessions.has(session))
}

/// Whether a request carries the token itself, which no other site can make a browser send.
fn has_token(request: &HttpRequest, guard: &Guard) -> bool {
    let given = request.headers().get(header::AUTHORIZATION);
    let bearer = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    guard.token.is_some() && bearer.is_some_and(|given| guard.is_token(given))
}

/// Lets a request through to the route that answers it, its body read unless the handler reads it; or answers it.
pub(super) async fn check(
    rules: Rc<Rules>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let shared = request
        .app_data::<web::Data<Shared>>()
        .cloned()
        .expect("every worker has it");
    if let Some(response) = refuse(request.request(), &rules, &shared.guard) {
        let (method, status) = (request.method(), response.status());
        log::debug!("{method} {}: refused with {status}", rules.path);
        return Ok(refused(request, response));
    }
    if rules.body == Body::Whole
        && let Err(why) = body::read(&mut request, shared.config.read_timeout).await
    {
        let (status, message) = match why {
            body::Unread::Large => (413, "request body too large"),
            body::Unread::Late => (503, "request timed out"),
            body::Unread::Broken => (400, "data decoding error: the body cannot be read"),
        };
        let response = respond::error(request.request(), status, message);
        return Ok(refused(request, response));
    }
    next.call(request).await
}

/// An answer that ends the connection, whatever of the request has not come yet.
fn refused(mut request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
    let unread = request.take_payload();
    let response = request.into_response(response);
    response.map_body(|_, body| BoxBody::new(Portions::new(body, Some(unread))))
}

fn refuse(request: &HttpRequest, rules: &Rules, guard: &Guard) -> Option<HttpResponse> {
    // HTTP/2 has the host in the address.
    let host =
        text(request, header::HOST).or_else(|| request.uri().authority().map(|host| host.as_str()));
    let host = host.unwrap_or_default();
    if !guard.is_host(host) {
        let message = format!(
            "forbidden request: host: '{}' is not allowed",
            excerpt(host)
        );
        return Some(respond::error(request, 403, &message));
    }
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !is_safe {
        let origins = request.headers().get_all(header::ORIGIN);
        let mut origins = origins.map(|origin| origin.to_str().unwrap_or_default());
        if let Some(foreign) = origins.find(|origin| !is_own(origin, host)) {
            let message = format!(
                "forbidden request: origin: '{}' is not allowed",
                excerpt(foreign)
            );
            return Some(respond::error(request, 403, &message));
        }
        let needs_origin = rules.caller == Caller::Page && !has_token(request, guard);
        if needs_origin && !request.headers().contains_key(header::ORIGIN) {
            let message = "forbidden request: an Origin header is required";
            return Some(respond::error(request, 403, message));
        }
    }
    if rules.access(request.method()) == Access::Open || is_trusted(request, guard) {
        return None;
    }
    if is_safe && respond::wants_page(request) {
        return Some(login::redirect(request));
    }
    Some(unauthorized(request))
}

fn unauthorized(request: &HttpRequest) -> HttpResponse {
    let scheme = text(request, header::AUTHORIZATION).and_then(|given| given.split_once(' '));
    let message = match scheme {
        Some(("Bearer" | "ApiKey", _)) => "authentication failed".to_owned(),
        Some((scheme, _)) => format!(
            "authentication failed: unknown Authentication header {}: expected 'Authorization: Bearer secret_token' \
             or 'Authorization: ApiKey base64(API key ID:API key)'",
            excerpt(scheme)
        ),
        None => MISSING.to_owned(),
    };
    let mut response = respond::error(request, 401, &message);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

fn is_own(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn text(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(128)]
}
