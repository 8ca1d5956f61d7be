//! `/sql-read`: `select * from people`; as JSON, page by page.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{State, ok, wants_json, with_conn};
use crate::error::Error;
use crate::people;

const DEFAULT_LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 1000;

/// The page of people to return: up to `limit` (default 100, at most 1000) with an id above `after`.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default = "default_limit")]
    limit: u16,
    #[serde(default)]
    after: i32,
}

fn default_limit() -> u16 {
    DEFAULT_LIMIT
}

pub(super) async fn sql_read(
    request: HttpRequest,
    state: web::Data<State>,
    web::Query(page): web::Query<Page>,
) -> Result<HttpResponse, Error> {
    if wants_json(&request) {
        let limit = page.limit.min(MAX_LIMIT).into();
        let found = with_conn(state, move |conn| {
            people::read_page(conn, page.after, limit)
        })
        .await?;
        return Ok(HttpResponse::Ok().json(found));
    }
    with_conn(state, |conn| people::read_all(conn)).await?;
    Ok(ok())
}
