//! `POST /intake/v2/rum/events`, `/intake/v3/rum/events` and `/config/v1/rum/agents`: agents in browsers.
//!
//! A page can hold no secret, so these addresses are open where the server is told to take browsers (`--rum`). What
//! holds instead of a secret: the sites that may send, the agents and services, and a rate for each address.

mod origins;
mod rate;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::{Browser, Report, Stream, Terms, Visitor};
use apm_store::Store;

use self::origins::Origins;
use self::rate::Rate;
use super::refusals::Refusal;
use super::{Shared, agents, body, intake, respond};
use crate::config::{self, ClientAddress};
use crate::front::Front;

/// Agents that may send without a secret.
const AGENTS: [&str; 2] = ["rum-js", "js-base"];

/// Headers that a page may always send.
const HEADERS: &str = "Content-Type, Content-Encoding, Accept";

const OFF: &str = "forbidden request: RUM endpoint is disabled. Configure the `apm-server.rum` section in \
                   apm-server.yml to enable ingestion of RUM events. If you are not using the RUM agent, you can \
                   safely ignore this error. (Pocket APM: start it with --rum.)";

/// The terms on which browsers are taken.
#[derive(Debug)]
pub(super) struct Rum {
    origins: Origins,
    /// The headers that a page may send, as a browser is told.
    headers: String,
    services: Arc<[String]>,
    rate: Arc<Rate>,
    client_address: ClientAddress,
}

impl Rum {
    pub(super) fn new(config: config::Rum) -> Self {
        Self {
            origins: Origins::new(&config.allow_origins),
            headers: [HEADERS]
                .into_iter()
                .chain(config.allow_headers.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(", "),
            services: config.allow_services.into(),
            rate: Arc::new(Rate::new(config.rate)),
            client_address: config.client_address,
        }
    }

    /// The origin of a request, if its site may send.
    pub(super) fn origin(&self, request: &HttpRequest) -> Option<header::HeaderValue> {
        self.origins.allowed(request)
    }

    fn terms(&self, address: IpAddr) -> Anonymous {
        Anonymous {
            services: Arc::clone(&self.services),
            rate: Arc::clone(&self.rate),
            address,
        }
    }
}

/// A sender that has shown no secret.
#[derive(Debug)]
struct Anonymous {
    services: Arc<[String]>,
    rate: Arc<Rate>,
    address: IpAddr,
}

impl Terms for Anonymous {
    fn admit(&self, agent: &str, service: &str) -> Result<(), String> {
        if !AGENTS.contains(&agent) {
            let agent = &agent[..agent.floor_char_boundary(128)];
            return Err(format!(
                "anonymous access not permitted for agent \"{agent}\""
            ));
        }
        self.admit_service(service)
    }

    fn take(&self, events: u32) -> bool {
        self.rate.take(self.address, events)
    }
}

impl Anonymous {
    fn admit_service(&self, service: &str) -> Result<(), String> {
        if self.services.is_empty() || self.services.iter().any(|known| known == service) {
            return Ok(());
        }
        let service = &service[..service.floor_char_boundary(128)];
        Err(format!(
            "anonymous access not permitted for service \"{service}\""
        ))
    }
}

/// The judgement of a request by the site that sends it.
pub(super) enum Before {
    Passes,
    /// A browser asks whether a page may send.
    Preflight(HttpResponse),
    /// Its site may not send.
    Refused(HttpResponse),
    /// Browsers are not taken.
    Off(HttpResponse),
}

/// Judges a request by the site that sends it, before anything else is looked at.
pub(super) fn before(request: &HttpRequest, rum: Option<&Rum>) -> Before {
    if request.method() == Method::OPTIONS {
        let headers = rum.map_or(HEADERS, |rum| &rum.headers);
        return Before::Preflight(preflight(headers));
    }
    let Some(rum) = rum else {
        return Before::Off(respond::error(request, 403, OFF));
    };
    // Programs that are no page name no origin. They may send where every page may.
    if rum.origins.are_all() || rum.origin(request).is_some() {
        return Before::Passes;
    }
    let sent = request.headers().get(header::ORIGIN);
    let origin = sent.map_or("".into(), |origin| {
        String::from_utf8_lossy(origin.as_bytes())
    });
    let origin = &origin[..origin.floor_char_boundary(128)];
    let message = format!("forbidden request: origin: '{origin}' is not allowed");
    Before::Refused(respond::error(request, 403, &message))
}

/// The answer to a browser that asks whether a page may send. Without the header that names its site, the page may
/// not.
fn preflight(headers: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, headers))
        .insert_header((header::ACCESS_CONTROL_EXPOSE_HEADERS, "Etag"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "3600"))
        .finish()
}

/// The events of a browser.
pub(super) async fn events(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let Some(rum) = &shared.guard.rum else {
        return body::refused(respond::error(&request, 403, OFF), payload).await;
    };
    let terms = match enter(&request, &shared, rum) {
        Ok(terms) => terms,
        Err(refused) => return body::refused(*refused, payload).await,
    };
    if let Err(message) = intake::check(&request) {
        let mut report = Report::default();
        report.add(400, message, b"");
        return body::refused(intake::answer(&request, &report), payload).await;
    }
    let text = |name| {
        let value = request.headers().get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let browser = Browser {
        visitor: visitor(&request, rum, text(header::USER_AGENT)),
        terms: terms.map(|terms| Box::new(terms) as Box<dyn Terms>),
        longest: shared.config.read_timeout,
    };
    let encoding = text(header::CONTENT_ENCODING);
    let counters = Arc::clone(&shared.intake.counters);
    let limit = shared.config.max_event_size;
    let stream = Stream::new(encoding.as_deref(), limit, None, counters).browser(browser);
    intake::receive(&request, payload, &shared, stream).await
}

/// The settings of a browser's agent: its rate of samples, and nothing else.
pub(super) async fn settings(
    request: HttpRequest,
    body: web::Bytes,
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> HttpResponse {
    let Some(rum) = &shared.guard.rum else {
        return respond::error(&request, 403, OFF);
    };
    let terms = match enter(&request, &shared, rum) {
        Ok(terms) => terms,
        Err(refused) => return *refused,
    };
    let may = |service: &str| {
        terms
            .as_ref()
            .map_or(Ok(()), |terms| terms.admit_service(service))
    };
    agents::settings_of(request, body, store, may, Some("transaction_sample_rate")).await
}

/// Lets a request in. Gives the terms on which it may send; none for a sender that has shown a secret.
fn enter(
    request: &HttpRequest,
    shared: &Shared,
    rum: &Rum,
) -> Result<Option<Anonymous>, Box<HttpResponse>> {
    let client = Front::from_request(request).client;
    // Senders without an address share one rate.
    let client = client.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    if let Some(shown) = request.headers().get(header::AUTHORIZATION) {
        match shared.guard.admit(client, Some(shown.as_bytes())) {
            Ok(true) => return Ok(None),
            // No secret is needed here, so it proves nothing.
            Ok(false) => {}
            Err(status) => {
                let refused = respond::error(request, status.http(), &status.message);
                return Err(Box::new(refused));
            }
        }
    }
    let terms = rum.terms(client);
    // The request itself costs one, so that empty requests have a rate, too.
    if terms.take(1) {
        return Ok(Some(terms));
    }
    shared.guard.refusals.count(Refusal::Rate);
    let mut refused = respond::error(request, 429, "too many requests: rate limit exceeded");
    let in_a_second = header::HeaderValue::from_static("1");
    refused
        .headers_mut()
        .insert(header::RETRY_AFTER, in_a_second);
    Err(Box::new(refused))
}

/// The reader of the page, as far as it may be kept.
fn visitor(request: &HttpRequest, rum: &Rum, user_agent: Option<String>) -> Visitor {
    let client = Front::from_request(request)
        .client
        .map(|ip| ip.to_canonical());
    let peer = request.peer_addr();
    // Behind a proxy the port is not the reader's.
    let direct = peer.filter(|peer| Some(peer.ip().to_canonical()) == client);
    let is_whole = rum.client_address == ClientAddress::Whole;
    Visitor {
        user_agent,
        ip: client.and_then(|ip| rum.client_address.kept_part(ip)),
        port: direct.filter(|_| is_whole).map(|peer| peer.port()),
        proxy: match direct {
            Some(_) => None,
            None => peer
                .filter(|_| is_whole)
                .map(|peer| peer.ip().to_canonical()),
        },
    }
}
