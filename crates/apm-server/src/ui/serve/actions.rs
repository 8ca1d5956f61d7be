//! The actions of forms: settings, deletion, import and export.

use actix_multipart::Multipart;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use futures_util::stream::{self, Stream, StreamExt as _};

use super::{committed, refused, see_other};
use crate::agent_config::{self, Settings, options};
use crate::export::Export;
use crate::ui::href::Href;
use crate::ui::pages::settings::agents;
use crate::ui::upload::{self, UploadError, Uploads};

/// Takes the form of agent settings; back to the page when they are stored.
pub(in crate::ui) async fn set_agents(
    request: &HttpRequest,
    store: &Store,
    form: &[(String, String)],
) -> HttpResponse {
    let (new, before) = match read_agents(store, form).await {
        Ok(read) => read,
        Err(error) => {
            return refused(
                request,
                StatusCode::BAD_REQUEST,
                "These settings were not saved.",
                &error,
            );
        }
    };
    let after = agents::after(&new, before.as_ref()).to_string();
    let expected = agents::expected_tag(form, &new);
    match committed(agent_config::set(store, new, expected)).await {
        Ok(true) => see_other(&after),
        Ok(false) => refused(
            request,
            StatusCode::CONFLICT,
            "These settings were not saved.",
            "Somebody else has changed them meanwhile, here or on another server. Look at them again.",
        ),
        Err(error) => refused(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            "These settings were not stored.",
            &error,
        ),
    }
}

/// The settings of a form, once they are checked, and those in whose place they come.
async fn read_agents(
    store: &Store,
    form: &[(String, String)],
) -> Result<(Settings, Option<Settings>), String> {
    let new = agents::read(form)?;
    let service = new.service.clone();
    let known = store.read_async(move |conn| {
        let agents = agent_config::agents_of(conn, &service)?;
        Ok::<_, StoreError>((agents, agent_config::list(conn)?))
    });
    let (names, all) = known.await.map_err(|error| error.to_string())?;
    for (name, value) in &new.values {
        options::check(name, value, &names)?;
    }
    let is_same = |one: &Settings| one.service == new.service && one.environment == new.environment;
    let before = all.into_iter().find(is_same);
    Ok((new, before))
}

/// Deletes everything, where the form says that this is meant.
pub(in crate::ui) async fn clear(
    request: &HttpRequest,
    store: &Store,
    form: &[(String, String)],
) -> HttpResponse {
    let meant = form
        .iter()
        .any(|(key, value)| key == "sure" && value == "yes");
    if !meant {
        return refused(
            request,
            StatusCode::BAD_REQUEST,
            "Nothing was deleted.",
            "Tick the box beside the button to confirm.",
        );
    }
    match committed(store.clear()).await {
        Ok(()) => see_other("/settings?cleared=1"),
        Err(error) => refused(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            "Nothing was deleted.",
            &error,
        ),
    }
}

/// Takes an uploaded recording.
pub(in crate::ui) async fn import(
    request: &HttpRequest,
    store: &Store,
    uploads: &Uploads,
    form: Multipart,
) -> HttpResponse {
    match upload::import(uploads, store, form).await {
        Ok(taken) => {
            let href = Href::at("/settings")
                .set("imported", &taken.summary.accepted.to_string())
                .set("refused", &taken.summary.rejected.to_string())
                .set("trace", taken.trace.as_deref().unwrap_or(""));
            see_other(&href.to_string())
        }
        Err(error) => {
            let status = match error {
                UploadError::Busy | UploadError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
                UploadError::Late(..) => StatusCode::REQUEST_TIMEOUT,
                UploadError::Large => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            let text = error.to_string();
            refused(
                request,
                status,
                "The file was not imported, or only a part of it.",
                &text,
            )
        }
    }
}

/// A trace as a file that can be imported.
pub(in crate::ui) async fn export(request: HttpRequest, store: Store, id: String) -> HttpResponse {
    let asked = id.clone();
    let begun = store
        .read_async(move |conn| {
            let mut export = Export::begin(conn, &asked)?;
            // Before the answer begins: later it could not say that the trace is not there.
            let first = export.lines(conn)?;
            Ok::<_, StoreError>((export, first))
        })
        .await;
    match begun {
        Ok((export, Some(first))) => {
            // An id is what the sender says; in a header only its plain characters are kept.
            let name: String = id
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(64)
                .collect();
            let disposition = format!("attachment; filename=\"trace-{name}.ndjson\"");
            HttpResponse::Ok()
                .content_type("application/x-ndjson")
                .insert_header((header::CONTENT_DISPOSITION, disposition))
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .streaming(rest(store, export, first))
        }
        Ok((_, None)) => refused(
            &request,
            StatusCode::NOT_FOUND,
            "This trace is not stored.",
            "It was never sent, has not arrived yet, or retention has removed it.",
        ),
        Err(error) => refused(
            &request,
            StatusCode::SERVICE_UNAVAILABLE,
            "The trace cannot be read.",
            &error.to_string(),
        ),
    }
}

/// Part after part of a trace. Each is a read of its own, so that a slow reader holds no connection to the database.
fn rest(
    store: Store,
    export: Export,
    first: String,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let first = stream::once(async move { Ok(Bytes::from(first)) });
    let rest = stream::unfold(Some((store, export)), |state| async move {
        let (store, mut export) = state?;
        let read = store
            .read_async(move |conn| {
                let lines = export.lines(conn)?;
                Ok::<_, StoreError>((export, lines))
            })
            .await;
        match read {
            Ok((export, Some(lines))) => Some((Ok(Bytes::from(lines)), Some((store, export)))),
            Ok((_, None)) => None,
            // The answer is not complete: the connection ends without the end of the answer.
            Err(error) => Some((Err(error), None)),
        }
    });
    first.chain(rest)
}
