//! `/api/apm/sourcemaps`: uploads of source maps, by the API that build plugins for Elastic know.

use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use apm_time::{SECOND, now, rfc3339};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{body, respond};
use crate::source_maps::{self, LARGEST, Listed, MapError, NewMap};

/// Largest form, bytes: a map and its fields.
const LARGEST_FORM: usize = LARGEST + (64 << 10);
/// Longest field beside the map, bytes.
const LONGEST: usize = 4096;
/// Longest time that an upload may take.
const LONGEST_UPLOAD: Duration = Duration::from_secs(120);
/// Maps on one page of a list where no number is asked for.
const SHOWN: usize = 20;

/// Uploads at the same time: each is held as a whole.
static UPLOADS: Semaphore = Semaphore::const_new(1);

/// Why an upload is refused: its status, and the reason.
type Refusal = (u16, String);

/// `POST /api/apm/sourcemaps`
pub(super) async fn upload(
    request: HttpRequest,
    payload: Payload,
    store: Data<Store>,
) -> HttpResponse {
    match take(&request, payload, &store).await {
        Ok((id, map)) => respond::json(&request, 200, &artifact(&map, id)),
        Err(refused) => refused,
    }
}

/// `POST /assets/v1/sourcemaps`
pub(super) async fn upload_to_assets(
    request: HttpRequest,
    payload: Payload,
    store: Data<Store>,
) -> HttpResponse {
    match take(&request, payload, &store).await {
        Ok(_) => respond::empty(202),
        Err(refused) => refused,
    }
}

/// The facts about a map that are answered.
struct Told {
    service: String,
    version: String,
    path: String,
    raw_bytes: usize,
    received: i64,
}

async fn take(
    request: &HttpRequest,
    mut payload: Payload,
    store: &Store,
) -> Result<(i64, Told), HttpResponse> {
    let stored = upload_alone(request, &mut payload, store).await;
    match stored {
        Ok(stored) => Ok(stored),
        Err((status, message)) => {
            let answer = respond::error(request, status, &message);
            Err(body::refused(answer, payload).await)
        }
    }
}

/// Reads and stores a map, unless another one is on its way. The place is held until the map is stored: its text is in
/// memory as long.
async fn upload_alone(
    request: &HttpRequest,
    payload: &mut Payload,
    store: &Store,
) -> Result<(i64, Told), Refusal> {
    let Ok(_place) = UPLOADS.try_acquire() else {
        return Err((
            503,
            "another source map is being uploaded: try again".to_owned(),
        ));
    };
    let form = read(request, payload).await?;
    keep(form, store).await
}

/// The fields of a form.
#[derive(Debug, Default)]
struct Form {
    service: String,
    version: String,
    path: String,
    map: Vec<u8>,
}

/// Reads the form.
async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Form, Refusal> {
    // The form is read from memory, as a refusal still needs the payload.
    let whole = timeout(LONGEST_UPLOAD, whole(payload)).await;
    let whole = whole.map_err(|_| (408, "the upload took too long".to_owned()))??;
    let pieces = stream::once(async move { Ok::<_, PayloadError>(whole) });
    let mut form = Multipart::new(request.headers(), pieces);
    let wrong =
        |error: actix_multipart::MultipartError| (400, format!("the form cannot be read: {error}"));
    let mut read = Form::default();
    while let Some(mut field) = form.try_next().await.map_err(wrong)? {
        let name = field.name().unwrap_or_default().to_owned();
        let mut content = Vec::new();
        while let Some(piece) = field.try_next().await.map_err(wrong)? {
            if name != "sourcemap" && content.len() + piece.len() > LONGEST {
                return Err((400, format!("the field '{name}' is too long")));
            }
            content.extend_from_slice(&piece);
        }
        let text = || String::from_utf8_lossy(&content).trim().to_owned();
        match name.as_str() {
            "service_name" => read.service = text(),
            "service_version" => read.version = text(),
            "bundle_filepath" => read.path = text(),
            "sourcemap" => read.map = content,
            _ => {}
        }
    }
    Ok(read)
}

async fn whole(payload: &mut Payload) -> Result<Bytes, Refusal> {
    let mut read = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| (400, format!("the body cannot be read: {error}")))?;
        if read.len() + piece.len() > LARGEST_FORM {
            return Err((413, MapError::Large.to_string()));
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

/// Checks and stores a map.
async fn keep(form: Form, store: &Store) -> Result<(i64, Told), Refusal> {
    let received = now() / SECOND;
    let mut told = Told {
        service: form.service.clone(),
        version: form.version.clone(),
        path: form.path.clone(),
        raw_bytes: form.map.len(),
        received,
    };
    let checked = actix_web::rt::task::spawn_blocking(move || {
        NewMap::check(&form.service, &form.version, &form.path, &form.map)
    });
    let new = match checked.await {
        Ok(Ok(new)) => new,
        Ok(Err(error)) => {
            let status = if error == MapError::Large { 413 } else { 400 };
            return Err((status, error.to_string()));
        }
        // Offsets of sections that add up to no number.
        Err(error) if error.is_panic() => {
            let what = MapError::Map("it leads beyond what a map can say".to_owned());
            return Err((400, what.to_string()));
        }
        Err(_) => return Err((503, "the server stops".to_owned())),
    };
    told.path = new.path().to_owned();
    let busy = |error: String| (503, error);
    let written = source_maps::put(store, new, received);
    let written = written.map_err(|error| busy(error.to_string()))?;
    let id = written.await.map_err(|error| busy(error.to_string()))?;
    Ok((id, told))
}

/// The page of a list that is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    page: Option<usize>,
    per_page: Option<usize>,
}

/// `GET /api/apm/sourcemaps`
pub(super) async fn list(
    request: HttpRequest,
    page: Result<Query<Page>, actix_web::Error>,
    store: Data<Store>,
) -> HttpResponse {
    let page = match page {
        Ok(page) => page,
        Err(_) => {
            let why = "'page' and 'perPage' are whole numbers from 1 on";
            return respond::error(&request, 400, why);
        }
    };
    let read = store.read_async(|conn| Ok::<_, StoreError>(source_maps::list(conn)?));
    let all: Vec<Listed> = match read.await {
        Ok(all) => all,
        Err(error) => return respond::error(&request, 503, &error.to_string()),
    };
    let size = page.per_page.unwrap_or(SHOWN).clamp(1, 1000);
    let first = page
        .page
        .unwrap_or(1)
        .max(1)
        .saturating_sub(1)
        .saturating_mul(size);
    let told = all.iter().skip(first).take(size).map(|map| {
        let told = Told {
            service: map.service.clone(),
            version: map.version.clone(),
            path: map.path.clone(),
            raw_bytes: usize::try_from(map.raw_bytes).unwrap_or_default(),
            received: map.received,
        };
        artifact(&told, map.id)
    });
    let artifacts: Vec<Value> = told.collect();
    respond::json(
        &request,
        200,
        &json!({ "artifacts": artifacts, "total": all.len() }),
    )
}

/// `DELETE /api/apm/sourcemaps/{id}`
pub(super) async fn delete(
    request: HttpRequest,
    id: Path<String>,
    store: Data<Store>,
) -> HttpResponse {
    let id = id.strip_prefix("apm:").unwrap_or(&id).parse::<i64>();
    let Ok(id) = id else {
        return respond::error(&request, 404, "there is no such source map");
    };
    let deleted = match source_maps::delete(&store, id) {
        Ok(ticket) => ticket.await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match deleted {
        Ok(true) => respond::json(&request, 200, &json!({})),
        Ok(false) => respond::error(&request, 404, "there is no such source map"),
        Err(error) => {
            let mut refused = respond::error(&request, 503, &error);
            let in_a_second = header::HeaderValue::from_static("1");
            refused
                .headers_mut()
                .insert(header::RETRY_AFTER, in_a_second);
            refused
        }
    }
}

/// A map as Kibana tells of it.
fn artifact(map: &Told, id: i64) -> Value {
    json!({
        "type": "sourcemap",
        "id": format!("apm:{id}"),
        "identifier": format!("{}-{}", map.service, map.version),
        "created": rfc3339(map.received * SECOND),
        "decodedSize": map.raw_bytes,
        "body": {
            "serviceName": map.service,
            "serviceVersion": map.version,
            "bundleFilepath": map.path,
        },
    })
}
