//! From a request to a page: what the address and the cookies say, a connection, the answer, and the headers that keep
//! it safe.

mod actions;
pub(super) mod alerts;
pub(super) mod dashboard;
pub(super) mod errors;
pub(super) mod pins;
mod question;
mod response;
mod theme;

use std::sync::OnceLock;

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use apm_store::{OTHER, Store, StoreError, SubmitError, Ticket};
use diesel::SqliteConnection;
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;

use super::chart::flags::Flag;
use super::components::shell::document;
use super::components::surroundings::Surroundings;
use super::moment::Clock;
use super::pages::{self, Answer, Context, Part, live};
use super::view::{Theme, View};
use crate::analytics::chosen::Chosen;
use crate::analytics::{Scope, directory, minutes};
use crate::answers::period::Period;
use crate::answers::settings::Covers;
use crate::answers::{Arguments, Problem, Settings, Source, elsewhere};
use crate::front::Front;
use crate::insight::marker::{self, Kind, Marker};
pub(super) use actions::{clear, export, import, set_agents};
pub(super) use question::QuestionKind;
use question::made;
pub(super) use response::not_found;
pub(super) use response::{back, no_marker, not_stored};
use response::{html_response, no_such_table, refused, respond, see_other, whole};
pub(super) use theme::choose_theme;

/// When the server began to show pages, µs since the epoch.
pub(super) static STARTED: OnceLock<i64> = OnceLock::new();

/// Answers a question with a page, or with one of the tables of its answer as a file.
pub(super) async fn answer(
    kind: QuestionKind,
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> HttpResponse {
    let (view, asked) = match view(&request) {
        (view, Ok(asked)) => (view, asked),
        (view, Err(problem)) => {
            let page = pages::refused::bad(&view, &problem);
            let text = document(&view, &Surroundings::default(), &page).into_string();
            return html_response(&request, StatusCode::BAD_REQUEST, text);
        }
    };
    let part = part(&request);
    let table = view
        .param("csv")
        .and_then(|name| kind.tables.iter().copied().find(|table| *table == name));
    // Else the browser would save the page under the name of a table.
    if view.param("csv").is_some() && table.is_none() {
        return no_such_table(&request);
    }
    // A query that cannot be read is shown with the place of its fault.
    let question = match &view.asked.trouble {
        Some(_) => None,
        None => Some((kind.read)(&asked)),
    };
    let asked_of = Store::clone(&store);
    let has_others = elsewhere::are_others(&settings);
    let covers = settings.output.as_ref();
    let covers = covers.and_then(|output| Covers::new(&output.coverage()).words());
    let made = store
        .read_async(move |conn| {
            let (mut around, flags) = surroundings(conn, &view, &asked_of)?;
            around.covers = covers;
            // Before an engine, other servers may know it.
            if let Some(service) = view.of()
                && settings.output.is_none()
                && !directory::knows(conn, service)?
            {
                let has_other = directory::knows(conn, OTHER)?;
                let page = pages::refused::no_service(&view, service, has_other);
                return Ok(whole(&view, &around, StatusCode::NOT_FOUND, &page));
            }
            let context = Context {
                view: &view,
                flags: &flags,
                part,
                has_others,
            };
            let answered = match question {
                None => {
                    let trouble = view.asked.trouble.clone().unwrap_or_default();
                    return Ok(whole(
                        &view,
                        &around,
                        StatusCode::OK,
                        &pages::refused::page(&view, &trouble),
                    ));
                }
                Some(Err(problem)) => Err(problem),
                Some(Ok(question)) => {
                    let mut source = Source {
                        conn,
                        store: &asked_of,
                        settings: &settings,
                    };
                    question.make(&context, &around, table, &mut source)
                }
            };
            match answered {
                Ok(made) => Ok(made),
                Err(Problem::Store(error)) => Err(error),
                Err(problem) => {
                    let (status, page) = match problem.status_code() {
                        StatusCode::BAD_REQUEST if !matches!(problem, Problem::Segment { .. }) => (
                            StatusCode::BAD_REQUEST,
                            pages::refused::bad(&view, &problem),
                        ),
                        _ => (StatusCode::NOT_FOUND, (kind.missing)(&context, &problem)),
                    };
                    Ok(whole(&view, &around, status, &page))
                }
            }
        })
        .await;
    respond(&request, made)
}

/// Reads the facts of the header and the navigation, and the markers that charts show.
fn surroundings(
    conn: &mut SqliteConnection,
    view: &View,
    store: &Store,
) -> Result<(Surroundings, Vec<Flag>), StoreError> {
    let stats = store.stats();
    let limit = store.options().max_size.unwrap_or(0);
    let known = directory::list(conn)?;
    let chosen = view.chosen();
    let of_environments = Scope {
        environment: view.environment().map(str::to_owned),
        chosen: Chosen {
            environments: chosen.environments.clone(),
            ..Chosen::default()
        },
        ..Scope::default()
    };
    let markers = marker::list(conn, &of_environments)?;
    let flags = flags(view, &markers);
    // The start of a process names nothing that a reader looks for, as long as there is another.
    let newest = markers
        .into_iter()
        .max_by_key(|marker| (marker.kind != Kind::Start, marker.at));
    let everything = Scope {
        service: view.service().map(str::to_owned),
        chosen,
        ..of_environments
    };
    let window = minutes::widened(conn, &view.window())?;
    let errors = crate::analytics::errors::kinds(conn, &everything, &window)?;
    let around = Surroundings {
        errors: Some(errors),
        firing: Some(apm_alerts::firing(conn)?),
        started: STARTED.get().copied(),
        marker: newest.map(|marker| (marker.at * apm_time::SECOND, marker.name)),
        services: known.services,
        environments: known.environments,
        covers: None,
        stored: Some((stats.database_bytes + stats.log_bytes, limit)),
    };
    Ok((around, flags))
}

/// Answers a request with a page that is no answer of the API.
pub(super) async fn page(
    request: HttpRequest,
    store: Store,
    render: impl FnOnce(&mut SqliteConnection, &View) -> Result<Answer, StoreError> + Send + 'static,
) -> HttpResponse {
    let (view, wrong) = view(&request);
    if let Err(problem) = wrong {
        let page = pages::refused::bad(&view, &problem);
        let text = document(&view, &Surroundings::default(), &page).into_string();
        return html_response(&request, StatusCode::BAD_REQUEST, text);
    }
    let asked_of = Store::clone(&store);
    let made = store
        .read_async(move |conn| {
            let (around, _) = surroundings(conn, &view, &asked_of)?;
            let answer = render(conn, &view)?;
            Ok(made(&view, &around, Box::new(|| answer)))
        })
        .await;
    respond(&request, made)
}

/// Markers as the charts of a page show them: of all services, or of the chosen one.
fn flags(view: &View, markers: &[Marker]) -> Vec<Flag> {
    let is_shown = |service: &str| service.is_empty() || view.allows_service(service);
    let shown = markers.iter().filter(|marker| is_shown(&marker.service));
    shown
        .map(|marker| Flag {
            at: marker.at * apm_time::SECOND,
            words: marker.words(),
            label: match marker.kind {
                Kind::Start => "start".to_owned(),
                Kind::Plan => "new plan".to_owned(),
                Kind::Manual | Kind::Version => marker.words(),
            },
            weight: match marker.kind {
                Kind::Manual => 2,
                Kind::Version => 1,
                Kind::Plan | Kind::Start => 0,
            },
        })
        .collect()
}

fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            // Names of zones have slashes and plus signs, which the script encodes: `Etc/GMT+3`.
            let value = percent_decode_str(value).decode_utf8_lossy();
            (key == name).then(|| value.into_owned())
        })
}

fn clock(request: &HttpRequest) -> Clock {
    Clock::new(apm_time::now(), cookie(request, "tz").as_deref())
}

/// Waits until a write is stored; the error in words.
pub(super) async fn committed<T>(written: Result<Ticket<T>, SubmitError>) -> Result<T, String> {
    let ticket = written.map_err(|error| error.to_string())?;
    ticket.await.map_err(|error| error.to_string())
}

/// The view of a request, and its parameters; with an error, the default view to show the error in.
fn view(request: &HttpRequest) -> (View, Result<Arguments, Problem>) {
    let clock = clock(request);
    let read = Arguments::of_page(request, clock.now, clock.zone.clone())
        .and_then(|asked| Ok((View::new(request.path(), &asked)?, asked)));
    let (mut view, asked) = match read {
        Ok((view, mut asked)) => {
            // A comparison outlives the choice of another range: where it would overlap, the default one is made.
            if Period::read(&asked).is_err_and(|problem| problem.parameter() == Some("cmp")) {
                asked.forget("cmp");
            }
            (view, Ok(asked))
        }
        Err(problem) => (View::fallback(request.path(), clock), Err(problem)),
    };
    view.theme = cookie(request, "theme").as_deref().and_then(Theme::parse);
    view.origin = Front::from_request(request).url();
    (view, asked)
}

/// The stream of the live page.
pub(super) fn events(request: &HttpRequest, store: Store) -> HttpResponse {
    let (view, _) = view(request);
    let front = Front::from_request(request);
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let stream = live::stream(store, &view, last);
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

/// The part of a page that a script asks for.
pub(super) fn part(request: &HttpRequest) -> Part {
    let value = request.headers().get("x-fragment");
    match value.and_then(|value| value.to_str().ok()) {
        Some("flyout") => Part::Details,
        Some("rows") => Part::Rows,
        _ => Part::Page,
    }
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
        let request = TestRequest::with_uri("/services")
            .insert_header((header::COOKIE, "tz=Etc%2FGMT%2B3"))
            .to_http_request();
        let (view, _) = super::view(&request);
        assert_eq!(view.clock.zone.iana_name(), Some("Etc/GMT+3"));
    }
}
