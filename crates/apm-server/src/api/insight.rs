//! `/api/v1` of what SQL does: insights, markers, comparisons, the gate, plans, growth, and the console.
//!
//! What changes something is POST; the guard lets no other site's page do so.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::answer::answer;
use super::error::ApiError;
use super::params::Params;
use crate::analytics::filter::List;
use crate::analytics::statement;
use crate::config::Config;
use crate::insight::callers::{self, Of};
use crate::insight::check::{self, CheckError, Gate};
use crate::insight::compare::{self, Stretch};
use crate::insight::console::{self, ConsoleError, Limits};
use crate::insight::finding::{self, Which};
use crate::insight::growth::{self, Growth, Subject};
use crate::insight::{Files, marker, plan};
use crate::store::{Store, StoreError};
use crate::time::{self, SECOND};

/// Questions of the console that may run at a time: each may take a core for its whole time limit.
const AT_ONCE: usize = 2;

/// How far a comparison around a marker reaches, seconds.
const REACH: i64 = 3_600;

/// What these handlers need besides the store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The telemetry database, for the console.
    pub(crate) database: PathBuf,
    /// Which service's file may be asked for plans.
    pub(crate) files: Arc<Files>,
    at_once: Arc<Semaphore>,
}

impl Settings {
    /// From the server's configuration; of all workers together.
    pub fn of(config: &Config) -> Self {
        Self {
            database: config.database.clone(),
            files: Arc::new(config.explain.iter().cloned().collect()),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Runs a question of the console, on the calling thread.
    pub(crate) fn run(&self, sql: &str) -> Result<console::Table, ConsoleError> {
        let Ok(_permit) = self.at_once.try_acquire() else {
            return Err(ConsoleError::Locked);
        };
        console::run(&self.database, sql, Limits::default())
    }

    /// The same on a thread for blocking work.
    async fn ask(&self, sql: String) -> Result<console::Table, ConsoleError> {
        let settings = self.clone();
        match tokio::task::spawn_blocking(move || settings.run(&sql)).await {
            Ok(table) => table,
            Err(error) => Err(ConsoleError::Sql(error.to_string())),
        }
    }
}

#[derive(Serialize)]
struct Insights {
    insights: Vec<finding::Finding>,
}

pub(super) async fn insights(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let scope = params.scope(List::Statements)?;
    let (ended, dismissed) = (
        params.get("ended")?.is_some(),
        params.get("dismissed")?.is_some(),
    );
    let fingerprint = params.get("fingerprint")?.map(str::to_owned);
    answer(&request, &store, &params, move |conn| {
        let which = Which {
            ended,
            dismissed,
            fingerprint: fingerprint.as_deref(),
        };
        Ok(Insights {
            insights: finding::list(conn, &scope, which)?,
        })
    })
    .await
}

pub(super) async fn dismiss(
    path: web::Path<String>,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    hide(path.into_inner(), &store, Some(time::now() / SECOND)).await
}

pub(super) async fn restore(
    path: web::Path<String>,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    hide(path.into_inner(), &store, None).await
}

async fn hide(id: String, store: &Store, dismissed: Option<i64>) -> Result<HttpResponse, ApiError> {
    let name = id.clone();
    let written = store.write(move |conn| finding::dismiss(conn, &id, dismissed));
    match written.map_err(|_| StoreError::Busy)?.await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::Unknown {
            what: "insight",
            name,
        }),
    }
}

#[derive(Serialize)]
struct Markers {
    markers: Vec<marker::Marker>,
}

pub(super) async fn markers(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let service = params.get("service")?.map(str::to_owned);
    answer(&request, &store, &params, move |conn| {
        Ok(Markers {
            markers: marker::list(conn, service.as_deref())?,
        })
    })
    .await
}

#[derive(Deserialize)]
struct NewMarker {
    name: String,
    #[serde(default)]
    service: String,
    /// As in `from`; now where it is not given.
    time: Option<String>,
}

pub(super) async fn set_marker(
    body: web::Bytes,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let problem = |problem: String| ApiError::Parameter {
        parameter: "marker",
        problem,
    };
    let new: NewMarker = serde_json::from_slice(&body).map_err(|error| {
        problem(format!(
            "send {{\"name\": …, \"service\": …, \"time\": …}}, of which name is needed: {error}"
        ))
    })?;
    if new.name.trim().is_empty() || new.name.len() > marker::LONGEST_NAME {
        return Err(problem(format!(
            "name must have 1 to {} bytes",
            marker::LONGEST_NAME
        )));
    }
    let now = time::now();
    let at = match &new.time {
        Some(text) => time::parse("time", text, now, time::Round::Down)?,
        None => now,
    };
    let name = new.name.clone();
    let written =
        store.write(move |conn| marker::set(conn, at, &new.service, marker::Kind::Manual, &name));
    let id = written.map_err(|_| StoreError::Busy)?.await?;
    Ok(HttpResponse::Created()
        .json(serde_json::json!({"id": id, "name": new.name, "time": time::rfc3339(at)})))
}

pub(super) async fn compare(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let service = params.get("service")?.unwrap_or_default().to_owned();
    let name = params.get("marker")?.map(str::to_owned);
    let (range, now) = (params.range, params.now / SECOND);
    answer(&request, &store, &params, move |conn| {
        let (before, after) = match &name {
            Some(name) => {
                let marker = marker::find(conn, name)?.ok_or_else(|| ApiError::Unknown {
                    what: "marker",
                    name: name.clone(),
                })?;
                compare::around(marker.at, now, REACH)
            }
            None => {
                let after = Stretch {
                    from: range.from / SECOND,
                    to: range.to / SECOND,
                };
                let length = (after.to - after.from).max(60);
                (
                    Stretch {
                        from: after.from - length,
                        to: after.from,
                    },
                    after,
                )
            }
        };
        Ok(compare::windows(conn, &service, before, after)?)
    })
    .await
}

pub(super) async fn check(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value >= 0.0 => Ok(value),
        _ => Err(ApiError::Parameter {
            parameter: "max_statements_per_request",
            problem: "is not a number".to_owned(),
        }),
    };
    let gate = Gate {
        service: params.get("service")?.map(str::to_owned),
        max_statements_per_request: params
            .get("max_statements_per_request")?
            .map(number)
            .transpose()?,
        no_repeats: params.get("no_repeats")?.is_some(),
        // Several bounds stand in one parameter, a line each.
        p95: params
            .get("p95")?
            .unwrap_or_default()
            .lines()
            .map(|line| {
                line.parse().map_err(|problem| ApiError::Parameter {
                    parameter: "p95",
                    problem,
                })
            })
            .collect::<Result<_, _>>()?,
        no_growth: params.get("no_growth")?.is_some(),
        since: params.get("since")?.map(str::to_owned),
    };
    let now = params.now;
    answer(&request, &store, &params, move |conn| {
        check::run(conn, &gate, now).map_err(|error| match error {
            CheckError::Query(error) => error.into(),
            error => ApiError::Parameter {
                parameter: "check",
                problem: error.to_string(),
            },
        })
    })
    .await
}

pub(super) async fn sql(
    request: HttpRequest,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let text = params.required("sql")?.to_owned();
    run_sql(&settings, text, params.get("format")? == Some("csv")).await
}

pub(super) async fn sql_of_body(
    request: HttpRequest,
    body: String,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    run_sql(&settings, body, params.get("format")? == Some("csv")).await
}

async fn run_sql(settings: &Settings, text: String, csv: bool) -> Result<HttpResponse, ApiError> {
    let table = settings
        .ask(text)
        .await
        .map_err(|error| ApiError::Parameter {
            parameter: "sql",
            problem: error.to_string(),
        })?;
    Ok(if csv {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
            .insert_header((
                "content-disposition",
                "attachment; filename=\"pocket-apm.csv\"",
            ))
            .body(table.csv())
    } else {
        HttpResponse::Ok().json(table)
    })
}

#[derive(Serialize)]
struct Callers {
    callers: Vec<callers::Caller>,
}

pub(super) async fn callers(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let (scope, fingerprint, window) = (
        params.scope(List::Statements)?,
        params.hash("fingerprint")?,
        params.window(),
    );
    answer(&request, &store, &params, move |conn| {
        Ok(Callers {
            callers: callers::list(conn, &scope, Of::Statement(fingerprint), &window)?,
        })
    })
    .await
}

#[derive(Serialize)]
struct Grows {
    growth: Vec<Growth>,
}

pub(super) async fn growth(
    request: HttpRequest,
    store: Data<Store>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let (scope, fingerprint, now) = (
        params.scope(List::Statements)?,
        params.hash("fingerprint")?,
        params.now / SECOND,
    );
    answer(&request, &store, &params, move |conn| {
        let mut growth = Vec::new();
        for row in growth::subjects(conn, &scope, fingerprint)? {
            let subject = Subject {
                statement: row.id,
                service: row.service_id,
                table: &row.table_name,
            };
            growth.extend(growth::read(conn, subject, now)?);
        }
        Ok(Grows { growth })
    })
    .await
}

/// The plan of a statement's sample; with `index`, what it would be with that index.
pub(super) async fn plan(
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let (scope, fingerprint, window) = (
        params.scope(List::Statements)?,
        params.hash("fingerprint")?,
        params.window(),
    );
    let index = params.get("index")?.map(str::to_owned);
    let files = Arc::clone(&settings.files);
    answer(&request, &store, &params, move |conn| {
        let found = statement::detail(conn, &scope, fingerprint, &window)?;
        let mapped = found
            .statements
            .iter()
            .find_map(|row| Some((row, files.get(&row.service)?)));
        let Some((row, file)) = mapped else {
            return Err(ApiError::Unknown {
                what: "plan without --explain SERVICE=FILE for the service of",
                name: format!("{fingerprint:016x}"),
            });
        };
        let explained = match &index {
            None => plan::explain(file, &row.sample).map(|plan| serde_json::json!(plan)),
            Some(index) => {
                plan::what_if(file, &row.sample, index).map(|plan| serde_json::json!(plan))
            }
        };
        explained.map_err(|error| ApiError::Parameter {
            parameter: "plan",
            problem: error.to_string(),
        })
    })
    .await
}
