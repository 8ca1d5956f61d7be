//! The guard, which decides who may ask.
//!
//! * *Host*: a server on loopback answers to the names of this machine, and to those that it is told (see `hosts`). A
//!   request that names none gets open routes alone.
//! * *Origin*: nothing is changed on behalf of another site's page (see `site`).
//! * *Secrets*: agents and scripts send the secret token or an API key in a header; a browser gets a session for one
//!   (see `login`).
//!
//! A request is judged by the route that answers it, never by its address, which can be spelled in many ways. Addresses
//! that do not exist are answered with 404.

mod again;
mod judge;

use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};

use self::judge::{MISSING, Verdict, judge, lacks, listed};
use super::attempts::Attempts;
use super::body::{self, Portions};
use super::credentials::{Credentials, Holder};
use super::hosts::Hosts;
use super::refusals::{Refusal, Refusals};
use super::rum::{self, Before, Rum};
use super::sessions::{self, Sessions};
use super::{Shared, cors, respond};
use crate::config::Config;
use crate::connections;
use crate::front::Front;
use crate::otlp::{Code, Status};
use crate::route::{Access, Body, Rules, Sites};
use crate::unread::Unfinished;

/// The rules by which a server lets callers in.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Hosts,
    /// Those of the port for OTLP.
    otlp_hosts: Hosts,
    /// Of pages of other sites that may send telemetry.
    origins: Vec<String>,
    /// The terms for browsers' agents; `None`: they are not taken.
    pub(super) rum: Option<Rum>,
    pub(super) credentials: Credentials,
    pub(super) sessions: Sessions,
    /// Wrong secrets in headers. Agents with an old one share addresses with others, so nobody waits for long.
    headers: Attempts,
    /// Wrong secrets that were typed.
    pub(super) logins: Attempts,
    pub(super) refusals: Refusals,
}

/// The caller as the guard sees it.
#[derive(Debug)]
pub(super) enum Seen {
    /// Someone who has shown a secret, or anyone where none is needed.
    Holder {
        holder: Holder,
        /// Whether the secret came in a header, which no other site can make a browser send.
        in_header: bool,
    },
    /// No secret, or a wrong one.
    Nobody,
    /// A secret that is not looked at yet: too many before it were wrong.
    Waits(Duration),
}

impl Guard {
    /// The guard of a server whose ports are reached from as far as `exposed` says.
    pub(crate) fn new(config: &Config, credentials: Credentials, exposed: Exposed) -> Self {
        let otlp = config.otlp_listen.as_deref().unwrap_or_default();
        Self {
            hosts: Hosts::new(config, &config.listen, exposed.pages),
            otlp_hosts: Hosts::new(config, otlp, exposed.otlp),
            origins: config.otlp_origins.clone(),
            rum: config.rum.clone().map(Rum::new),
            credentials,
            sessions: Sessions::default(),
            headers: Attempts::new(20, Duration::from_secs(1)),
            logins: Attempts::new(5, Duration::from_secs(60)),
            refusals: Refusals::default(),
        }
    }

    /// Sees who sends a request.
    pub(super) fn see(&self, request: &HttpRequest) -> Seen {
        if let Some(holder) = self.credentials.anyone() {
            // It proves nothing here, so that forms have to say where they come from.
            let in_header = false;
            return Seen::Holder { holder, in_header };
        }
        let now = Instant::now();
        let shown = request.headers().get(header::AUTHORIZATION);
        let seen = shown.map(|shown| {
            let client = Front::from_request(request).client;
            self.see_header(client, shown.as_bytes(), now)
        });
        // A wrong header does not shut out a browser that is signed in: its session is looked at next.
        if let Some(Seen::Holder { .. }) = seen {
            return seen.unwrap_or(Seen::Nobody);
        }
        // The session of a secret that is no longer in force is over.
        let mut begun =
            sessions::sent(request).filter_map(|cookie| self.sessions.credential(cookie, now));
        match begun.find_map(|secret| self.credentials.still(&secret)) {
            Some(holder) => Seen::Holder {
                holder,
                in_header: false,
            },
            None => seen.unwrap_or(Seen::Nobody),
        }
    }

    fn see_header(&self, client: Option<IpAddr>, shown: &[u8], now: Instant) -> Seen {
        let waits = self.headers.wait(client, now);
        // Looked up also while the address waits: a secret that was right from there before is let through.
        match (self.credentials.in_header(shown), waits) {
            (Some(holder), None) => {
                self.headers.passed(client, &holder.secret);
                let in_header = true;
                Seen::Holder { holder, in_header }
            }
            (Some(holder), Some(_)) if self.headers.is_known(client, &holder.secret) => {
                Seen::Holder {
                    holder,
                    in_header: true,
                }
            }
            (_, Some(left)) => Seen::Waits(left),
            (None, None) => {
                self.headers.failed(client, now);
                Seen::Nobody
            }
        }
    }
}

impl Guard {
    /// Whether a caller may send telemetry without a request of HTTP/1.1. Gives whether it has shown a secret.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn admit(&self, client: IpAddr, shown: Option<&[u8]>) -> Result<bool, Status> {
        if self.credentials.anyone().is_some() {
            return Ok(false);
        }
        let now = Instant::now();
        let seen = shown.map(|shown| self.see_header(Some(client), shown, now));
        let (why, status) = match seen {
            Some(Seen::Holder { holder, .. }) if holder.may(Access::Intake) => return Ok(true),
            Some(Seen::Holder { holder, .. }) => {
                let message = lacks(&holder, Access::Intake);
                (
                    Refusal::Privilege,
                    Status::new(Code::PermissionDenied, message),
                )
            }
            Some(Seen::Waits(left)) => (
                Refusal::Attempts,
                Status::after(left, respond::wait_message(left)),
            ),
            Some(Seen::Nobody) => (
                Refusal::Credentials,
                Status::new(Code::Unauthenticated, "authentication failed"),
            ),
            None => (
                Refusal::Credentials,
                Status::new(Code::Unauthenticated, MISSING),
            ),
        };
        self.refusals.count(why);
        Err(status)
    }
}

/// The ports that are reached from beyond this machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exposed {
    /// That of the pages.
    pub(crate) pages: bool,
    /// That for OTLP over HTTP.
    pub(crate) otlp: bool,
}

/// Whether a request carries a secret or a session, or needs none.
pub(super) fn is_trusted(request: &HttpRequest, guard: &Guard) -> bool {
    matches!(guard.see(request), Seen::Holder { .. })
}

/// Lets a request through to the route that answers it, its body read unless the handler reads it; or answers it.
pub(super) async fn check(
    rules: Rc<Rules>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let shared = request
        .app_data::<web::Data<Shared>>()
        .cloned()
        .expect("every worker has it");
    // Their pages have to be able to read refusals, too, which needs the headers of CORS on each answer.
    if rules.sites == Sites::Browsers {
        return browsers(&rules, request, next, &shared).await;
    }
    let Some(origin) = listed(&rules, request.request(), &shared.guard) else {
        return pass(&rules, request, next, &shared).await;
    };
    let mut response = match cors::preflight(request.request()) {
        Some(answer) => request.into_response(answer),
        None => pass(&rules, request, next, &shared).await?,
    };
    cors::allow(response.headers_mut(), origin);
    Ok(response)
}

/// A request of a browser's agent. Its page may read every answer, refusals too, if its site is listed.
async fn browsers(
    rules: &Rules,
    request: ServiceRequest,
    next: Next<BoxBody>,
    shared: &Shared,
) -> Result<ServiceResponse, Error> {
    let origin = listed(rules, request.request(), &shared.guard);
    let mut response = match rum::before(request.request(), shared.guard.rum.as_ref()) {
        Before::Passes => pass(rules, request, next, shared).await?,
        Before::Preflight(answer) => request.into_response(answer),
        Before::Refused(answer) => {
            shared.guard.refusals.count(Refusal::Site);
            refused(request, answer)
        }
        Before::Off(answer) => refused(request, answer),
    };
    match origin {
        Some(origin) => cors::allow(response.headers_mut(), origin),
        None => cors::vary(response.headers_mut()),
    }
    Ok(response)
}

async fn pass(
    rules: &Rules,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
    shared: &Shared,
) -> Result<ServiceResponse, Error> {
    match judge(request.request(), rules, &shared.guard) {
        Verdict::Refused(response) => {
            let (method, status) = (request.method(), response.status());
            log::debug!("{method} {}: refused with {status}", rules.path);
            return Ok(refused(request, response));
        }
        Verdict::Trusted => connections::trust(request.request()),
        Verdict::Open if !connections::has_place(request.request()) => {
            return Ok(refused_busy(request));
        }
        Verdict::Open => {}
    }
    // Only now: a body is read of those who may send it.
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
        match shared.response_budget.permit().await {
            // Held until the answer is handed over; see `protect`.
            Some(permit) => _ = request.extensions_mut().insert(permit),
            None => return Ok(refused_busy(request)),
        }
    }
    let mut response = next.call(request).await?;
    if matches!(access, Access::Read | Access::Admin) {
        keep_private(response.headers_mut());
    }
    Ok(again::watched(response, access, &shared.guard))
}

/// A cache that is shared keeps nothing that only some may read.
fn keep_private(headers: &mut HeaderMap) {
    let said = headers.get(header::CACHE_CONTROL);
    if said.is_none_or(|said| said == "no-cache") {
        let value = HeaderValue::from_static("private, no-cache");
        headers.insert(header::CACHE_CONTROL, value);
    }
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
