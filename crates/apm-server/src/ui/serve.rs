//! From a request to a page: what the address and the cookies say, a connection, the answer, and the headers that keep it safe.

mod actions;
mod theme;

use std::sync::OnceLock;

use actix_web::http::{StatusCode, header};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use apm_store::{Store, StoreError};
use flate2::Compression;
use futures_util::StreamExt as _;
use maud::html;

use super::chart::flags::Flag;
use super::components::head::{Crumb, page_head};
use super::components::header::QueryState;
use super::components::panel::empty;
use super::components::shell::{Page, Section, document};
use super::components::surroundings::Surroundings;
use super::href::Href;
use super::moment::Clock;
use super::pages::{Answer, Ask, Part, live, refused};
use super::view::{Theme, View};
use super::{assets, csv, isolate};
use crate::analytics::{directory, errors};
use crate::front::Front;
use crate::insight::marker::{self, Kind, Marker};

pub(super) use actions::{clear, export, import, set_agents};
pub(super) use theme::choose_theme;

/// Only this server's own files; nothing inline, no frames, no forms to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Bytes of the largest page, before it is compressed: browsers stall long before.
const MOST: usize = 32 << 20;

/// When the server began to show pages, µs since the epoch.
pub(super) static STARTED: OnceLock<i64> = OnceLock::new();

/// Answers a request with a page.
pub(super) async fn page(
    request: HttpRequest,
    store: Store,
    ask: impl FnOnce(&mut Ask<'_>) -> Result<Answer, StoreError> + Send + 'static,
) -> HttpResponse {
    let (view, wrong) = view(&request);
    if let Some(error) = wrong {
        let page = trouble("This range of time cannot be shown.", &error.to_string());
        let text = document(&view, &Surroundings::default(), &page).into_string();
        return html_response(&request, StatusCode::BAD_REQUEST, text);
    }
    let table = view.param("csv").map(str::to_owned);
    let stats = store.stats();
    let limit = store.options().max_size.unwrap_or(0);
    let made = store
        .read_async(move |conn| {
            let known = directory::list(conn)?;
            let markers = marker::list(conn, None)?;
            let flags = flags(&view, &markers);
            // The start of a process names nothing that a reader looks for, as long as there is another.
            let newest = markers
                .into_iter()
                .max_by_key(|marker| (marker.kind != Kind::Start, marker.at));
            let ask_around = Ask::new(conn, &view, &flags);
            let errors = errors::kinds(
                ask_around.conn,
                &ask_around.everything(),
                &ask_around.window,
            )?;
            let around = Surroundings {
                errors: Some(errors),
                started: STARTED.get().copied(),
                marker: newest.map(|marker| (marker.at * apm_time::SECOND, marker.name)),
                services: known.services,
                environments: known.environments,
                stored: Some((stats.database_bytes + stats.log_bytes, limit)),
            };
            let answer = match &view.asked.trouble {
                Some(trouble) => Answer::Page(refused::page(&view, trouble)),
                None => ask(&mut Ask::new(conn, &view, &flags))?,
            };
            Ok::<_, StoreError>(match answer {
                Answer::Page(page) => (
                    StatusCode::OK,
                    document(&view, &around, &page).into_string(),
                ),
                Answer::Missing(page) => (
                    StatusCode::NOT_FOUND,
                    document(&view, &around, &page).into_string(),
                ),
                Answer::Fragment(part) => (StatusCode::OK, part.into_string()),
            })
        })
        .await;
    if let Ok((_, text)) = &made
        && text.len() > MOST
    {
        log::warn!("the page {} has {} bytes", request.path(), text.len());
        return refused(
            &request,
            StatusCode::BAD_REQUEST,
            "This page would be too large.",
            "Choose a shorter range, or filter.",
        );
    }
    match made {
        Ok((status, text)) => match table {
            None => html_response(&request, status, text),
            Some(caption) => file(&request, &caption, &text),
        },
        Err(error) => {
            log::warn!("cannot answer {}: {error}", request.path());
            let view = View::fallback(request.path(), clock(&request));
            let page = trouble("The database did not answer.", &error.to_string());
            let text = document(&view, &Surroundings::default(), &page).into_string();
            html_response(&request, StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

/// Markers as the charts of a page show them: of all services, or of the one that the page is about.
fn flags(view: &View, markers: &[Marker]) -> Vec<Flag> {
    let of_all = !view.path.starts_with("/services/");
    let is_shown = |service: &str| {
        let own = Href::of(&["services", service]).to_string();
        let rest = view.path.strip_prefix(&own);
        of_all
            || service.is_empty()
            || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let shown = markers.iter().filter(|marker| is_shown(&marker.service));
    shown
        .map(|marker| Flag {
            at: marker.at * apm_time::SECOND,
            words: marker.words(),
            label: match marker.kind {
                Kind::Start => "start".to_owned(),
                Kind::Manual | Kind::Version => marker.words(),
            },
            weight: match marker.kind {
                Kind::Manual => 2,
                Kind::Version => 1,
                Kind::Start => 0,
            },
        })
        .collect()
}

/// A table of a page as a file.
fn file(request: &HttpRequest, caption: &str, page: &str) -> HttpResponse {
    let Some(table) = csv::table(page, caption) else {
        return refused(
            request,
            StatusCode::NOT_FOUND,
            "There is no such table on this page.",
            "Its name is the one that the button carried when the page was shown.",
        );
    };
    let mut name: String = caption
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    name.push_str(".csv");
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(table)
}

/// A page for an address that leads nowhere.
pub(super) fn not_found(request: &HttpRequest) -> HttpResponse {
    let view = View::fallback(request.path(), clock(request));
    let page = trouble(
        "There is no such page.",
        "The address may be mistyped, or from another version.",
    );
    html_response(
        request,
        StatusCode::NOT_FOUND,
        document(&view, &Surroundings::default(), &page).into_string(),
    )
}

fn trouble(what: &str, why: &str) -> Page {
    let body = html! {
        (page_head(&[Crumb::here("Pocket APM")], what, why))
        (empty(what, why, html! { a.btn.btn--primary href="/services" { "Services, last 15 minutes" } }))
    };
    Page {
        title: what.to_owned(),
        section: Section::Services,
        service: None,
        query: QueryState::default(),
        body,
        fresh: false,
    }
}

fn html_response(request: &HttpRequest, status: StatusCode, text: String) -> HttpResponse {
    let text = Front::of(request).page(isolate::settle(text));
    let mut response = HttpResponseBuilder::new(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "accept-encoding, cookie, x-fragment"));
    // Below a packet or so compression only costs time.
    if text.len() > 1_400 && assets::takes_gzip(request) {
        let body = assets::gzip(text.as_bytes(), Compression::fast());
        return response
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(body);
    }
    response.body(text)
}

fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then(|| value.replace("%2F", "/"))
        })
}

fn clock(request: &HttpRequest) -> Clock {
    Clock::new(apm_time::now(), cookie(request, "tz").as_deref())
}

/// The view of a request; with an error, the default one to show the error in.
fn view(request: &HttpRequest) -> (View, Option<apm_time::TimeError>) {
    let clock = clock(request);
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map(Query::into_inner)
        .unwrap_or_default();
    let (mut view, wrong) = match View::new(request.path(), &query, clock.clone()) {
        Ok(view) => (view, None),
        Err(error) => (View::fallback(request.path(), clock), Some(error)),
    };
    view.theme = cookie(request, "theme").as_deref().and_then(Theme::parse);
    view.origin = Front::of(request).url();
    (view, wrong)
}

/// The stream of the live page.
pub(super) fn events(request: &HttpRequest, store: Store) -> HttpResponse {
    let (view, _) = view(request);
    let front = Front::of(request);
    let stream = live::stream(store, &view);
    match stream.map(|rows| rows.map(move |rows| rows.map(|rows| front.page(rows).into()))) {
        Some(stream) => HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .streaming(stream),
        None => HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body("too many live pages are open, or the filter cannot be read\n"),
    }
}

/// How much of a page a script asks for.
pub(super) fn part(request: &HttpRequest) -> Part {
    let value = request.headers().get("x-fragment");
    match value.and_then(|value| value.to_str().ok()) {
        Some("flyout") => Part::Details,
        Some("rows") => Part::Rows,
        _ => Part::Page,
    }
}

/// A page that says why something was not done.
fn refused(request: &HttpRequest, status: StatusCode, what: &str, why: &str) -> HttpResponse {
    let view = View::fallback(request.path(), clock(request));
    let page = document(&view, &Surroundings::default(), &trouble(what, why));
    html_response(request, status, page.into_string())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn cookies_choose_theme_and_zone() {
        let request = TestRequest::with_uri("/services")
            .insert_header((header::COOKIE, "a=b; theme=dark; tz=Asia%2FTokyo"))
            .to_http_request();
        let (view, _) = view(&request);
        assert_eq!(view.theme, Some(Theme::Dark));
        assert_eq!(view.clock.zone.iana_name(), Some("Asia/Tokyo"));
    }
}
