//! The web pages: what the telemetry says, first as a sentence, then as evidence.
//!
//! Rendered here with maud, charts as SVG. Pages render the structs of `answers`; there is no SQL in here. Everything
//! on a page follows from its address, every name from telemetry is escaped, and the content policy allows nothing but
//! this server's own files.

mod assets;
mod budget;
mod chart;
mod components;
#[cfg(test)]
mod demo;
mod href;
mod isolate;
mod moment;
mod number;
mod pages;
mod plot;
mod query_bar;
mod serve;
mod unit;
mod upload;
mod view;
mod words;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use actix_multipart::Multipart;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Data, Form, Path, Payload};
use actix_web::{FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Responder};
use apm_store::{Store, SubmitError, Ticket};
use apm_time as time;
use futures_util::Stream;
use futures_util::stream::poll_fn;

use crate::answers::{self, Question as _, Settings};
use crate::insight::{finding, marker};
use crate::route::Access::{Admin, Open, Read};
use crate::route::Route;
use crate::unread::Unfinished;
use pages::{Part, Rendered};
use pages::{setup, suggest};
pub(crate) use upload::Uploads;

/// The pages, their files and their forms. The application's data holds the [`Store`].
pub(crate) fn routes() -> Vec<Route> {
    serve::STARTED.get_or_init(time::now);
    let mut all = vec![
        answer::<answers::services::Params>(),
        answer::<answers::service::Params>(),
        answer::<answers::transactions::Params>(),
        page(answers::transaction::Params::ADDRESS.page, transaction_page),
        answer::<answers::correlations::Params>(),
        answer::<answers::errors::All>(),
        answer::<answers::errors::Params>(),
        answer::<answers::error::Params>(),
        answer::<answers::dependencies::Params>(),
        answer::<answers::dependencies::All>(),
        answer::<answers::dependency::Params>(),
        answer::<answers::service_map::All>(),
        answer::<answers::service_map::Params>(),
        answer::<answers::vitals::Params>(),
        answer::<answers::queries::Params>(),
        answer::<answers::statement::Params>(),
        answer::<answers::metrics::Params>(),
        answer::<answers::instances::Params>(),
        answer::<answers::versions::Params>(),
        answer::<answers::traces::Params>(),
        answer::<answers::kept::Params>(),
        answer::<answers::compare_traces::Params>(),
        answer::<answers::logs::All>(),
        answer::<answers::logs::Params>(),
        page(answers::discover::Params::ADDRESS.page, discover_page),
        answer::<answers::insights::Params>(),
        answer::<answers::alerts::Params>(),
        answer::<answers::slos::Params>().post(Admin, serve::alerts::save_objective),
        answer::<answers::compare::Params>(),
        answer::<answers::dashboard::Params>().post(Admin, serve::dashboard::add),
        answer::<answers::console::Params>(),
        answer::<answers::live::Params>(),
        answer::<answers::settings::Params>(),
    ];
    all.extend(others());
    // After the address of a trace's export.
    all.push(answer::<answers::trace::Params>());
    all
}

/// The page of a question.
fn answer<Q: Rendered>() -> Route {
    page(Q::ADDRESS.page, serve::QuestionKind::of::<Q>().handler())
}

/// Pages that are no answer, forms and files.
fn others() -> Vec<Route> {
    vec![
        Route::at("/assets/{version}/{name}").get(Open, assets::serve),
        page("/theme/{name}", theme),
        page("/suggest", suggestions),
        page("/live/stream", live_stream),
        form("/settings/agents", set_agents),
        form("/settings/clear", clear_data),
        form("/settings/import", import_data).streamed(),
        page("/setup", setup_page),
        form("/insights/{id}/{action}", hide),
        form(
            "/services/{service}/errors/{key}/{action}",
            serve::errors::change,
        ),
        // A name for each row of a page: as much as the guard reads of a small body.
        form("/errors/{action}", serve::errors::change_all).forms_of(1 << 20),
        form("/dashboard/{id}/remove", serve::dashboard::remove),
        form("/slos/{id}/delete", serve::alerts::delete_objective),
        form("/alerts/rules", serve::alerts::save_rule),
        form("/alerts/rules/{id}/{action}", serve::alerts::change_rule),
        form("/alerts/receivers", serve::alerts::save_receiver),
        form(
            "/alerts/receivers/{name}/{action}",
            serve::alerts::change_receiver,
        ),
        form("/markers", set_marker),
        page("/traces/{trace}/export", export_trace),
        form("/traces/{trace}/pin", serve::pins::pin),
        form("/traces/{trace}/unpin", serve::pins::unpin),
    ]
}

/// A page about telemetry.
fn page<F, Args>(path: &'static str, handler: F) -> Route
where
    F: Handler<Args> + Clone,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::at(path).get(Read, handler)
}

/// The address of a form that changes something.
fn form<F, Args>(path: &'static str, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::at(path).post(Admin, handler)
}

/// The page of a transaction group, or a part of its sample, which needs no charts.
async fn transaction_page(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> HttpResponse {
    use answers::transaction::{Params, SampleParams};
    let kind = match serve::part(&request) {
        Part::Page => serve::QuestionKind::of::<Params>(),
        _ => serve::QuestionKind::of::<SampleParams>(),
    };
    serve::answer(kind, request, store, settings).await
}

/// Discover, or a part of it, which needs no search of all documents.
async fn discover_page(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> HttpResponse {
    use answers::discover::Params;
    use answers::discover::parts::{NewerParams, OpenParams};
    let kind = match serve::part(&request) {
        Part::Page => serve::QuestionKind::of::<Params>(),
        Part::Details => serve::QuestionKind::of::<OpenParams>(),
        Part::Rows => serve::QuestionKind::of::<NewerParams>(),
    };
    serve::answer(kind, request, store, settings).await
}

async fn theme(request: HttpRequest, name: Path<String>) -> HttpResponse {
    serve::choose_theme(&request, &name)
}

/// The addresses of the style sheets, for a page that is not one of these.
pub(crate) fn sheets() -> impl Iterator<Item = String> {
    assets::SHEETS.into_iter().map(assets::url)
}

/// The address of one of the pages' files, for a page that is not one of these.
pub(crate) fn asset(name: &str) -> String {
    assets::url(name)
}

/// A page for an address that no route knows.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    serve::not_found(&request)
}

/// Hides an insight, or shows it again, and goes back to the list.
async fn hide(
    request: HttpRequest,
    store: Data<Store>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (id, action) = path.into_inner();
    let dismissed = match action.as_str() {
        "dismiss" => Some(apm_time::now() / apm_time::SECOND),
        "restore" => None,
        _ => return HttpResponse::NotFound().finish(),
    };
    let written = store.write(move |conn| finding::dismiss(conn, &id, dismissed));
    back(&request, "/insights", written).await
}

/// The form of `/compare`.
#[derive(serde::Deserialize)]
struct NewMarker {
    name: String,
}

/// Sets a marker and goes back to the comparison.
async fn set_marker(
    request: HttpRequest,
    store: Data<Store>,
    form: Form<NewMarker>,
) -> HttpResponse {
    let name = form.into_inner().name.trim().to_owned();
    if name.is_empty() {
        return serve::no_marker(&request);
    }
    let now = apm_time::now();
    let written =
        store.write(move |conn| marker::set(conn, now, ("", None), marker::Kind::Manual, &name));
    back(&request, "/compare", written).await
}

/// To a page, once a write is done.
async fn back<T: Send + 'static>(
    request: &HttpRequest,
    page: &'static str,
    written: Result<Ticket<T>, SubmitError>,
) -> HttpResponse {
    match serve::committed(written).await {
        Ok(_) => serve::back(request, page),
        Err(error) => serve::not_stored(request, &error),
    }
}

async fn suggestions(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), suggest::suggestions).await
}

async fn live_stream(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::events(&request, Store::clone(&store))
}

async fn set_agents(
    request: HttpRequest,
    store: Data<Store>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    serve::set_agents(&request, &store, &form).await
}

async fn clear_data(
    request: HttpRequest,
    store: Data<Store>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    serve::clear(&request, &store, &form).await
}

async fn import_data(
    request: HttpRequest,
    store: Data<Store>,
    uploads: Data<Uploads>,
    payload: Payload,
) -> HttpResponse {
    let (form, unread) = shared_payload(payload);
    let form = Multipart::new(request.headers(), form);
    let answer = serve::import(&request, &store, &uploads, form).await;
    // The unread rest of a refused file has to outlive the answer, for the connection to end.
    request.extensions_mut().insert(Unfinished::new(unread));
    answer
}

/// A payload that one handler can read and that is still there for another.
fn shared_payload(
    payload: Payload,
) -> (
    impl Stream<Item = Result<Bytes, PayloadError>>,
    Rc<RefCell<Payload>>,
) {
    let kept = Rc::new(RefCell::new(payload));
    let read = Rc::clone(&kept);
    let stream = poll_fn(move |cx| Pin::new(&mut *read.borrow_mut()).poll_next(cx));
    (stream, kept)
}

async fn export_trace(request: HttpRequest, store: Data<Store>, id: Path<String>) -> HttpResponse {
    serve::export(request, Store::clone(&store), id.into_inner()).await
}

async fn setup_page(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> HttpResponse {
    let needs_secret = settings.needs_secret;
    let made = move |conn: &mut _, view: &_| setup::setup(conn, view, needs_secret);
    serve::page(request, Store::clone(&store), made).await
}

#[cfg(test)]
mod tests;
