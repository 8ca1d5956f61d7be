//! `pocket-apm check`: bounds on what services did, judged by a telemetry file or by a server that runs elsewhere.

use actix_web::rt::System;
use anyhow::Context as _;
use apm_server::insight::check::baseline::Seen;
use apm_server::insight::check::{self, Gate, NoGrowth, Report, Verdict};
use apm_server::insight::offline;
use apm_server::remote::Remote;

use crate::advise::baseline;
use crate::cli::{ApmOptions, CheckOptions, Format, ServiceOptions};
use crate::remote;
use crate::terminal::print;

/// Checks the bounds, prints the report and returns the verdict.
///
/// # Errors
/// If they could not be checked.
pub fn run(
    options: &CheckOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<Verdict> {
    let mut gate = Gate {
        service: options.only_service.clone(),
        max_statements_per_request: options.max_statements_per_request.map(f64::from),
        no_repeats: options.no_repeats,
        p95: options.p95.clone(),
        no_growth: options.no_growth,
        since: options.since.clone(),
        ..Gate::default()
    };
    baseline::bounds(&mut gate, options, service, apm)?;
    if let Some(path) = options
        .baseline
        .baseline
        .as_ref()
        .filter(|_| options.baseline.update)
    {
        let seen = seen(options, &gate, apm)?;
        print(&baseline::update(seen, path, &options.baseline)?)?;
        return Ok(Verdict::Passed);
    }
    // A server would name the parameters of its API.
    gate.has_bound()?;
    let report = match &options.server {
        Some(url) => System::new()
            .block_on(check_by_server(
                &remote::server(Some(url), &options.access, apm)?,
                &gate,
            ))
            .with_context(|| format!("cannot check {url}"))?,
        None => offline::check(&apm.apm_database, &gate)
            .with_context(|| format!("cannot check {}", apm.apm_database.display()))?,
    };
    print(&match options.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
        Format::Junit => report.junit(),
        Format::Sarif => report.sarif(&options.baseline.baseline.as_ref().map_or_else(
            || "Cargo.toml".to_owned(),
            |path| path.display().to_string(),
        )),
        Format::Github => report.github(),
        Format::Markdown => report.markdown(),
    })?;
    Ok(report.verdict)
}

/// The work of requests, from the telemetry's file or a server.
fn seen(options: &CheckOptions, gate: &Gate, apm: &ApmOptions) -> anyhow::Result<Seen> {
    let Some(url) = &options.server else {
        return offline::seen(&apm.apm_database, gate)
            .with_context(|| format!("cannot read {}", apm.apm_database.display()));
    };
    let server = remote::server(Some(url), &options.access, apm)?;
    System::new()
        .block_on(seen_by(&server, gate))
        .with_context(|| format!("cannot read what requests did from {url}"))
}

/// The work of requests that a server has seen.
async fn seen_by(server: &Remote, gate: &Gate) -> anyhow::Result<Seen> {
    let params = [
        ("service", gate.service.clone()),
        ("since", gate.since.clone()),
    ];
    let body = remote::get(server, "/api/v1/check/baseline", &given(params)).await?;
    let mut seen: Seen =
        serde_json::from_slice(&body).context("its answer has no list of statements")?;
    if let Some(replayed) = &gate.replayed {
        seen.replay(replayed);
    }
    Ok(seen)
}

/// Lets a server check the same bounds. Comparisons with files of this machine are made here, on what the server has
/// seen.
async fn check_by_server(server: &Remote, gate: &Gate) -> anyhow::Result<Report> {
    let mut report = None;
    if gate.has_bound_on_requests() {
        report = Some(bounds_of(server, gate).await?);
    }
    if gate.needs_entries() {
        let judged = check::judge(&seen_by(server, gate).await?, gate);
        report = Some(match report {
            Some(report) => report.and(judged),
            None => judged,
        });
    }
    report.context("there is no bound to check")
}

async fn bounds_of(server: &Remote, gate: &Gate) -> anyhow::Result<Report> {
    let p95: Vec<String> = gate
        .p95
        .iter()
        .map(|bound| format!("{}<{}us", bound.name, bound.within))
        .collect();
    let most = gate.max_statements_per_request.map(|most| most.to_string());
    let no_growth = gate.no_growth.map(|bound| match bound {
        NoGrowth::All => "all".to_owned(),
        NoGrowth::Judged => "judged".to_owned(),
    });
    let is_set = |set: bool| set.then(|| "1".to_owned());
    let params = [
        ("service", gate.service.clone()),
        ("max_statements_per_request", most),
        ("no_repeats", is_set(gate.no_repeats)),
        ("p95", (!p95.is_empty()).then(|| p95.join("\n"))),
        ("no_growth", no_growth),
        ("since", gate.since.clone()),
    ];
    let body = remote::get(server, "/api/v1/check", &given(params)).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// Parameters without those that have no value.
fn given<const N: usize>(
    params: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let params = params.into_iter();
    params
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
