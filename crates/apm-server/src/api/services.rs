//! `/api/v1/services` and one service.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde::Serialize;

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::breakdown::{self, Breakdown};
use crate::analytics::dependencies::{self, Choice, Dependency};
use crate::analytics::errors::{self, ErrorGroup};
use crate::analytics::filter::List;
use crate::analytics::latency::{self, Latency};
use crate::analytics::services;
use crate::analytics::statements::{self, Statement};
use crate::analytics::throughput::{self, Throughput};
use crate::analytics::transactions::{self, Transaction};

/// Rows of each table of the overview.
const TOP: usize = 5;

/// A service at a glance.
#[derive(Serialize)]
struct Overview {
    service: String,
    transaction_types: Vec<String>,
    latency: Latency,
    throughput: Throughput,
    breakdown: Breakdown,
    transactions: Vec<Transaction>,
    errors: Vec<ErrorGroup>,
    dependencies: Vec<Dependency>,
    statements: Vec<Statement>,
}

/// `GET /api/v1/services`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Transactions)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(services::list(conn, &scope, window)?)
    })
    .await
}

/// `GET /api/v1/services/{service}`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Transactions)?;
    compare(&request, &store, &params, move |conn, window| {
        let mut overview = Overview {
            service: scope.service.clone().unwrap_or_default(),
            transaction_types: transactions::types(conn, &scope, window)?,
            latency: latency::chart(conn, &scope, window)?,
            throughput: throughput::chart(conn, &scope, window)?,
            breakdown: breakdown::chart(conn, &scope, window)?,
            transactions: transactions::list(conn, &scope, window)?.transactions,
            errors: errors::list(conn, &scope, None, window)?.errors,
            dependencies: dependencies::list(conn, &scope, &Choice::default(), window)?
                .dependencies,
            statements: statements::list(conn, &scope, None, window)?.statements,
        };
        overview
            .errors
            .sort_by_key(|group| std::cmp::Reverse(group.occurrences));
        overview.transactions.truncate(TOP);
        overview.errors.truncate(TOP);
        overview.dependencies.truncate(TOP);
        overview.statements.truncate(TOP);
        Ok(overview)
    })
    .await
}
