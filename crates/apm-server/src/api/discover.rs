//! `/api/v1/discover`: any event by any field.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::ETAG;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use diesel::SqliteConnection;
use serde::Serialize;
use serde_json::Value as Json;

use super::answer::answer;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::discover::{self, Field, Limits, MOST_HITS, Request};
use crate::analytics::series::Axis;

/// Documents of a page where nothing else is asked for.
const SIZE: i64 = 100;
/// Documents whose fields are listed.
const SAMPLE: usize = 500;

/// The answer to a search.
#[derive(Serialize)]
struct Answer {
    total: u64,
    complete: bool,
    hits: Vec<Json>,
    /// `after` of the next page.
    next: Option<String>,
    histogram: Vec<u64>,
    axis: Axis,
}

/// The answer about fields.
#[derive(Serialize)]
struct Fields {
    /// Matching events in the range.
    total: u64,
    /// Of these many the newest were looked at.
    sample: usize,
    fields: Vec<Field>,
}

/// Answers with what a search found, and whether that is all. What is not all has no tag: the same question asked again may get further.
async fn found<T: Serialize + Send + 'static>(
    http: &HttpRequest,
    store: &Store,
    params: &Params,
    search: impl FnOnce(&mut SqliteConnection) -> Result<(T, bool), ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let is_all = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&is_all);
    let mut response = answer(http, store, params, move |conn| {
        let (answer, complete) = search(conn)?;
        told.store(complete, Ordering::Relaxed);
        Ok(answer)
    })
    .await?;
    if !is_all.load(Ordering::Relaxed) {
        response.headers_mut().remove(ETAG);
    }
    Ok(response)
}

/// `GET /api/v1/discover?q=&env=&from=&to=&size=&after=`
pub(super) async fn search(
    http: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&http)?;
    let request = request(&params)?;
    found(&http, &store, &params, move |conn| {
        let found = discover::search(conn, &request)?;
        let answer = Answer {
            total: found.total,
            complete: found.complete,
            hits: found.hits.into_iter().map(|hit| hit.document).collect(),
            next: found.next.map(|cursor| cursor.to_string()),
            histogram: found.histogram,
            axis: found.axis,
        };
        Ok((answer, found.complete))
    })
    .await
}

/// `GET /api/v1/discover/fields?q=&env=&from=&to=`
pub(super) async fn fields(
    http: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&http)?;
    let request = Request {
        size: SAMPLE,
        after: None,
        ..request(&params)?
    };
    found(&http, &store, &params, move |conn| {
        let found = discover::search(conn, &request)?;
        let answer = Fields {
            total: found.total,
            sample: found.hits.len(),
            fields: discover::fields(found.hits.iter().map(|hit| &hit.document)),
        };
        Ok((answer, found.complete))
    })
    .await
}

/// `GET /api/v1/discover/groups?q=&env=&from=&to=&group=`
pub(super) async fn groups(
    http: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&http)?;
    let request = request(&params)?;
    let field = params.required("group")?.to_owned();
    found(&http, &store, &params, move |conn| {
        let groups = discover::group(conn, &request, &field)?;
        let complete = groups.complete;
        Ok((groups, complete))
    })
    .await
}

fn request(params: &Params) -> Result<Request, ApiError> {
    let after = params.after()?;
    let size = params.int("size", 0, MOST_HITS as i64)?.unwrap_or(SIZE);
    let request = Request {
        query: params.query()?,
        range: params.range,
        size: size.unsigned_abs() as usize,
        after,
        limits: Limits::default(),
    };
    Ok(match params.get("env")? {
        Some(name) => request.within(name),
        None => request,
    })
}
