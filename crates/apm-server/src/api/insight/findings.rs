//! Findings, and which of them are hidden.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use apm_time::SECOND;
use serde::Serialize;

use crate::analytics::filter::List;
use crate::api::answer::answer;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::insight::finding::{self, Which};

#[derive(Serialize)]
struct Insights {
    insights: Vec<finding::Finding>,
}

pub(in crate::api) async fn insights(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.timeless();
    let scope = params.scope(List::Statements)?;
    let (ended, dismissed) = (
        params.get("ended")?.is_some(),
        params.get("dismissed")?.is_some(),
    );
    let fingerprint = params.asked_hash("fingerprint")?;
    let fingerprint = fingerprint.map(|hash| format!("{hash:016x}"));
    answer(&request, &store, &params, move |conn| {
        let which = Which {
            ended,
            dismissed,
            fingerprint: fingerprint.as_deref(),
        };
        Ok(Insights {
            insights: finding::list(conn, &scope, which)?,
        })
    })
    .await
}

pub(in crate::api) async fn dismiss(
    path: Path<String>,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    hide(path.into_inner(), &store, Some(apm_time::now() / SECOND)).await
}

pub(in crate::api) async fn restore(
    path: Path<String>,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    hide(path.into_inner(), &store, None).await
}

async fn hide(id: String, store: &Store, dismissed: Option<i64>) -> Result<HttpResponse, ApiError> {
    let name = id.clone();
    let written = store.write(move |conn| finding::dismiss(conn, &id, dismissed));
    match written.map_err(|_| StoreError::Busy)?.await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::Unknown {
            what: "insight",
            name,
        }),
    }
}
