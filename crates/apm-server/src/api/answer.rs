//! From a question to a response: ETag, reader thread, JSON.

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use diesel::SqliteConnection;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::error::ApiError;
use super::params::Params;
use crate::analytics::window::Window;
use crate::store::Store;

/// An answer, and the same for an earlier window where a comparison was asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Compared<T> {
    #[serde(flatten)]
    now: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<T>,
}

/// Answers a question from the store, unless the client has the answer already.
pub(crate) async fn answer<T: Serialize + Send + 'static>(
    request: &HttpRequest,
    store: &Store,
    params: &Params,
    question: impl FnOnce(&mut SqliteConnection) -> Result<T, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let asked = format!(
        "{} {} {}",
        store.data_version(),
        request.path(),
        params.fingerprint()
    );
    let tag = EntityTag::new_strong(format!("{:016x}", xxh3_64(asked.as_bytes())));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "no-cache"));
    if is_known(request, &tag) {
        return Ok(response
            .status(actix_web::http::StatusCode::NOT_MODIFIED)
            .finish());
    }
    let body = store
        .read_async(move |conn| {
            let answer = question(conn)?;
            // Serialised here: a trace of 5000 spans is no work for a thread that serves connections.
            serde_json::to_vec(&answer).map_err(|error| ApiError::Parameter {
                parameter: "answer",
                problem: error.to_string(),
            })
        })
        .await?;
    Ok(response.content_type("application/json").body(body))
}

/// [`answer`] for a question about a window, asked again for the window of `cmp`.
pub(crate) async fn compare<T: Serialize + Send + 'static>(
    request: &HttpRequest,
    store: &Store,
    params: &Params,
    question: impl Fn(&mut SqliteConnection, &Window) -> Result<T, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let window = params.window();
    let earlier = params.compared()?;
    answer(request, store, params, move |conn| {
        Ok(Compared {
            now: question(conn, &window)?,
            previous: earlier
                .map(|earlier| question(conn, &earlier))
                .transpose()?,
        })
    })
    .await
}

fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        _ => false,
    }
}
