//! `/delay`: waits for one of the article's times.

use std::time::Duration;

use actix_web::{HttpResponse, Responder};
use serde_json::json;

use crate::people::pick;

/// The article's list, in microseconds; 9 ms is in it twice and so comes twice as often.
const DELAYS_US: &[u64] = &[
    2_000, 3_000, 4_000, 10_000, 300_000, 200_000, 9_000, 15_000, 20_000, 225_000, 9_000, 1_000,
    250_000, 30_000, 18_000,
];

pub(super) async fn delay() -> impl Responder {
    let delay = Duration::from_micros(pick(&mut rand::rng(), DELAYS_US));
    actix_web::rt::time::sleep(delay).await;
    HttpResponse::Ok().json(json!({ "message": "response delay" }))
}
