//! `/api/v1/queries` and one statement.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde::Serialize;

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use super::transactions::{durations, scale};
use crate::analytics::distribution::Distribution;
use crate::analytics::filter::List;
use crate::analytics::latency::Latency;
use crate::analytics::statement::{self, Detail};
use crate::analytics::statements;

/// One statement.
#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    detail: Detail,
    latency: Latency,
    distribution: Distribution,
}

/// `GET /api/v1/queries`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Statements)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(statements::list(conn, &scope, None, window)?)
    })
    .await
}

/// `GET /api/v1/queries/{fingerprint}`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let (scope, fingerprint) = params.statement()?;
    let durations = durations(&params)?;
    let scale = scale(&params)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(One {
            detail: statement::detail(conn, &scope, fingerprint, durations, window)?,
            latency: statement::trend(conn, &scope, fingerprint, window)?,
            distribution: statement::distribution(conn, &scope, fingerprint, window, scale)?,
        })
    })
    .await
}
