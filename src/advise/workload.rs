//! The input of a replay: the statements of a service, from the telemetry's file or from a server, and the service's
//! own file.

use std::collections::HashMap;
use std::path::PathBuf;

use actix_web::rt::System;
use anyhow::{Context as _, anyhow, bail, ensure};
use apm_server::insight::offline;
use apm_server::insight::workload::Workload;
use apm_server::remote::Remote;

use super::{ApmOptions, Options, Recorded, ServiceOptions};
use crate::cli::{AccessOptions, ReplayOptions, SERVICE_NAME};
use crate::{db, remote};

/// The statements to run, and the file on whose copy they run.
pub(super) struct Replay {
    pub(super) service: String,
    pub(super) file: PathBuf,
    pub(super) recorded: Vec<Recorded>,
    /// Texts without values, by fingerprint.
    normalized: HashMap<String, String>,
}

impl ReplayOptions {
    /// Bounds of the work.
    pub(super) fn bounds(&self) -> Options {
        Options {
            schema_only: self.schema_only,
            time: self.time,
            ..Options::default()
        }
    }
}

impl Replay {
    pub(super) fn read(
        options: &ReplayOptions,
        service: &ServiceOptions,
        apm: &ApmOptions,
    ) -> anyhow::Result<Self> {
        let name = &options.service;
        let workload = match &options.server {
            Some(url) => of_server(url, &options.access, apm, name, options.since.as_deref())?,
            None => of_file(apm, name, options.since.as_deref())?,
        };
        ensure!(
            !workload.statements.is_empty(),
            "no statement of the service {name} on SQLite was recorded since {}: name another with --service, or an \
             earlier time with --since",
            options.since.as_deref().unwrap_or("now-1d")
        );
        Ok(Self {
            service: name.clone(),
            file: file(options, service, apm)?,
            recorded: recorded(&workload),
            normalized: workload
                .statements
                .into_iter()
                .map(|ran| (ran.fingerprint, ran.normalized))
                .collect(),
        })
    }

    pub(super) fn context(&self) -> String {
        format!(
            "cannot measure the statements of {} on a copy of {}",
            self.service,
            self.file.display()
        )
    }

    /// The statements that a fingerprint, or the beginning of one, stands for.
    pub(super) fn find(&self, wanted: &str) -> anyhow::Result<Vec<String>> {
        let ids: Vec<String> = self
            .recorded
            .iter()
            .map(|one| one.id.clone())
            .filter(|id| id.starts_with(wanted))
            .collect();
        if ids.is_empty() {
            bail!(
                "no statement of {} that was recorded has the fingerprint {wanted}",
                self.service
            );
        }
        Ok(ids)
    }

    /// The text of a statement without its values.
    pub(super) fn shown<'a>(&'a self, id: &'a str) -> &'a str {
        self.normalized.get(id).map_or(id, String::as_str)
    }
}

/// The statements of a service in the file of --apm-database.
pub(super) fn of_file(
    apm: &ApmOptions,
    service: &str,
    since: Option<&str>,
) -> anyhow::Result<Workload> {
    offline::workload(&apm.apm_database, service, since).with_context(|| {
        format!(
            "cannot read the statements of {service} from {}",
            apm.apm_database.display()
        )
    })
}

/// The statements of a workload, to be run again.
pub(super) fn recorded(workload: &Workload) -> Vec<Recorded> {
    let recorded = workload.statements.iter().map(|ran| Recorded {
        id: ran.fingerprint.clone(),
        sql: ran.sample.clone(),
        calls: ran.calls,
    });
    recorded.collect()
}

/// The service's file: as given, as known for plans, or that of the embedded service.
fn file(
    options: &ReplayOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<PathBuf> {
    let mut known = apm.explain.iter();
    let known = known.find(|(name, _)| *name == options.service);
    if let Some(file) = options.file.as_ref().or(known.map(|(_, file)| file)) {
        return Ok(file.clone());
    }
    if options.service == SERVICE_NAME
        && let Some(file) = db::path(&service.database)
    {
        return Ok(file.into());
    }
    Err(anyhow!(
        "the SQLite file of the service {0} is not known: give it with --database FILE, or with --explain {0}=FILE",
        options.service
    ))
}

/// Statements that are read of a server, those with most time.
const MOST: usize = 1_000;

/// A page of the statements of a service.
async fn page(
    server: &Remote,
    service: &str,
    since: Option<&str>,
    page: usize,
) -> anyhow::Result<Workload> {
    let query = [
        ("service", service.to_owned()),
        ("from", since.unwrap_or("now-1d").to_owned()),
        ("to", "now".to_owned()),
        ("page", page.to_string()),
    ];
    let body = remote::get(server, "/api/v1/queries", &query).await?;
    serde_json::from_slice(&body).context("its answer has no list of statements")
}

/// The statements of a service that a running server knows.
pub(super) fn of_server(
    url: &str,
    access: &AccessOptions,
    apm: &ApmOptions,
    service: &str,
    since: Option<&str>,
) -> anyhow::Result<Workload> {
    System::new()
        .block_on(async {
            let server = remote::server(Some(url), access, apm)?;
            let mut workload = page(&server, service, since, 1).await?;
            while let Some(next) = workload.next_page
                && workload.statements.len() < MOST
            {
                let before = workload.statements.len();
                workload.add(page(&server, service, since, next).await?);
                // Empty pages that lead on would never end.
                if workload.statements.len() == before {
                    break;
                }
            }
            anyhow::Ok(workload.that_can_be_replayed())
        })
        .with_context(|| format!("cannot read the statements of {service} from {url}"))
}
