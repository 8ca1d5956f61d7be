//! `/api/v1/errors`, those of a service, and one group of them.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use apm_time::rfc3339;
use serde::Serialize;
use serde_json::Value as Json;

use super::answer::{answer, compare};
use super::error::ApiError;
use super::params::Params;
use crate::analytics::error_group::{self, Detail};
use crate::analytics::filter::List;
use crate::analytics::{discover, errors, minutes};

/// One group with one of its occurrences.
#[derive(Serialize)]
struct Group {
    #[serde(flatten)]
    detail: Detail,
    /// Which of the samples `document` is, from 0.
    n: usize,
    document: Option<Json>,
}

/// `GET /api/v1/errors`, `GET /api/v1/services/{service}/errors`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Errors)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(errors::list(conn, &scope, None, window)?)
    })
    .await
}

/// `GET /api/v1/services/{service}/errors/{key}?n=`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Errors)?;
    let key = params.hash("key")?;
    let n = params.int("n", 0, 499)?.unwrap_or(0).unsigned_abs() as usize;
    let (window, range) = (params.window(), params.range);
    answer(&request, &store, &params, move |conn| {
        let window = minutes::kept(conn, &window)?;
        let detail = error_group::detail(conn, &scope, key, &window)?;
        if detail.group.is_none() {
            return Err(ApiError::NotFound {
                what: "error group",
                name: format!("{key:016x}"),
                from: rfc3339(range.from),
                to: rfc3339(range.to),
            });
        }
        let document = match detail.samples.get(n) {
            Some(sample) => discover::document(conn, sample.seq)?,
            None => None,
        };
        Ok(Group {
            detail,
            n,
            document,
        })
    })
    .await
}
