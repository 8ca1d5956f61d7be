//! The state of an error group, changed by programs.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path};
use apm_store::{Store, StoreError};

use super::Endpoint;
use super::alerts::{body, read};
use super::openapi::{Operation, Reply};
use crate::answers::Problem;
use crate::answers::parameter::shared::SERVICE;
use crate::answers::parameter::{Described, Parameter, Place};
use crate::insight::triage::{self, Change, TriageError};
use crate::route::Access::Admin;
use crate::route::Route;

const KEY: Parameter = Parameter::hash("key", "`error.grouping_key`");

/// The address that changes the state of a group.
pub(super) fn change() -> Endpoint {
    let operation = Operation {
        method: "post",
        summary: "Resolve, ignore, assign, merge or reopen an error group, or undo a change",
        parameters: || {
            let described = |parameter| Described {
                parameter,
                place: Place::Path,
                required: true,
            };
            vec![described(SERVICE), described(KEY)]
        },
        body: Some(body::<Change>()),
        reply: Reply::Done,
    };
    let route = Route::at("/api/v1/services/{service}/errors/{key}/state").post(Admin, made);
    Endpoint::new(route, vec![operation])
}

async fn made(
    path: Path<(String, String)>,
    text: Bytes,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let (service, name) = path.into_inner();
    let key = kql::pasted::hash(&name).ok_or_else(|| Problem::Segment {
        parameter: KEY.name,
        problem: "must be 16 hexadecimal digits".to_owned(),
    })?;
    let change: Change = read(&text)?;
    let now = apm_time::now();
    let written = store.write(move |conn| triage::change(conn, &service, key, &change, now));
    match written.map_err(|_| StoreError::Busy)?.await? {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(TriageError::Unknown(key)) => Err(Problem::Unknown {
            what: "error group",
            name: format!("{key:016x}"),
        }),
        Err(error @ TriageError::Wrong(_)) => Err(Problem::Parameter {
            parameter: "body",
            problem: error.to_string(),
        }),
    }
}
