//! The buttons that pin traces.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};

use super::{back, refused};
use crate::pins::{self, FULL, Pinned};
use crate::ui::href::Href;

/// Pins a trace and goes back to it.
pub(in crate::ui) async fn pin(
    request: HttpRequest,
    store: Data<Store>,
    trace: Path<String>,
) -> HttpResponse {
    match pins::pin(&store, &trace).await {
        Ok(Pinned::Yes) => to_trace(&request, &trace),
        Ok(Pinned::Unknown) => super::not_found(&request),
        Ok(Pinned::Full) => not_pinned(&request, StatusCode::CONFLICT, FULL),
        Err(error) => failed(&request, &error),
    }
}

/// Takes a pin back and goes to the trace, which may be gone soon.
pub(in crate::ui) async fn unpin(
    request: HttpRequest,
    store: Data<Store>,
    trace: Path<String>,
) -> HttpResponse {
    match pins::unpin(&store, &trace).await {
        Ok(_) => to_trace(&request, &trace),
        Err(error) => failed(&request, &error),
    }
}

fn to_trace(request: &HttpRequest, trace: &str) -> HttpResponse {
    back(request, &Href::to(&["traces", trace]).to_string())
}

fn failed(request: &HttpRequest, error: &StoreError) -> HttpResponse {
    not_pinned(request, StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

fn not_pinned(request: &HttpRequest, status: StatusCode, why: &str) -> HttpResponse {
    refused(request, status, "This was not done.", why)
}
