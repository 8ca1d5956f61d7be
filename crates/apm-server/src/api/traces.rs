//! `/api/v1/traces` and one trace.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value as Json;

use super::answer::answer;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::discover::{self, MOST_HITS};
use crate::analytics::trace::item::Trace;
use crate::analytics::trace::read;
use crate::analytics::traces::{self, Question};
use crate::pasted::{Part, readings};
use crate::store::Store;

/// A trace, and the document of one of its items where one is asked for.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    trace: Trace,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Json>,
}

/// Traces of a page where nothing else is asked for.
const SIZE: i64 = 50;

/// `GET /api/v1/traces?q=&env=&from=&to=&size=&after=`
pub(super) async fn list(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let size = params.int("size", 0, MOST_HITS as i64)?.unwrap_or(SIZE);
    let question = Question {
        query: params.query()?,
        environment: params.get("env")?.map(str::to_owned),
        range: params.range,
        size: size.unsigned_abs() as usize,
        after: params.after()?,
    };
    let now = params.now;
    answer(&request, &store, &params, move |conn| {
        Ok(traces::list(conn, &question, now)?)
    })
    .await
}

/// `GET /api/v1/traces/{trace}?item=`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.timeless();
    let id = params.path("trace").to_owned();
    let item = params.get("item")?.map(str::to_owned);
    answer(&request, &store, &params, move |conn| {
        let trace = read::pasted(conn, &id)?.ok_or(ApiError::Unknown {
            what: "trace",
            name: id,
        })?;
        let document = match item {
            None => None,
            Some(item) => {
                let mut readings = readings(&item, Part::Span).into_iter();
                let seq = readings
                    .find_map(|id| trace.seq_of(&id))
                    .ok_or(ApiError::Unknown {
                        what: "item of the trace",
                        name: item,
                    })?;
                discover::document(conn, seq)?
            }
        };
        Ok(Answer { trace, document })
    })
    .await
}
