//! From a question to a response: ETag, reader thread, JSON.

use std::io;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use diesel::SqliteConnection;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::error::ApiError;
use super::params::Params;
use crate::analytics::minutes;
use crate::analytics::window::Window;

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
            serialized(&answer)
        })
        .await?;
    // Any answer will do, but there has to be one.
    if matches!(known, Some(IfNoneMatch::Any)) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    Ok(response.content_type("application/json").body(body))
}

/// Bytes of the longest answer. As many as there are readers are made at a time.
const MOST: usize = 32 << 20;

/// An answer as JSON, which ends where it is too long.
fn serialized(answer: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let mut body = Bounded(Vec::new());
    match serde_json::to_writer(&mut body, answer) {
        Ok(()) => Ok(body.0),
        Err(error) if error.is_io() => Err(ApiError::TooLarge { most: MOST }),
        Err(error) => Err(ApiError::Parameter {
            parameter: "answer",
            problem: error.to_string(),
        }),
    }
}

/// Takes at most [`MOST`] bytes.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_refused_with_the_remedy_and_not_made() {
        let long = "x".repeat(1 << 20);
        let many = |count| vec![long.as_str(); count];
        let fits = serialized(&many(31)).expect("an answer");
        assert!(fits.len() > 31 << 20);
        let error = serialized(&many(32)).expect_err("too long").to_string();
        assert!(
            error.contains("32 MiB") && error.contains("shorter range"),
            "{error}"
        );
    }
}
