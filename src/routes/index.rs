//! `/`: answers at once.

use actix_web::{HttpResponse, Responder};
use serde_json::json;

pub(super) async fn index() -> impl Responder {
    HttpResponse::Ok().json(json!({ "message": "response ok" }))
}
