//! Who may ask.
//!
//! * *Host*: a server on loopback answers to the names of this machine, and to those that it is told (see `hosts`).
//! * *Origin*: nothing is changed on behalf of another site's page (see `site`).
//! * *Secret token*: agents send it as a bearer; a browser gets a session for it (see `login`).
//!
//! A request is judged by the route that answers it, never by its address, which can be spelled in many ways. Addresses that do not
//! exist are answered with 404.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq as _;

use super::body::{self, Portions, Unfinished};
use super::hosts::Hosts;
use super::sessions::{self, Sessions};
use super::site::{self, Site};
use super::{Shared, connections, login, respond};
use crate::config::{Config, SecretToken};
use crate::front::Front;
use crate::route::{Access, Body, Caller, Rules};

const MISSING: &str = "authentication failed: missing or improperly formatted Authorization header: expected \
                       'Authorization: Bearer secret_token' or 'Authorization: ApiKey base64(API key ID:API key)'";

/// What a server lets in.
#[derive(Debug)]
pub(crate) struct Guard {
    token: Option<SecretToken>,
    hosts: Hosts,
    pub(super) sessions: Sessions,
}

impl Guard {
    /// `is_exposed`: whether it is reached from beyond this machine.
    pub(crate) fn new(config: &Config, is_exposed: bool) -> Self {
        Self {
            token: config.secret_token.clone(),
            hosts: Hosts::new(config, is_exposed),
            sessions: Sessions::default(),
        }
    }

    /// Whether this is the token, in a time that does not depend on it. Without a token, anything is.
    pub(super) fn is_token(&self, given: &[u8]) -> bool {
        let equals = |token: &SecretToken| given.ct_eq(token.expose().as_bytes()).into();
        self.token.as_ref().is_none_or(equals)
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
    if shared.guard.token.is_some() && is_trusted(request.request(), &shared.guard) {
        connections::trust(request.request());
    } else if !connections::has_place(request.request()) {
        return Ok(refused_busy(request));
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
    let access = rules.access(request.method());
    if matches!(access, Access::Read | Access::Admin) && rules.body == Body::Whole && !rules.light {
        match shared.unsent.permit().await {
            // Held until the answer is handed over; see `protect`.
            Some(permit) => _ = request.extensions_mut().insert(permit),
            None => return Ok(refused_busy(request)),
        }
    }
    next.call(request).await
}

fn refused_busy(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let response = respond::busy(request.request());
    refused(request, response)
}

/// An answer that ends the connection, whatever of the request has not come yet.
fn refused(mut request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
    let unread = request.take_payload();
    let response = request.into_response(response);
    response.map_body(|_, body| BoxBody::new(Portions::new(body, Some(Unfinished::new(unread)))))
}

fn refuse(request: &HttpRequest, rules: &Rules, guard: &Guard) -> Option<HttpResponse> {
    let forbidden = |message: String| Some(respond::error(request, 403, &message));
    if let Some(host) = guard.hosts.foreign(request) {
        return forbidden(format!(
            "forbidden request: host: '{}' is not allowed: name it in --apm-allowed-hosts (APM_ALLOWED_HOSTS) if this server is \
             reached by it",
            excerpt(host)
        ));
    }
    let access = rules.access(request.method());
    let is_safe = request.method().is_safe();
    let front = Front::of(request);
    if is_safe && access != Access::Open && site::is_embedded(request) {
        return forbidden("forbidden request: another site's page cannot load this".to_owned());
    }
    if !is_safe {
        match site::of(request, &front) {
            Site::Own => {}
            Site::Foreign(site) => {
                return forbidden(format!(
                    "forbidden request: origin: '{}' is not allowed: this server is asked as '{}'. If a proxy has changed the \
                     Host header, name the proxy in --apm-trusted-proxies (APM_TRUSTED_PROXIES)",
                    excerpt(&site),
                    excerpt(&front.host)
                ));
            }
            Site::Unsaid => {
                if rules.caller == Caller::Page && !has_token(request, guard) {
                    let message = "forbidden request: an Origin header is required";
                    return forbidden(message.to_owned());
                }
            }
        }
    }
    if access == Access::Open || is_trusted(request, guard) {
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

fn text(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(128)]
}
