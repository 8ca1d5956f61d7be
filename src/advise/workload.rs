//! What is run again: the statements of a service, from the telemetry's file or from a server; and the service's own
//! file.

use std::path::PathBuf;

use actix_web::rt::System;
use anyhow::{Context as _, anyhow, bail, ensure};
use apm_server::insight::offline;
use apm_server::insight::workload::Workload;

use super::{ApmOptions, Options, Recorded, ServiceOptions};
use crate::cli::ReplayOptions;
use crate::remote;

/// The embedded service, whose file is that of --database.
pub(super) const EMBEDDED: &str = "my-app-01";

/// What is run, and on a copy of what.
pub(super) struct Replay {
    pub(super) service: String,
    pub(super) file: PathBuf,
    pub(super) recorded: Vec<Recorded>,
    /// Normalised texts, in the order of `recorded`.
    normalized: Vec<String>,
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
            Some(url) => System::new()
                .block_on(ask_server(url, options, apm))
                .with_context(|| format!("cannot read the statements of {name} from {url}"))?,
            None => offline::workload(&apm.apm_database, name, options.since.as_deref())
                .with_context(|| {
                    format!(
                        "cannot read the statements of {name} from {}",
                        apm.apm_database.display()
                    )
                })?,
        };
        ensure!(
            !workload.statements.is_empty(),
            "no statement of the service {name} on SQLite was recorded since {}: name another with --service, \
            or an earlier \
             time with --since",
            options.since.as_deref().unwrap_or("now-1d")
        );
        let recorded = workload.statements.iter().map(|ran| Recorded {
            id: ran.fingerprint.clone(),
            sql: ran.sample.clone(),
            calls: ran.calls,
        });
        Ok(Self {
            service: name.clone(),
            file: file(options, service, apm)?,
            recorded: recorded.collect(),
            normalized: workload
                .statements
                .iter()
                .map(|ran| ran.normalized.clone())
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

    /// How a statement is shown: without its values.
    pub(super) fn shown<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self
            .recorded
            .iter()
            .zip(&self.normalized)
            .find(|(one, _)| one.id == id);
        found.map_or(id, |(_, normalized)| normalized)
    }
}

/// The service's file: as given, as known for plans, or that of the embedded service.
fn file(
    options: &ReplayOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<PathBuf> {
    let known = || {
        apm.explain
            .iter()
            .find(|(name, _)| *name == options.service)
    };
    if let Some(file) = options
        .file
        .clone()
        .or_else(|| known().map(|(_, file)| file.clone()))
    {
        return Ok(file);
    }
    if options.service == EMBEDDED {
        let file = service
            .database
            .strip_prefix("sqlite://")
            .unwrap_or(&service.database);
        return Ok(file.into());
    }
    Err(anyhow!(
        "the SQLite file of the service {0} is not known: give it with --database FILE, or with --explain {0}=FILE",
        options.service
    ))
}

/// Lets a server say what ran.
async fn ask_server(
    url: &str,
    options: &ReplayOptions,
    apm: &ApmOptions,
) -> anyhow::Result<Workload> {
    let server = remote::server(Some(url), &options.access, apm)?;
    let from = options.since.clone().unwrap_or_else(|| "now-1d".to_owned());
    let query = [
        ("service", options.service.clone()),
        ("from", from),
        ("to", "now".to_owned()),
    ];
    let body = remote::get(&server, "/api/v1/queries", &query).await?;
    let workload: Workload =
        serde_json::from_slice(&body).context("its answer has no list of statements")?;
    Ok(workload.that_can_be_replayed())
}
