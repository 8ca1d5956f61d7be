//! `/`: what agents ask to learn whom they talk to; browsers are sent to the pages.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::guard::is_trusted;
use super::{Shared, respond};

/// The version that agents see, and by which they choose what to send: that of the server whose language this one
/// speaks.
const SPOKEN: &str = "9.6.0";
/// When that language was last looked at.
const SPOKEN_SINCE: &str = "2026-08-20T00:00:00Z";

/// Server information.
pub(super) async fn info(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond::error(
            &request,
            405,
            "method not supported: this is the server information endpoint; did you mean to send data to another \
             endpoint instead?",
        );
    }
    if respond::wants_page(&request) {
        return HttpResponse::Found()
            .insert_header((header::LOCATION, "/services"))
            .finish();
    }
    if !is_trusted(&request, &shared.guard) {
        return respond::empty(200);
    }
    let body = json!({
        "build_date": SPOKEN_SINCE,
        "build_sha": format!("{}-{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        "publish_ready": true,
        "version": SPOKEN,
    });
    respond::json(&request, 200, &body)
}
