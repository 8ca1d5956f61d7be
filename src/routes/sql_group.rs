//! `/sql-group`: people by city, the article's statement that gets slower as rows accumulate.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{State, ok, wants_json, with_conn};
use crate::error::Error;
use crate::strategy::count_by_city;

pub(super) async fn sql_group(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, Error> {
    let strategy = state.sql_group;
    let counts = with_conn(state, move |conn| count_by_city(conn, strategy)).await?;
    Ok(if wants_json(&request) {
        HttpResponse::Ok().json(counts)
    } else {
        ok()
    })
}
