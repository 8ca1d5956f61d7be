//! From a question to a response: ETag, reader thread, JSON.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use diesel::SqliteConnection;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::error::ApiError;
use super::params::Params;
use crate::analytics::minutes;
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
    let tag = params.fingerprint().map(|asked| {
        let asked = format!("{} {} {asked}", store.data_version(), request.path());
        // Weak: what answers of one tag say of the present may be of different seconds.
        EntityTag::new_weak(format!("{:016x}", xxh3_64(asked.as_bytes())))
    });
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-cache"));
    if let Some(tag) = &tag {
        response.insert_header((ETAG, tag.to_string()));
    }
    let known = IfNoneMatch::parse(request).ok().filter(|_| tag.is_some());
    if let (Some(IfNoneMatch::Items(known)), Some(tag)) = (&known, &tag)
        && known.iter().any(|known| known.weak_eq(tag))
    {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
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
    // Any answer will do, but there has to be one.
    if matches!(known, Some(IfNoneMatch::Any)) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
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
        let mut of = |window: &Window| {
            let window = minutes::kept(conn, window)?;
            question(conn, &window)
        };
        Ok(Compared {
            now: of(&window)?,
            previous: earlier.as_ref().map(of).transpose()?,
        })
    })
    .await
}
