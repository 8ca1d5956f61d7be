//! Pinning charts and pages to the dashboard, and removing them.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path};
use apm_store::{Store, StoreError};

use super::Endpoint;
use super::alerts::{body, read};
use super::openapi::{Operation, Reply, schema};
use crate::answers::Problem;
use crate::answers::parameter::{Described, Parameter, Place};
use crate::dashboard::{self, Pin};
use crate::route::Access::Admin;
use crate::route::Route;

const ID: Parameter = Parameter::whole("id", 0, i64::MAX, "`id` of a pin.");

/// Adds pinning to the address of the dashboard.
pub(super) fn with_pins(mut endpoint: Endpoint) -> Endpoint {
    endpoint.route = endpoint.route.post(Admin, add);
    endpoint.operations.push(Operation {
        method: "post",
        summary: "Pin a chart or a page to the dashboard",
        parameters: Vec::new,
        body: Some(body::<Pin>()),
        reply: Reply::Created(schema::<Pin>),
    });
    endpoint
}

/// The address that removes a pin.
pub(super) fn remove() -> Endpoint {
    let operation = Operation {
        method: "post",
        summary: "Remove a pin from the dashboard",
        parameters: || {
            vec![Described {
                parameter: ID,
                place: Place::Path,
                required: true,
            }]
        },
        body: None,
        reply: Reply::Done,
    };
    let route = Route::at("/api/v1/dashboard/{id}/remove").post(Admin, removed);
    Endpoint::new(route, vec![operation])
}

fn wrong(problem: String) -> Problem {
    Problem::Parameter {
        parameter: "body",
        problem,
    }
}

async fn add(text: Bytes, store: Data<Store>) -> Result<HttpResponse, Problem> {
    let mut pin = read::<Pin>(&text)?.checked().map_err(wrong)?;
    let kept = pin.clone();
    let written = store.write(move |conn| dashboard::add(conn, &kept));
    match written.map_err(|_| StoreError::Busy)?.await? {
        Some(id) => {
            pin.id = id;
            Ok(HttpResponse::Created().json(pin))
        }
        None => Err(wrong(format!(
            "there are {} pins already: remove one first",
            dashboard::MOST
        ))),
    }
}

async fn removed(id: Path<String>, store: Data<Store>) -> Result<HttpResponse, Problem> {
    let name = id.into_inner();
    let unset = |name: String| Problem::Unset { what: "pin", name };
    let Ok(id) = name.parse() else {
        return Err(unset(name));
    };
    let written = store.write(move |conn| dashboard::remove(conn, id));
    match written.map_err(|_| StoreError::Busy)?.await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(unset(name)),
    }
}
