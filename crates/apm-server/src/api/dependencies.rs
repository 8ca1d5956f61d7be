//! `/api/v1/dependencies`, one of them, and those of a service.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde::Serialize;

use super::answer::compare;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::dependencies::{self, Choice, Dependency};
use crate::analytics::filter::List;
use crate::analytics::series::Axis;
use crate::analytics::statements::{self, Statement};

/// One dependency.
#[derive(Serialize)]
struct Detail {
    dependency: Option<Dependency>,
    callers: Vec<Dependency>,
    /// How many callers with less time there are beside.
    callers_left_out: usize,
    statements: Vec<Statement>,
    /// The same of statements.
    statements_left_out: usize,
    axis: Axis,
}

/// `GET /api/v1/dependencies`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Dependencies)?;
    compare(&request, &store, &params, move |conn, window| {
        Ok(dependencies::list(
            conn,
            &scope,
            &Choice::default(),
            window,
        )?)
    })
    .await
}

/// `GET /api/v1/services/{service}/dependencies`
pub(super) async fn of_service(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    list(request, store).await
}

/// `GET /api/v1/dependencies/{dependency}`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Dependencies)?;
    let choice = Choice {
        dependency: Some(params.path("dependency").to_owned()),
        by_service: false,
    };
    compare(&request, &store, &params, move |conn, window| {
        let found = dependencies::list(conn, &scope, &choice, window)?;
        let by_service = Choice {
            by_service: true,
            ..choice.clone()
        };
        let callers = dependencies::list(conn, &scope, &by_service, window)?;
        let run = statements::of_dependency(conn, &scope, &callers.dependencies, window)?;
        Ok(Detail {
            dependency: found.dependencies.into_iter().next(),
            callers: callers.dependencies,
            callers_left_out: callers.left_out,
            statements: run.statements,
            statements_left_out: run.left_out,
            axis: found.axis,
        })
    })
    .await
}
