//! Jaeger's query API, for tools that read from it: Grafana's data source shows traces of this server.
//!
//! It answers what Jaeger's own pages ask for: services, operations, a search for traces, one trace, and calls between
//! services. Everything is read as the pages read it, with the same access.

mod query;
mod span;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::{Store, StoreError};
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::Serialize;
use serde_json::{Value, json};

use crate::analytics::discover::{self, Limits, Request};
use crate::analytics::service_map;
use crate::analytics::sql::Sql;
use crate::analytics::trace::read;
use crate::analytics::window::Window;
use crate::analytics::{Scope, directory, minutes};
use crate::route::Access::Read;
use crate::route::Route;
use query::Search;
use span::Room;

/// Operations of a service that are listed.
const OPERATIONS: i64 = 1000;

/// Spans of all traces of a search, and of one trace.
const FOUND_SPANS: usize = 20_000;
const TRACE_SPANS: usize = 50_000;

/// Bytes of the spans of an answer: each may repeat a statement of some kilobytes.
const BYTES: usize = 32 << 20;

/// Documents that are looked at for each trace of a search: several may belong to one.
const HITS: usize = 4;

/// The routes.
pub(crate) fn routes() -> Vec<Route> {
    [
        Route::at("/api/services").get(Read, services),
        Route::at("/api/services/{service}/operations").get(Read, names_of_service),
        Route::at("/api/operations").get(Read, operations),
        Route::at("/api/traces").get(Read, search),
        Route::at("/api/traces/{trace}").get(Read, trace),
        Route::at("/api/dependencies").get(Read, dependencies),
    ]
    .map(Route::for_programs)
    .into()
}

/// The text of an operation.
#[derive(Debug, QueryableByName)]
struct Operation {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// Why a request is not answered.
#[derive(Debug)]
enum Refusal {
    Wrong(String),
    Unknown,
    Failed(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

async fn services(store: Data<Store>) -> HttpResponse {
    answered(&store, |conn| Ok(directory::list(conn)?.services)).await
}

async fn names_of_service(store: Data<Store>, service: Path<String>) -> HttpResponse {
    answered(&store, move |conn| {
        let mut names: Vec<String> = operations_of(conn, &service)?
            .into_iter()
            .map(|operation| operation.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    })
    .await
}

async fn operations(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    let asked = query::pairs(&request);
    answered(&store, move |conn| {
        let service = asked
            .get("service")
            .ok_or_else(|| Refusal::Wrong("the parameter service is missing".to_owned()))?;
        let kind = asked.get("spanKind").filter(|kind| !kind.is_empty());
        let found = operations_of(conn, service)?;
        let found = found
            .iter()
            .filter(|one| kind.is_none_or(|kind| *kind == one.kind));
        Ok(found
            .map(|one| json!({"name": one.name, "spanKind": one.kind}))
            .collect::<Vec<_>>())
    })
    .await
}

fn operations_of(conn: &mut SqliteConnection, service: &str) -> Result<Vec<Operation>, Refusal> {
    let sql = Sql::new(include_str!("jaeger/operations.sql"))
        .bind("service", service)
        .bind("most", OPERATIONS);
    Ok(sql.load(conn)?)
}

async fn search(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    let asked = query::pairs(&request);
    let now = apm_time::now();
    answered(&store, move |conn| {
        if asked.contains_key("traceID") {
            return by_ids(conn, &query::ids(&asked));
        }
        let search = Search::read(&asked, now).map_err(Refusal::Wrong)?;
        let request = Request {
            query: kql::parse(&search.query, now)
                .map_err(|error| Refusal::Wrong(error.to_string()))?,
            range: search.range,
            // Hits are events, and the answer is of traces.
            size: (search.limit * HITS).min(discover::MOST_HITS),
            after: None,
            limits: Limits::default(),
        };
        let found = discover::search(conn, &request.within(Some(&search.service), None))?;
        let mut ids: Vec<String> = Vec::new();
        for hit in &found.hits {
            let id = hit.document.pointer("/trace/id").and_then(Value::as_str);
            if let Some(id) = id
                && ids.len() < search.limit
                && !ids.iter().any(|known| known == id)
            {
                ids.push(id.to_owned());
            }
        }
        by_ids(conn, &ids)
    })
    .await
}

/// The traces of some ids, those that are there.
fn by_ids(conn: &mut SqliteConnection, ids: &[String]) -> Result<Vec<span::Trace>, Refusal> {
    let mut room = Room {
        spans: FOUND_SPANS,
        bytes: BYTES,
    };
    let mut traces = Vec::new();
    for id in ids {
        if room.is_full() {
            break;
        }
        if let Some(found) = read::pasted(conn, id)? {
            traces.push(span::Trace::of(conn, &found, &mut room)?);
        }
    }
    Ok(traces)
}

async fn trace(store: Data<Store>, id: Path<String>) -> HttpResponse {
    answered(&store, move |conn| {
        let found = read::pasted(conn, &id)?.ok_or(Refusal::Unknown)?;
        let mut room = Room {
            spans: TRACE_SPANS,
            bytes: BYTES,
        };
        Ok(vec![span::Trace::of(conn, &found, &mut room)?])
    })
    .await
}

/// Calls from one service to another.
#[derive(Debug, Serialize)]
struct Dependency {
    parent: String,
    child: String,
    #[serde(rename = "callCount")]
    calls: u64,
}

async fn dependencies(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    let asked = query::pairs(&request);
    let now = apm_time::now();
    answered(&store, move |conn| {
        let range: Range = query::lookback(&asked, now).map_err(Refusal::Wrong)?;
        let window = minutes::widened(conn, &Window::new(range, now))?;
        let map = service_map::read(conn, &Scope::default(), &window)?;
        let name = |at: usize| map.nodes.get(at).map(|node| node.name.clone());
        Ok(map
            .edges
            .iter()
            .filter_map(|edge| {
                Some(Dependency {
                    parent: name(edge.from)?,
                    child: name(edge.to)?,
                    calls: edge.count.max(0.0).round() as u64,
                })
            })
            .collect::<Vec<_>>())
    })
    .await
}

/// Jaeger's envelope of a list.
#[derive(Debug, Serialize)]
struct Envelope<T> {
    total: usize,
    data: Vec<T>,
    limit: u32,
    offset: u32,
    errors: Option<()>,
}

/// Reads a list and answers with it in Jaeger's envelope.
async fn answered<T: Serialize + Send + 'static>(
    store: &Store,
    read: impl FnOnce(&mut SqliteConnection) -> Result<Vec<T>, Refusal> + Send + 'static,
) -> HttpResponse {
    // The list itself is made where the queries run: it may be long.
    let done = store.read_async(move |conn| {
        let data = read(conn)?;
        let whole = Envelope {
            total: data.len(),
            data,
            limit: 0,
            offset: 0,
            errors: None,
        };
        Ok::<_, Refusal>(serde_json::to_string(&whole).expect("texts and numbers are JSON"))
    });
    let (status, body) = match done.await {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => {
            let (status, why) = match refusal {
                Refusal::Wrong(why) => (StatusCode::BAD_REQUEST, why),
                Refusal::Unknown => (StatusCode::NOT_FOUND, "trace not found".to_owned()),
                Refusal::Failed(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            };
            let errors = json!([{"code": status.as_u16(), "msg": why}]);
            let whole =
                json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": errors});
            (status, whole.to_string())
        }
    };
    HttpResponse::build(status)
        .content_type("application/json")
        .body(body)
}
