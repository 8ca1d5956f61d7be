//! The web pages: what the telemetry says, first as a sentence, then as evidence.
//!
//! Rendered here with maud, charts as SVG. Pages get a connection from the store's readers and ask
//! `analytics`; there is no SQL in here. Everything a page shows is in its address, every name from telemetry is escaped, and
//! the content policy allows nothing but this server's own files.

mod assets;
mod bar;
mod chart;
mod components;
mod csv;
#[cfg(test)]
mod demo;
mod href;
mod isolate;
mod moment;
mod number;
mod pages;
mod plot;
mod serve;
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
use futures_util::Stream;
use futures_util::stream::poll_fn;

use crate::api::Settings;
use crate::insight::{finding, marker};
use crate::route::Access::{Admin, Open, Read};
use crate::route::Route;
use crate::unread::Unfinished;
use pages::{
    compare, console, dependencies, discover, error, errors, insights, live, metrics, queries,
    service, services, settings, setup, suggest, trace, traces, transaction, transactions,
};

pub(crate) use upload::Uploads;

/// The pages, their files and their forms. The application's data holds the [`Store`].
pub(crate) fn routes() -> Vec<Route> {
    serve::STARTED.get_or_init(apm_time::now);
    vec![
        Route::at("/assets/{version}/{name}").get(Open, assets::serve),
        page("/theme/{name}", theme),
        page("/services", all_services),
        page("/services/{service}", one_service),
        page("/services/{service}/transactions", service_transactions),
        page("/services/{service}/transactions/view", one_transaction),
        page("/services/{service}/errors", service_errors),
        page("/services/{service}/errors/{key}", one_error),
        page("/services/{service}/dependencies", service_dependencies),
        page("/services/{service}/metrics", service_metrics),
        page("/discover", search),
        page("/suggest", suggestions),
        page("/live", live_page),
        page("/live/stream", live_stream),
        page("/settings", settings_page),
        form("/settings/agents", set_agents),
        form("/settings/clear", clear_data),
        form("/settings/import", import_data).streamed(),
        page("/setup", setup_page),
        page("/errors", all_errors),
        page("/traces", all_traces),
        page("/queries", all_queries),
        page("/queries/{fingerprint}", one_query),
        page("/insights", all_insights),
        form("/insights/{id}/{action}", hide),
        page("/compare", compared),
        form("/markers", set_marker),
        page("/sql", sql),
        page("/traces/{trace}/export", export_trace),
        page("/traces/{trace}", one_trace),
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

/// Where a form of a page is sent that changes something.
fn form<F, Args>(path: &'static str, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::at(path).post(Admin, handler)
}

async fn theme(request: HttpRequest, name: Path<String>) -> HttpResponse {
    serve::choose_theme(&request, &name)
}

/// The address of one of the pages' files, for a page that is not one of these.
pub(crate) fn asset(name: &str) -> String {
    assets::url(name)
}

/// A page for an address that no route knows.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    serve::not_found(&request)
}

async fn all_queries(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), |ask| Ok(queries::list(ask)?)).await
}

async fn one_query(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
    fingerprint: Path<String>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        queries::one(ask, &fingerprint, &settings.files)
    })
    .await
}

async fn all_insights(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), |ask| Ok(insights::all(ask)?)).await
}

async fn compared(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), |ask| Ok(compare::both(ask)?)).await
}

async fn sql(request: HttpRequest, store: Data<Store>, settings: Data<Settings>) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        console::sql(ask, &settings)
    })
    .await
}

/// Hides an insight, or shows it again, and goes back to the list.
async fn hide(store: Data<Store>, path: Path<(String, String)>) -> HttpResponse {
    let (id, action) = path.into_inner();
    let dismissed = match action.as_str() {
        "dismiss" => Some(apm_time::now() / apm_time::SECOND),
        "restore" => None,
        _ => return HttpResponse::NotFound().finish(),
    };
    let written = store.write(move |conn| finding::dismiss(conn, &id, dismissed));
    back("/insights", written).await
}

/// What the form of `/compare` sends.
#[derive(serde::Deserialize)]
struct NewMarker {
    name: String,
}

/// Sets a marker and goes back to the comparison.
async fn set_marker(store: Data<Store>, form: actix_web::web::Form<NewMarker>) -> HttpResponse {
    let name = form.into_inner().name.trim().to_owned();
    if name.is_empty() {
        return HttpResponse::BadRequest().body("a marker needs a name");
    }
    let now = apm_time::now();
    let written = store.write(move |conn| marker::set(conn, now, "", marker::Kind::Manual, &name));
    back("/compare", written).await
}

/// To a page, once a write is done.
async fn back<T: Send + 'static>(
    page: &'static str,
    written: Result<Ticket<T>, SubmitError>,
) -> HttpResponse {
    let done = match written {
        Ok(ticket) => ticket.await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(_) => HttpResponse::SeeOther()
            .insert_header((actix_web::http::header::LOCATION, page))
            .finish(),
        Err(error) => HttpResponse::ServiceUnavailable().body(error),
    }
}

async fn all_services(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), |ask| {
        Ok(services::page(ask)?)
    })
    .await
}

async fn one_service(request: HttpRequest, store: Data<Store>, name: Path<String>) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        Ok(service::overview(ask, &name)?)
    })
    .await
}

async fn service_transactions(
    request: HttpRequest,
    store: Data<Store>,
    name: Path<String>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        Ok(transactions::page(ask, &name)?)
    })
    .await
}

async fn service_errors(
    request: HttpRequest,
    store: Data<Store>,
    name: Path<String>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        Ok(errors::list(ask, Some(&name))?)
    })
    .await
}

async fn service_dependencies(
    request: HttpRequest,
    store: Data<Store>,
    name: Path<String>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        Ok(dependencies::list(ask, &name)?)
    })
    .await
}

async fn service_metrics(
    request: HttpRequest,
    store: Data<Store>,
    name: Path<String>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        Ok(metrics::one(ask, &name)?)
    })
    .await
}

async fn search(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), discover::page_of).await
}

async fn suggestions(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), suggest::list).await
}

async fn all_traces(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), traces::list).await
}

async fn live_page(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), live::one).await
}

async fn live_stream(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::events(&request, Store::clone(&store))
}

async fn settings_page(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    let of = Store::clone(&store);
    serve::page(request, Store::clone(&store), move |ask| {
        settings::one(ask, &of)
    })
    .await
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
    // What was not read of a refused file has to outlive the answer, for the connection to end.
    request.extensions_mut().insert(Unfinished::new(unread));
    answer
}

/// A payload that can be read, and still be kept by whoever does not read it.
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

async fn setup_page(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), setup::one).await
}

async fn all_errors(request: HttpRequest, store: Data<Store>) -> HttpResponse {
    serve::page(request, Store::clone(&store), |ask| {
        Ok(errors::list(ask, None)?)
    })
    .await
}

async fn one_transaction(
    request: HttpRequest,
    store: Data<Store>,
    name: Path<String>,
) -> HttpResponse {
    let part = serve::part(&request);
    serve::page(request, Store::clone(&store), move |ask| {
        transaction::one(ask, &name, part)
    })
    .await
}

async fn one_error(
    request: HttpRequest,
    store: Data<Store>,
    path: Path<(String, String)>,
) -> HttpResponse {
    serve::page(request, Store::clone(&store), move |ask| {
        error::one(ask, &path.0, &path.1)
    })
    .await
}

async fn one_trace(request: HttpRequest, store: Data<Store>, id: Path<String>) -> HttpResponse {
    let part = serve::part(&request);
    serve::page(request, Store::clone(&store), move |ask| {
        trace::one(ask, &id, part)
    })
    .await
}

#[cfg(test)]
mod tests;
