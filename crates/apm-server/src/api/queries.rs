//! `/api/v1/queries` and one statement.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::filter::List;
use crate::analytics::{statement, statements};
use crate::store::Store;

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
    let scope = params.scope(List::Statements)?;
    let fingerprint = params.hash("fingerprint")?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(statement::detail(conn, &scope, fingerprint, window)?)
    })
    .await
}
