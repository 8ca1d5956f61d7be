//! Markers, and the comparison around one.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use apm_time::SECOND;
use serde::{Deserialize, Serialize};

use crate::analytics::Scope;
use crate::api::answer::answer;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::insight::compare::{self, Stretch};
use crate::insight::marker;

/// How far a comparison around a marker reaches, seconds.
const REACH: i64 = 3_600;

#[derive(Serialize)]
struct Markers {
    markers: Vec<marker::Marker>,
}

pub(in crate::api) async fn markers(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.timeless();
    let service = params.get("service")?.map(str::to_owned);
    answer(&request, &store, &params, move |conn| {
        Ok(Markers {
            markers: marker::list(conn, service.as_deref())?,
        })
    })
    .await
}

#[derive(Deserialize)]
struct NewMarker {
    name: String,
    #[serde(default)]
    service: String,
    /// As in `from`; now where it is not given.
    time: Option<String>,
}

pub(in crate::api) async fn set_marker(
    body: Bytes,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let problem = |problem: String| ApiError::Parameter {
        parameter: "marker",
        problem,
    };
    let new: NewMarker = serde_json::from_slice(&body).map_err(|error| {
        problem(format!(
            "send {{\"name\": …, \"service\": …, \"time\": …}}, of which name is needed: {error}"
        ))
    })?;
    if new.name.trim().is_empty() || new.name.len() > marker::LONGEST_NAME {
        return Err(problem(format!(
            "name must have 1 to {} bytes",
            marker::LONGEST_NAME
        )));
    }
    let now = apm_time::now();
    let at = match &new.time {
        Some(text) => apm_time::parse("time", text, now, apm_time::Round::Down)?,
        None => now,
    };
    let name = new.name.clone();
    let written =
        store.write(move |conn| marker::set(conn, at, &new.service, marker::Kind::Manual, &name));
    let id = written.map_err(|_| StoreError::Busy)?.await?;
    Ok(HttpResponse::Created()
        .json(serde_json::json!({"id": id, "name": new.name, "time": apm_time::rfc3339(at)})))
}

pub(in crate::api) async fn compare(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.of_now();
    let scope = Scope {
        service: params.get("service")?.map(str::to_owned),
        environment: params.get("env")?.map(str::to_owned),
        ..Scope::default()
    };
    let name = params.get("marker")?.map(str::to_owned);
    let (range, now) = (params.range, params.now / SECOND);
    answer(&request, &store, &params, move |conn| {
        let (before, after) = match &name {
            Some(name) => {
                let marker = marker::find(conn, name)?.ok_or_else(|| ApiError::Unknown {
                    what: "marker",
                    name: name.clone(),
                })?;
                compare::around(marker.at, now, REACH)
            }
            None => {
                let after = Stretch {
                    from: range.from / SECOND,
                    to: range.to / SECOND,
                };
                let length = (after.to - after.from).max(60);
                (
                    Stretch {
                        from: after.from - length,
                        to: after.from,
                    },
                    after,
                )
            }
        };
        Ok(compare::windows(conn, &scope, before, after)?)
    })
    .await
}
