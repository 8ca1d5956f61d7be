//! `pocket-apm check` with a baseline: read, compared with, and written.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use apm_server::insight::check::baseline::{Allowed, Baseline, Seen};
use apm_server::insight::check::{Gate, Replayed};
use apm_store::text_file;
use sql_advisor::{Lab, Options};

use super::text::short;
use super::{copy, workload};
use crate::cli::{ApmOptions, BaselineOptions, CheckOptions, SERVICE_NAME, ServiceOptions};
use crate::db;
use crate::terminal::warning;

/// Bytes of a baseline, at most: some hundred thousand statements.
const LARGEST: u64 = 64 << 20;

/// The share by which steps may grow unless an option says otherwise.
const MORE: f64 = 0.1;

/// Adds the bounds to a gate. Plans and costs are read from files, or measured on a copy.
pub(crate) fn bounds(
    gate: &mut Gate,
    check: &CheckOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<()> {
    let options = &check.baseline;
    gate.max_steps = options.max_steps.map(|most| most as f64);
    gate.max_rows_scanned = options.max_rows_scanned.map(|most| most as f64);
    gate.files.extend(apm.explain.iter().cloned());
    if let Some(file) = db::path(&service.database).filter(|file| file.exists()) {
        gate.files
            .entry(SERVICE_NAME.to_owned())
            .or_insert_with(|| file.into());
    }
    if !options.at_rows.is_empty() {
        gate.replayed = Some(replayed(gate, check, apm)?);
    }
    let Some(path) = options.baseline.as_ref().filter(|_| !options.update) else {
        return Ok(());
    };
    let known = read(path)?;
    let (then, now) = (&known.at_rows, rows(options));
    ensure!(
        *then == now,
        "the baseline {} was written with --at-rows {then:?}, not {now:?}: give the same, or write it anew with \
        --update",
        path.display()
    );
    // Without an option that names a bound, all of them hold.
    let all =
        options.max_more_steps.is_none() && !options.no_new_statements && !options.no_plan_change;
    let allowed = Allowed {
        more_steps: options.max_more_steps.or(all.then_some(MORE)),
        new_statements: !options.no_new_statements && !all,
        other_plans: !options.no_plan_change && !all,
    };
    gate.baseline = Some((known, allowed));
    Ok(())
}

/// Writes a baseline of what was seen, and returns what to say of it.
pub(crate) fn update(seen: Seen, path: &Path, options: &BaselineOptions) -> anyhow::Result<String> {
    ensure!(
        !seen.statements.is_empty(),
        "no statement of a request was seen: {} stays as it is. Agents send statements for sampled requests only; \
         --since says from when on",
        path.display()
    );
    for why in seen.not_judged() {
        warning(format_args!("the baseline is not complete: {why}"));
    }
    let mut seen = seen.into_baseline();
    seen.at_rows = rows(options);
    // Written beside it first: a full disk leaves the old one.
    let written = path.with_extension("json.new");
    std::fs::write(&written, seen.text())
        .with_context(|| format!("cannot write {}", written.display()))?;
    std::fs::rename(&written, path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(format!(
        "{} statements written to {}\n",
        seen.statements.len(),
        path.display()
    ))
}

fn rows(options: &BaselineOptions) -> BTreeMap<String, u64> {
    options.at_rows.iter().cloned().collect()
}

fn read(path: &Path) -> anyhow::Result<Baseline> {
    let failed = || format!("cannot read the baseline {}", path.display());
    let text = text_file::read(path, LARGEST).with_context(failed)?;
    Baseline::read(&text).with_context(failed)
}

/// The cost of the service's statements on a copy with the rows of --at-rows, by their texts without literals.
fn replayed(
    gate: &Gate,
    check: &CheckOptions,
    apm: &ApmOptions,
) -> anyhow::Result<HashMap<String, Replayed>> {
    let service = gate.service.as_deref().unwrap_or(SERVICE_NAME);
    let Some(file) = gate.files.get(service).cloned() else {
        bail!(
            "--at-rows needs the SQLite file of the service {service}: give it with --explain {service}=FILE"
        );
    };
    let since = gate.since.as_deref().unwrap_or("now-15m");
    let workload = match &check.server {
        Some(url) => workload::of_server(url, &check.access, apm, service, Some(since))?,
        None => workload::of_file(apm, service, Some(since))?,
    };
    let recorded = workload::recorded(&workload);
    let ran = workload.statements.into_iter();
    let texts: HashMap<String, String> = ran.map(|ran| (ran.fingerprint, ran.normalized)).collect();
    let bounds = Options {
        rows: check.baseline.at_rows.clone(),
        ..Options::default()
    };
    let shown = file.display().to_string();
    let done = copy::work(&bounds.clone(), move |progress| {
        Lab::open(&file, &bounds, progress)?.replay(&recorded, progress)
    })
    .with_context(|| format!("cannot measure the statements of {service} on a copy of {shown}"))?;
    let mut found = HashMap::new();
    for statement in done {
        let Some(cost) = statement.cost else {
            warning(format_args!(
                "not measured: {}: {}",
                short(&statement.sql, 100),
                short(&statement.why.unwrap_or_default(), 200)
            ));
            continue;
        };
        let replayed = Replayed {
            steps: cost.steps,
            rows_scanned: cost.scan_steps,
            plan: cost.plan,
        };
        if let Some(text) = texts.get(&statement.id) {
            found.insert(text.clone(), replayed);
        }
    }
    Ok(found)
}
