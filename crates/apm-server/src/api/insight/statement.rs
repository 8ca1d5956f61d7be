//! One statement: who calls it, how it grows, how it is run.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use apm_time::{SECOND, rfc3339};
use serde::Serialize;

use super::Settings;
use crate::analytics::samples::Durations;
use crate::analytics::{minutes, statement};
use crate::api::answer::answer;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::insight::callers::{self, Of};
use crate::insight::growth::{self, Growth};
use crate::insight::plan;

#[derive(Serialize)]
struct Callers {
    callers: Vec<callers::Caller>,
}

pub(in crate::api) async fn callers(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let (scope, fingerprint) = params.statement()?;
    let window = params.window();
    answer(&request, &store, &params, move |conn| {
        Ok(Callers {
            callers: callers::list(conn, &scope, Of::Statement(fingerprint), &window)?,
        })
    })
    .await
}

#[derive(Serialize)]
struct Grows {
    growth: Vec<Growth>,
}

pub(in crate::api) async fn growth(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.of_now();
    let (scope, fingerprint) = params.statement()?;
    let now = params.now / SECOND;
    answer(&request, &store, &params, move |conn| {
        let mut growth = Vec::new();
        for row in growth::subjects(conn, &scope, fingerprint)? {
            growth.extend(growth::read(conn, row.subject(), now)?);
        }
        Ok(Grows { growth })
    })
    .await
}

/// The plan of a statement's sample; with `index`, what it would be with that index.
pub(in crate::api) async fn plan(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.of_files();
    let (scope, fingerprint) = params.statement()?;
    let (window, range) = (params.window(), params.range);
    let index = params.get("index")?.map(str::to_owned);
    let files = Arc::clone(&settings.files);
    answer(&request, &store, &params, move |conn| {
        let window = minutes::kept(conn, &window)?;
        let found = statement::detail(conn, &scope, fingerprint, Durations::default(), &window)?;
        if found.statements.is_empty() {
            return Err(ApiError::NotFound {
                what: "statement",
                name: format!("{fingerprint:016x}"),
                from: rfc3339(range.from),
                to: rfc3339(range.to),
            });
        }
        let mapped = found
            .statements
            .iter()
            .find_map(|row| Some((row, files.get(&row.service)?)));
        let Some((row, file)) = mapped else {
            let names: BTreeSet<&str> = found
                .statements
                .iter()
                .map(|row| row.service.as_str())
                .collect();
            return Err(ApiError::NoFile {
                services: Vec::from_iter(names).join(", "),
            });
        };
        let explained = match &index {
            None => plan::explain(file, &row.sample).map(|plan| serde_json::json!(plan)),
            Some(index) => {
                plan::what_if(file, &row.sample, index).map(|plan| serde_json::json!(plan))
            }
        };
        explained.map_err(|error| ApiError::Parameter {
            parameter: "plan",
            problem: error.to_string(),
        })
    })
    .await
}
