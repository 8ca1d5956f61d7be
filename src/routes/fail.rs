//! `/5xx`: the article's bug, an addition to what is not a number.

use actix_web::{HttpResponse, Responder};
use serde_json::json;

pub(super) async fn fail() -> impl Responder {
    let sum = add_one("not a number");
    HttpResponse::Ok().json(json!({ "sum": sum }))
}

/// Panics on anything but a number, which is the point of this route.
fn add_one(number: &str) -> i64 {
    let number: i64 = number.parse().expect("can only add 1 to a number");
    number + 1
}
