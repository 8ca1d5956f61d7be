//! Who may ask.
//!
//! * *Host*: a server on loopback answers only to names of this machine, or any page in a browser could read it under
//!   a name of its own that it lets point here (DNS rebinding).
//! * *Origin*: nothing is changed on behalf of another site's page.
//! * *Secret token*: agents send it as a bearer; a browser gets a session for it (see `login`).
//!
//! Telemetry is untrusted text, so every answer also carries the headers that keep a browser from running it.

use std::net::IpAddr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, uri::PathAndQuery};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq as _;

use super::sessions::{self, Sessions};
use super::{Shared, login, respond};
use crate::config::{Config, SecretToken};

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
    pub(super) fn is_token(&self, given: &str) -> bool {
        let equals = |token: &SecretToken| given.as_bytes().ct_eq(token.expose().as_bytes()).into();
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

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    }
}

/// Whether a request carries the token or a session, or needs none.
pub(super) fn is_trusted(request: &HttpRequest, guard: &Guard) -> bool {
    let bearer =
        text(request, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    guard.token.is_none()
        || bearer.is_some_and(|given| guard.is_token(given))
        || sessions::sent(request).is_some_and(|session| guard.sessions.has(session))
}

/// Lets a request through, or answers it.
pub(super) async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let shared = request
        .app_data::<web::Data<Shared>>()
        .expect("every worker has it");
    match refuse(request.request(), &shared.guard) {
        Some(response) => Ok(request.into_response(response).map_into_right_body()),
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

fn refuse(request: &HttpRequest, guard: &Guard) -> Option<HttpResponse> {
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
    let path = request.path();
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !is_safe {
        let is_for_agents = path == "/"
            || ["/intake/", "/config/", "/api/v1/"]
                .iter()
                .any(|own| path.starts_with(own));
        let origin = request.headers().get(header::ORIGIN);
        match origin.map(|origin| origin.to_str().unwrap_or_default()) {
            Some(origin) if !is_own(origin, host) => {
                let message = format!(
                    "forbidden request: origin: '{}' is not allowed",
                    excerpt(origin)
                );
                return Some(respond::error(request, 403, &message));
            }
            None if !is_for_agents => {
                let message = "forbidden request: an Origin header is required";
                return Some(respond::error(request, 403, message));
            }
            _ => {}
        }
    }
    let is_open = matches!(path, "/" | "/healthz" | "/login") || path.starts_with("/assets/");
    if is_open || is_trusted(request, guard) {
        return None;
    }
    if is_safe && respond::wants_page(request) {
        let next = request
            .uri()
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        return Some(login::redirect(next));
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

/// Adds the headers that keep a browser from running what telemetry says, unless a handler set its own.
pub(super) async fn protect<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    const POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; \
                          base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let wanted = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in wanted {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}
