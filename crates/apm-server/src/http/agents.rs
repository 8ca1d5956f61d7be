//! `/config/v1/agents`: the settings that agents ask for every half a minute.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use apm_store::{Store, StoreError};
use serde::Deserialize;

use super::respond;
use crate::agent_config::polls::{self, BROWSERS, Poll};
use crate::agent_config::{self, Settings};
use crate::known_tags::KnownTags;

/// The time for which an agent may keep an answer, and the interval at which it asks.
const FRESH: &str = "max-age=30, must-revalidate";
/// The same for a refusal.
const FRESH_ERROR: &str = "max-age=300, must-revalidate";

/// Longest name of a service or an environment, characters, as for events.
const LONGEST_NAME: usize = 1_024;

/// The question of an agent by `GET`.
#[derive(Debug, Default, Deserialize)]
struct Query {
    #[serde(rename = "service.name")]
    name: Option<String>,
    #[serde(rename = "service.environment")]
    environment: Option<String>,
    ifnonematch: Option<String>,
}

/// The question of an agent by `POST`.
#[derive(Debug, Deserialize)]
struct Body {
    #[serde(default)]
    service: Service,
}

#[derive(Debug, Default, Deserialize)]
struct Service {
    name: Option<String>,
    environment: Option<String>,
}

/// The settings of the service that asks.
pub(super) async fn settings(
    request: HttpRequest,
    body: web::Bytes,
    store: web::Data<Store>,
) -> HttpResponse {
    settings_of(request, body, store, |_| Ok(()), None).await
}

/// The settings of the service that asks, if it may. `only`: the one setting that is told.
pub(super) async fn settings_of(
    request: HttpRequest,
    body: web::Bytes,
    store: web::Data<Store>,
    may: impl FnOnce(&str) -> Result<(), String>,
    only: Option<&'static str>,
) -> HttpResponse {
    let query = web::Query::<Query>::from_query(request.query_string());
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    let service = match *request.method() {
        Method::GET => Service {
            name: query.name,
            environment: query.environment,
        },
        Method::POST => match serde_json::from_slice::<Body>(&body) {
            Ok(body) => body.service,
            Err(error) => return refuse(&request, 400, &format!("invalid query: {error}")),
        },
        ref method => return refuse(&request, 405, &format!("method not supported: {method}")),
    };
    let Some(name) = service.name.filter(|name| !name.is_empty()) else {
        return refuse(&request, 400, "service.name is required");
    };
    let environment = service.environment.unwrap_or_default();
    // These names are written down, and an event with longer ones is refused, too.
    let is_long = |text: &String| text.chars().nth(LONGEST_NAME).is_some();
    if [&name, &environment].into_iter().any(is_long) {
        let why =
            format!("service.name and service.environment have at most {LONGEST_NAME} characters");
        return refuse(&request, 400, &why);
    }
    if let Err(why) = may(&name) {
        return refuse(&request, 403, &why);
    }
    let known = KnownTags::of(request.headers());
    let known = known.first().map(str::to_owned).or(query.ifnonematch);
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    let agent = match only {
        Some(_) => BROWSERS,
        None => agent.unwrap_or("unnamed"),
    };
    let etag = known.clone().unwrap_or_default();
    let mut poll = Poll::new(&name, &environment, agent, &etag);
    let found = store.read_async(move |conn| {
        let found = agent_config::find(conn, &name, Some(&environment))?.unwrap_or_default();
        // The tag of a part of the settings stands for all of them.
        if poll.etag == told(&found, only).etag() {
            poll.etag = found.etag();
        }
        let news = polls::is_news(conn, &poll)?.then_some(poll);
        Ok::<_, StoreError>((found, news))
    });
    match found.await {
        Ok((found, news)) => {
            if let Some(poll) = news {
                polls::note(&store, poll);
            }
            answer(&request, known.as_deref(), &found, only, &store)
        }
        Err(error) => {
            log::warn!("cannot read the settings of agents: {error}");
            let message = "Agent configuration infrastructure is not ready. Please retry later.";
            refuse(&request, 503, message)
        }
    }
}

fn answer(
    request: &HttpRequest,
    known: Option<&str>,
    found: &Settings,
    only: Option<&'static str>,
    store: &Store,
) -> HttpResponse {
    let told = told(found, only);
    let etag = told.etag();
    let is_known = known == Some(etag.as_str());
    let mut response = match is_known {
        true => respond::empty(304),
        false => respond::json(request, 200, &told.values),
    };
    let headers = response.headers_mut();
    if let Ok(etag) = format!("\"{etag}\"").parse() {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FRESH));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Etag"),
    );
    // An agent that sends the tag back has applied what it stands for.
    if is_known && etag != Settings::NONE {
        agent_config::applied(store, found);
    }
    response
}

/// The settings that are told.
fn told(found: &Settings, only: Option<&'static str>) -> Settings {
    let mut told = found.clone();
    told.values
        .retain(|name, _| only.is_none_or(|only| name == only));
    told
}

fn refuse(request: &HttpRequest, status: u16, message: &str) -> HttpResponse {
    let mut response = respond::error(request, status, message);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(FRESH_ERROR));
    response
}
