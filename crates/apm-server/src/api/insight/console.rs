//! SQL over the telemetry.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use tokio::sync::Semaphore;

use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::config::Config;
use crate::insight::Files;
use crate::insight::console::{self, ConsoleError, Limits};

/// Questions of the console that may run at a time: each may take a core for its whole time limit.
const AT_ONCE: usize = 2;

/// What these handlers need besides the store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The telemetry database, for the console.
    pub(crate) database: PathBuf,
    store: Store,
    /// Which service's file may be asked for plans.
    pub(crate) files: Arc<Files>,
    at_once: Arc<Semaphore>,
}

impl Settings {
    /// From the server's configuration; of all workers together.
    pub fn of(config: &Config, store: Store) -> Self {
        Self {
            database: config.database.clone(),
            store,
            files: Arc::new(config.explain.iter().cloned().collect()),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Runs a question of the console, on the calling thread, within a read of the store.
    pub(crate) fn run(&self, sql: &str) -> Result<console::Table, ConsoleError> {
        let Ok(_permit) = self.at_once.try_acquire() else {
            return Err(ConsoleError::Locked);
        };
        console::run(&self.database, sql, Limits::default())
    }

    /// The same on a thread for blocking work, as a read of its own.
    async fn ask(&self, sql: String) -> Result<console::Table, ConsoleError> {
        let settings = self.clone();
        let run = move || {
            let reading = settings.store.reading();
            let _pass = reading.map_err(|_| ConsoleError::Locked)?;
            settings.run(&sql)
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(table) => table,
            Err(error) => Err(ConsoleError::Sql(error.to_string())),
        }
    }
}

pub(in crate::api) async fn sql(
    request: HttpRequest,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(&request)?;
    let text = params.required("sql")?.to_owned();
    run_sql(&settings, text, params.get("format")? == Some("csv")).await
}

pub(in crate::api) async fn sql_of_body(
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
