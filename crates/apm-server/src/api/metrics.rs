//! `/api/v1/services/{service}/metrics`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde::Serialize;

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::filter::List;
use crate::analytics::metrics::{self, Metric, Metrics};

/// The page, or one metric by its name.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Page(Box<Metrics>),
    One(Metric),
}

/// `GET /api/v1/services/{service}/metrics?metric=&names_after=`
pub(super) async fn page(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Metrics)?;
    let after = params.get("names_after")?.unwrap_or_default().to_owned();
    let metric = params.get("metric")?.map(str::to_owned);
    compare(&request, &store, &params, move |conn, window| {
        Ok(match &metric {
            Some(metric) => Answer::One(metrics::one(conn, &scope, metric, window)?),
            None => Answer::Page(Box::new(metrics::page(conn, &scope, window, &after)?)),
        })
    })
    .await
}
