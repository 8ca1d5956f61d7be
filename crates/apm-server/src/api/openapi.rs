//! What there is to ask: `/api/v1/openapi.json`.

use actix_web::HttpResponse;

/// The description, OpenAPI 3.1.
pub const FILE: &str = include_str!("openapi.json");

/// `GET /api/v1/openapi.json`
pub(super) async fn file() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(FILE)
}
