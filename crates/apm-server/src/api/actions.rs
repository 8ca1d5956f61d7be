//! Actions that change something, and the question of the console as a body. A POST: the guard lets no other site's
//! page do so.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use apm_time::{self as time, SECOND};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::openapi::{Operation, Reply, schema};
use super::{Endpoint, respond};
use crate::answers::parameter::{Described, Parameter, Place};
use crate::answers::{Problem, Settings, console};
use crate::insight::{finding, marker};
use crate::pins::{self, Pinned};
use crate::route::Access::{Admin, Read};
use crate::route::Route;

const TRACE: Parameter = Parameter::text("trace", "`trace.id`");
const ID: Parameter = Parameter::text("id", "`id` of a finding.");

/// Hiding findings, and showing them again.
pub(super) fn insights() -> [Endpoint; 2] {
    let endpoint = |route: Route, summary| {
        let id = || {
            vec![Described {
                parameter: ID,
                place: Place::Path,
                required: true,
            }]
        };
        let operation = Operation {
            method: "post",
            summary,
            parameters: id,
            body: None,
            reply: Reply::Done,
        };
        Endpoint::new(route, vec![operation])
    };
    [
        endpoint(
            Route::at("/api/v1/insights/{id}/dismiss").post(Admin, dismiss),
            "Hide a finding",
        ),
        endpoint(
            Route::at("/api/v1/insights/{id}/restore").post(Admin, restore),
            "Show a hidden finding again",
        ),
    ]
}

async fn dismiss(path: Path<String>, store: Data<Store>) -> Result<HttpResponse, Problem> {
    hide(path.into_inner(), &store, Some(time::now() / SECOND)).await
}

async fn restore(path: Path<String>, store: Data<Store>) -> Result<HttpResponse, Problem> {
    hide(path.into_inner(), &store, None).await
}

async fn hide(id: String, store: &Store, dismissed: Option<i64>) -> Result<HttpResponse, Problem> {
    let name = id.clone();
    let written = store.write(move |conn| finding::dismiss(conn, &id, dismissed));
    match written.map_err(|_| StoreError::Busy)?.await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Problem::Unknown {
            what: "insight",
            name,
        }),
    }
}

/// Pinning traces, and taking pins back.
pub(super) fn pins() -> Endpoint {
    let operation = |method, summary| Operation {
        method,
        summary,
        parameters: || {
            vec![Described {
                parameter: TRACE,
                place: Place::Path,
                required: true,
            }]
        },
        body: None,
        reply: Reply::Done,
    };
    let route = Route::at("/api/v1/traces/{trace}/pin")
        .post(Admin, pin)
        .delete(Admin, unpin);
    Endpoint::new(
        route,
        vec![
            operation("post", "Pin a trace: it stays until it is unpinned"),
            operation("delete", "Take the pin of a trace back"),
        ],
    )
}

async fn pin(trace: Path<String>, store: Data<Store>) -> Result<HttpResponse, Problem> {
    match pins::pin(&store, &trace).await? {
        Pinned::Yes => Ok(HttpResponse::NoContent().finish()),
        Pinned::Unknown => Err(unknown("trace", trace)),
        Pinned::Full => Ok(HttpResponse::Conflict().json(json!({"error": pins::FULL}))),
    }
}

async fn unpin(trace: Path<String>, store: Data<Store>) -> Result<HttpResponse, Problem> {
    match pins::unpin(&store, &trace).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unknown("pinned trace", trace)),
    }
}

fn unknown(what: &'static str, trace: Path<String>) -> Problem {
    Problem::Unknown {
        what,
        name: trace.into_inner(),
    }
}

/// Adds setting a marker to the address of markers.
pub(super) fn with_markers(mut endpoint: Endpoint) -> Endpoint {
    endpoint.route = endpoint.route.post(Admin, set_marker);
    endpoint.operations.push(Operation {
        method: "post",
        summary: "Set a marker",
        parameters: Vec::new,
        body: Some(json!({
            "required": true,
            "content": {"application/json": {"schema": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": marker::LONGEST_NAME},
                    "service": {"type": "string", "description": "`service.name`. Default: all services."},
                    "environment": {
                        "type": "string",
                        "description": "`service.environment`. Default: all environments.",
                    },
                    "time": {"type": "string", "description": "As in `from`. Default: now."},
                },
            }}},
        })),
        reply: Reply::Created(schema::<Set>),
    });
    endpoint
}

#[derive(Deserialize)]
struct NewMarker {
    name: String,
    #[serde(default)]
    service: String,
    environment: Option<String>,
    /// As in `from`; now where it is not given.
    time: Option<String>,
}

/// A marker that was set.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MarkerSet")]
struct Set {
    /// Its number.
    id: i64,
    /// Its name.
    name: String,
    /// Its time, RFC 3339.
    time: String,
}

async fn set_marker(body: Bytes, store: Data<Store>) -> Result<HttpResponse, Problem> {
    let problem = |problem: String| Problem::Parameter {
        parameter: "marker",
        problem,
    };
    let new: NewMarker = serde_json::from_slice(&body).map_err(|error| {
        problem(format!(
            "send {{\"name\": …, \"service\": …, \"environment\": …, \"time\": …}}, of which name is needed: {error}"
        ))
    })?;
    if new.name.trim().is_empty() || new.name.len() > marker::LONGEST_NAME {
        return Err(problem(format!(
            "name must have 1 to {} bytes",
            marker::LONGEST_NAME
        )));
    }
    let now = time::now();
    let at = match &new.time {
        Some(text) => time::parse("time", text, now, time::Round::Down)?,
        None => now,
    };
    let name = new.name.clone();
    let written = store.write(move |conn| {
        let of = (&*new.service, new.environment.as_deref());
        marker::set(conn, at, of, marker::Kind::Manual, &name)
    });
    let id = written.map_err(|_| StoreError::Busy)?.await?;
    Ok(HttpResponse::Created().json(Set {
        id,
        name: new.name,
        time: time::rfc3339(at),
    }))
}

/// Adds the question as a body to the address of the console.
pub(super) fn with_body(mut endpoint: Endpoint) -> Endpoint {
    endpoint.route = endpoint.route.post(Read, sql_of_body);
    endpoint.operations.push(Operation {
        method: "post",
        summary: "The same, with the question as the body",
        parameters: respond::forms::<console::Params>,
        body: Some(json!({
            "required": true,
            "content": {"text/plain": {"schema": {"type": "string"}}},
        })),
        reply: Reply::Fresh(schema::<console::Answer>),
    });
    endpoint
}

async fn sql_of_body(
    request: HttpRequest,
    body: String,
    store: Data<Store>,
    settings: Data<Settings>,
) -> Result<HttpResponse, Problem> {
    respond::fresh(&request, console::Params::new(body), &store, &settings).await
}
