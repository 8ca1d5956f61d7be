//! `/upstream`: asks another service for a person and answers by the country.

use actix_web::{HttpResponse, web};

use super::State;
use crate::error::Error;
use crate::upstream::Client;

pub(super) async fn upstream(
    state: web::Data<State>,
    client: web::Data<Client>,
) -> Result<HttpResponse, Error> {
    let country = client.country(&state.upstream).await?;
    let plain = "text/plain; charset=utf-8";
    Ok(match country.as_str() {
        "italy" => HttpResponse::Ok().content_type(plain).body("Italalia!"),
        "canada" => HttpResponse::BadGateway()
            .content_type(plain)
            .body("Canada!"),
        _ => HttpResponse::NotFound()
            .content_type(plain)
            .body("Not Found"),
    })
}
