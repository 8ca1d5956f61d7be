//! `/api/v1/services/{service}/transactions` and one of them.

use std::collections::HashSet;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde::Serialize;

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::breakdown::{self, Breakdown};
use crate::analytics::distribution::{self, Distribution, Scale};
use crate::analytics::filter::List;
use crate::analytics::latency::{self, Latency};
use crate::analytics::samples::{self, Durations, Sample};
use crate::analytics::throughput::{self, Throughput};
use crate::analytics::transactions::{self, Transactions};
use crate::insight::callers::{self, Caller, Of};

/// The table and the charts above it.
#[derive(Serialize)]
struct Table {
    #[serde(flatten)]
    groups: Transactions,
    transaction_types: Vec<String>,
    sql: Vec<Caller>,
    latency: Latency,
    throughput: Throughput,
    breakdown: Breakdown,
}

/// One transaction group.
#[derive(Serialize)]
struct View {
    latency: Latency,
    throughput: Throughput,
    breakdown: Breakdown,
    distribution: Distribution,
    samples: Vec<Sample>,
}

/// `GET /api/v1/services/{service}/transactions`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Transactions)?;
    compare(&request, &store, &params, move |conn, window| {
        let groups = transactions::list(conn, &scope, window)?;
        let mut sql = callers::list(conn, &scope, Of::All, window)?;
        if groups.left_out > 0 {
            let listed = groups.transactions.iter();
            let listed: HashSet<_> = listed.map(|group| (&group.kind, &group.name)).collect();
            sql.retain(|caller| listed.contains(&(&caller.kind, &caller.transaction)));
        }
        Ok(Table {
            groups,
            transaction_types: transactions::types(conn, &scope, window)?,
            sql,
            latency: latency::chart(conn, &scope, window)?,
            throughput: throughput::chart(conn, &scope, window)?,
            breakdown: breakdown::chart(conn, &scope, window)?,
        })
    })
    .await
}

/// `GET /api/v1/services/{service}/transactions/view?type=&name=`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    params.required("name")?;
    let scope = params.scope(List::Transactions)?;
    let durations = durations(&params)?;
    let scale = scale(&params)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(View {
            latency: latency::chart(conn, &scope, window)?,
            throughput: throughput::chart(conn, &scope, window)?,
            breakdown: breakdown::chart(conn, &scope, window)?,
            distribution: distribution::chart(conn, &scope, window, scale)?,
            samples: samples::list(conn, &scope, window, durations, samples::LIMIT)?,
        })
    })
    .await
}

pub(super) fn durations(params: &Params) -> Result<Durations, ApiError> {
    let all = Durations::default();
    let durations = Durations {
        min: params.int("min_us", 0, i64::MAX)?.unwrap_or(all.min),
        max: params.int("max_us", 0, i64::MAX)?.unwrap_or(all.max),
    };
    if durations.min >= durations.max {
        return Err(ApiError::Parameter {
            parameter: "max_us",
            problem: "must be greater than min_us".to_owned(),
        });
    }
    Ok(durations)
}

pub(super) fn scale(params: &Params) -> Result<Scale, ApiError> {
    match params.get("scale")? {
        None | Some("log") => Ok(Scale::Log),
        Some("linear") => Ok(Scale::Linear),
        Some(_) => Err(ApiError::Parameter {
            parameter: "scale",
            problem: "must be log or linear".to_owned(),
        }),
    }
}
