//! The article's seven routes, and `/people`, which stands in for the article's upstream provider.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, QueryConfig, ServiceConfig};
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, error::InternalError};

use crate::db::{Conn, Database};
use crate::error::{Error, body};
use crate::strategy::Strategy;
use crate::upstream::{Address, Client};

mod delay;
mod fail;
mod index;
mod people;
mod sql_group;
mod sql_read;
mod sql_write;
mod upstream;

/// The state that routes work with.
#[derive(Debug, Clone)]
pub struct State {
    pub database: Database,
    /// The address that `/upstream` asks.
    pub upstream: Address,
    /// The way in which `/sql-group` counts.
    pub sql_group: Strategy,
}

/// Mounts all routes. Runs once in each worker, since an HTTP client belongs to one thread.
pub fn configure(config: &mut ServiceConfig, state: &State) {
    config
        .app_data(web::Data::new(state.clone()))
        .app_data(web::Data::new(Client::new()))
        .app_data(QueryConfig::default().error_handler(|error, _| {
            let response = body(StatusCode::BAD_REQUEST, &error);
            InternalError::from_response(error, response).into()
        }))
        .service(get("/", index::index))
        .service(get("/delay", delay::delay))
        .service(get("/upstream", upstream::upstream))
        .service(get("/5xx", fail::fail))
        .service(get("/sql-write", sql_write::sql_write))
        .service(get("/sql-read", sql_read::sql_read))
        .service(get("/sql-group", sql_group::sql_group))
        .service(get("/people", people::people))
        .default_service(web::to(not_found));
}

/// A resource for GET, and so for HEAD; other methods get 405 and are told which ones would do.
fn get<F, Args>(path: &str, handler: F) -> impl HttpServiceFactory + use<F, Args>
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Resource::new(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(method_not_allowed))
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    body(
        StatusCode::NOT_FOUND,
        format_args!("no route {}", request.path()),
    )
}

async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    let mut response = body(
        StatusCode::METHOD_NOT_ALLOWED,
        format_args!(
            "{} does not take {}: use GET or HEAD",
            request.path(),
            request.method()
        ),
    );
    response
        .headers_mut()
        .insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    response
}

/// Runs `work` with a connection on the blocking pool, inside the request's transaction.
async fn with_conn<T, F>(state: web::Data<State>, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&mut Conn) -> diesel::QueryResult<T> + Send + 'static,
{
    apm_agent::actix::block(move || Ok::<_, Error>(work(&mut state.database.conn()?)?)).await?
}

/// [`with_conn`] for work that writes: waits for its turn without a connection, so that requests that read are not held
/// up.
async fn with_conn_to_write<T, F>(state: web::Data<State>, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&mut Conn) -> diesel::QueryResult<T> + Send + 'static,
{
    let turn = state.database.turn_to_write().await?;
    let work = move |conn: &mut Conn| {
        // The work goes on if the client goes away, and so does the turn.
        let _turn = turn;
        work(conn)
    };
    with_conn(state, work).await
}

/// Whether the client asked for JSON by name: `*/*`, which curl sends, keeps the article's plain answers.
fn wants_json(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok());
    accept.flat_map(|value| value.split(',')).any(|range| {
        range
            .split(';')
            .next()
            .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
    })
}

/// The article's plain answer.
fn ok() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok")
}
