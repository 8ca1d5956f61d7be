//! The forms of an error group: what people decide about it.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;

use super::refused;
use crate::insight::triage::{self, Change, TriageError};
use crate::ui::href::Href;
use crate::ui::pages::error::read_change;

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
            let page = Href::to(&["services", &service, "errors", &key]).to_string();
            let back = match request.query_string() {
                "" => page,
                query => format!("{page}?{query}"),
            };
            HttpResponse::SeeOther()
                .insert_header((header::LOCATION, back))
                .finish()
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

async fn made_in(
    store: &Store,
    service: &str,
    key: u64,
    made: Change,
) -> Result<Result<(), TriageError>, String> {
    let service = service.to_owned();
    let now = apm_time::now();
    let written = store.write(move |conn| triage::change(conn, &service, key, &made, now));
    let ticket = written.map_err(|error| error.to_string())?;
    ticket.await.map_err(|error| error.to_string())
}

fn wrong(request: &HttpRequest, status: StatusCode, why: &str) -> HttpResponse {
    refused(request, status, "The error was not changed.", why)
}
