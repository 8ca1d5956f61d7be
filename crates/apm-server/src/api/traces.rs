//! `/api/v1/traces` and one trace.

mod page;

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use diesel::SqliteConnection;
use kql::pasted::{Part, readings};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::answer::answer;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::discover::{self, MOST_HITS};
use crate::analytics::trace::Trace;
use crate::analytics::trace::read;
use crate::analytics::traces::{self, Question};

/// Some of the items of a trace, with what is said of all of it.
#[derive(Debug)]
pub struct TracePart {
    trace: Arc<Trace>,
    first: usize,
    size: usize,
    read: page::Read,
}

impl TracePart {
    /// Reads what the items from `first` on, at most `size`, are shown with.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn read(
        conn: &mut SqliteConnection,
        trace: Arc<Trace>,
        first: usize,
        size: usize,
    ) -> Result<Self, StoreError> {
        let start = first.min(trace.items.len());
        let end = start.saturating_add(size).min(trace.items.len());
        let items = &trace.items[start..end];
        let read = page::Read {
            statements: read::statements(conn, items)?,
            named: read::named(conn, items)?,
        };
        Ok(Self {
            trace,
            first,
            size,
            read,
        })
    }
}

impl Serialize for TracePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        page::Page::of(&self.trace, self.first, self.size, &self.read).serialize(serializer)
    }
}

/// A part of a trace, and the document of one of its items where one is asked for.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    part: TracePart,
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

/// Items of one answer, if no number is asked for, and at most.
const ITEMS: i64 = 5_000;
const MOST_ITEMS: i64 = 10_000;

/// `GET /api/v1/traces/{trace}?item=&first=&size=`
pub(super) async fn one(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?.timeless();
    let id = params.path("trace").to_owned();
    let item = params.get("item")?.map(str::to_owned);
    let first = params.int("first", 0, i64::MAX)?.unwrap_or(0);
    let size = params.int("size", 0, MOST_ITEMS)?.unwrap_or(ITEMS);
    let whole = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let (first, size) = (whole(first), whole(size));
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
        Ok(Answer {
            part: TracePart::read(conn, trace, first, size)?,
            document,
        })
    })
    .await
}
