//! The gate for CI, answered over HTTP.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;

use crate::api::answer::answer;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::insight::check::{self, CheckError, Gate};

pub(in crate::api) async fn check(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.of_now();
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err(wrong(
            "max_statements_per_request",
            "must be a number of at least 0".to_owned(),
        )),
    };
    let gate = Gate {
        service: params.get("service")?.map(str::to_owned),
        max_statements_per_request: params
            .get("max_statements_per_request")?
            .map(number)
            .transpose()?,
        no_repeats: params.get("no_repeats")?.is_some(),
        // Several bounds stand in one parameter, a line each.
        p95: params
            .get("p95")?
            .unwrap_or_default()
            .lines()
            .map(|line| line.parse().map_err(|problem| wrong("p95", problem)))
            .collect::<Result<_, _>>()?,
        no_growth: params.get("no_growth")?.is_some(),
        since: params.get("since")?.map(str::to_owned),
        ..Gate::default()
    };
    let now = params.now;
    answer(&request, &store, &params, move |conn| {
        check::run(conn, &gate, now).map_err(|error| match error {
            CheckError::Query(error) => error.into(),
            CheckError::Store(error) => error.into(),
            CheckError::Nothing => wrong(
                "max_statements_per_request",
                "nothing to check: give it, no_repeats, p95 or no_growth".to_owned(),
            ),
            CheckError::Since(text) => wrong(
                "since",
                format!(
                    "`{text}` is neither a marker nor a time: set one with POST /api/v1/markers, or write now-15m"
                ),
            ),
        })
    })
    .await
}

fn wrong(parameter: &'static str, problem: String) -> ApiError {
    ApiError::Parameter { parameter, problem }
}
