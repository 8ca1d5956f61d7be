//! `/healthz`: 200 when events can be stored.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::time::{Duration, timeout};

use super::respond;
use crate::store::Store;

/// How long the writer may take to answer.
const WAIT: Duration = Duration::from_secs(2);

/// Asks the writer for a transaction that changes nothing.
pub(super) async fn check(request: HttpRequest, store: web::Data<Store>) -> HttpResponse {
    let trouble = match store.write(|_| Ok(())) {
        Err(error) => Some(error.to_string()),
        Ok(ticket) => match timeout(WAIT, ticket).await {
            Err(_) => Some("the writer is behind".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            // A commit of telemetry may have failed where one without data does not.
            Ok(Ok(())) => store.stats().trouble.map(|error| error.to_string()),
        },
    };
    match trouble {
        None => respond::json(&request, 200, &json!({"status": "ok"})),
        Some(error) => {
            let body = json!({"status": "unavailable", "error": error});
            respond::json(&request, 503, &body)
        }
    }
}
