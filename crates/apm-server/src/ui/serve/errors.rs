//! The forms of an error group: what people decide about it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;

use super::{committed, refused, see_other};
use crate::insight::triage::{self, Change, TriageError};
use crate::ui::href::Href;
use crate::ui::pages::errors::change::read_change;

/// Changes the state of a group, and goes back to its page.
pub(in crate::ui) async fn change(
    request: HttpRequest,
    store: Data<Store>,
    path: Path<(String, String, String)>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    let (service, key, action) = path.into_inner();
    let Some(number) = kql::pasted::hash(&key) else {
        return super::not_found(&request);
    };
    let made = match read_change(&action, &form) {
        Ok(Some(change)) => change,
        Ok(None) => return super::not_found(&request),
        Err(why) => return wrong(&request, StatusCode::BAD_REQUEST, &why),
    };
    match made_in(&store, &service, number, made).await {
        Ok(Ok(())) => {
            let page = Href::to(&["services", &service, "errors", &key]);
            super::back(&request, &page.to_string())
        }
        Ok(Err(error)) => {
            let status = match error {
                TriageError::Unknown(_) => StatusCode::NOT_FOUND,
                TriageError::Wrong(_) => StatusCode::BAD_REQUEST,
            };
            wrong(&request, status, &error.to_string())
        }
        Err(why) => wrong(&request, StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

/// Most groups of one form.
const MOST: usize = 1_000;

/// Changes the state of several groups, and goes back to the list.
pub(in crate::ui) async fn change_all(
    request: HttpRequest,
    store: Data<Store>,
    action: Path<String>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    // Whatever else there is is about one group.
    let is_for_many = matches!(&**action, "resolve" | "ignore" | "reopen" | "assign");
    let made = match read_change(&action, &form) {
        Ok(Some(change)) if is_for_many => change,
        Ok(_) => return super::not_found(&request),
        Err(why) => return wrong(&request, StatusCode::BAD_REQUEST, &why),
    };
    let groups = match groups(&form) {
        Ok(groups) => groups,
        Err(why) => return wrong(&request, StatusCode::BAD_REQUEST, why),
    };
    let asked = groups.len();
    let now = apm_time::now();
    let written = store.write(move |conn| {
        let mut unchanged = Vec::new();
        for (key, service) in groups {
            if let Err(error) = triage::change(conn, &service, key, &made, now)? {
                unchanged.push(error);
            }
        }
        Ok(unchanged)
    });
    let unchanged = match committed(written).await {
        Ok(unchanged) => unchanged,
        Err(why) => return wrong(&request, StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    match unchanged.first() {
        None => see_other(&back(&form)),
        Some(TriageError::Wrong(why)) => wrong(&request, StatusCode::BAD_REQUEST, why),
        Some(error) => {
            let done = asked - unchanged.len();
            let why = format!("{done} of {asked} errors were changed: {error}.");
            refused(
                &request,
                StatusCode::NOT_FOUND,
                "Not all errors were changed.",
                &why,
            )
        }
    }
}

/// The groups of a form: their keys and services.
fn groups(form: &[(String, String)]) -> Result<Vec<(u64, String)>, &'static str> {
    let all = form.iter().filter(|(name, _)| name == "group");
    let read = all.map(|(_, value)| {
        let (key, service) = value.split_once(' ')?;
        Some((kql::pasted::hash(key)?, service.to_owned()))
    });
    let groups: Option<Vec<_>> = read.collect();
    match groups {
        None => Err("A group is its key, a space, and its service."),
        Some(groups) if groups.is_empty() => {
            Err("No error is chosen: tick the boxes of some first.")
        }
        Some(groups) if groups.len() > MOST => {
            Err("Too many errors are chosen: at most 1,000 are changed at once.")
        }
        Some(groups) => Ok(groups),
    }
}

/// The list that a form came from; the list of all errors where it says no list of this server.
fn back(form: &[(String, String)]) -> String {
    let found = form.iter().find(|(name, _)| name == "back");
    let address = found.map_or("", |(_, value)| value);
    let path = address.split('?').next().unwrap_or_default();
    let is_list = path == "/errors" || path.starts_with("/services/") && path.ends_with("/errors");
    let is_plain = !address.contains(|c: char| c.is_control() || c == '\\');
    match is_list && is_plain {
        true => address.to_owned(),
        false => "/errors".to_owned(),
    }
}

async fn made_in(
    store: &Store,
    service: &str,
    key: u64,
    made: Change,
) -> Result<Result<(), TriageError>, String> {
    let service = service.to_owned();
    let now = apm_time::now();
    let written = store.write(move |conn| triage::change(conn, &service, key, &made, now));
    committed(written).await
}

fn wrong(request: &HttpRequest, status: StatusCode, why: &str) -> HttpResponse {
    refused(request, status, "The error was not changed.", why)
}
