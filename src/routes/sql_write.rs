//! `/sql-write`: five people in one transaction.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{State, ok, wants_json, with_conn_to_write};
use crate::error::Error;
use crate::people;

pub(super) async fn sql_write(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, Error> {
    if wants_json(&request) {
        let written = with_conn_to_write(state, |conn| people::write_returning(conn)).await?;
        return Ok(HttpResponse::Ok().json(written));
    }
    with_conn_to_write(state, |conn| people::write(conn)).await?;
    Ok(ok())
}
