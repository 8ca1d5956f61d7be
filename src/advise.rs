//! `pocket-apm advise` and `pocket-apm migrate-check`: what was recorded of a service is run again on a copy of its
//! database.

pub(crate) mod baseline;
mod copy;
mod migration;
mod text;
mod workload;

use std::collections::BTreeMap;

use anyhow::Context as _;
use apm_server::insight::check::Verdict;
use apm_server::terminal::plain_lines;
use serde_json::json;
use sql_advisor::{AdviseError, Options, Recorded, Replayed};

use crate::cli::{AdviseOptions, ApmOptions, MigrateCheckOptions, ServiceOptions};
use crate::terminal::{print, warning};
use workload::Replay;

/// Prints which indexes would help a service.
///
/// # Errors
/// If the database cannot be copied, or nothing was recorded that can be run.
pub fn advise(
    options: &AdviseOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<()> {
    let replay = Replay::read(&options.replay, service, apm)?;
    let mut bounds = options.replay.bounds();
    if let Some(wanted) = &options.statement {
        bounds.only = replay.find(wanted)?;
    }
    let Replay { file, recorded, .. } = &replay;
    let advice = copy::work(&bounds, {
        let (file, recorded, bounds) = (file.clone(), recorded.clone(), bounds.clone());
        move |progress| sql_advisor::advise(&file, &recorded, &bounds, progress)
    })
    .with_context(|| replay.context())?;
    let text = if options.replay.json {
        let json = json!({ "service": replay.service, "database": file, "advice": advice });
        serde_json::to_string_pretty(&json)? + "\n"
    } else {
        // Reasons, plans and changes repeat texts of telemetry.
        plain_lines(&text::advice(&replay, &advice))
    };
    print(&text)?;
    if !advice.complete {
        warning("not everything was tried: allow more with --time");
    }
    Ok(())
}

/// Prints which statements gain and lose by a migration. Passed: none loses, and indexes save more than they cost.
/// Failed: one loses or fails, or indexes cost more. Not judged: neither, but one could not be run.
///
/// # Errors
/// If the migration or the database cannot be read, or the migration fails on a copy.
pub fn migrate_check(
    options: &MigrateCheckOptions,
    service: &ServiceOptions,
    apm: &ApmOptions,
) -> anyhow::Result<Verdict> {
    let migration = migration::read(&options.migration)?;
    let replay = Replay::read(&options.replay, service, apm)?;
    let bounds = options.replay.bounds();
    let found = copy::work(&bounds, {
        let (file, recorded, bounds) =
            (replay.file.clone(), replay.recorded.clone(), bounds.clone());
        move |progress| {
            sql_advisor::check_migration(&file, &migration, &recorded, &bounds, progress)
        }
    })
    .with_context(|| replay.context())?;
    let verdict = if found.harms() {
        Verdict::Failed
    } else if found.not_judged.is_empty() && !found.statements.is_empty() {
        Verdict::Passed
    } else {
        Verdict::NotJudged
    };
    print(&if options.replay.json {
        let json = json!({
            "service": replay.service,
            "database": replay.file,
            "verdict": verdict,
            "migration": found,
        });
        serde_json::to_string_pretty(&json)? + "\n"
    } else {
        plain_lines(&migration::text(&replay, &found, verdict))
    })?;
    Ok(verdict)
}

/// Reasons with the statements that they are about, for a terminal.
fn not_judged(replayed: &[Replayed]) -> String {
    let mut reasons: BTreeMap<&str, Vec<&Replayed>> = BTreeMap::new();
    for statement in replayed {
        let why = statement.why.as_deref().unwrap_or_default();
        reasons.entry(why).or_default().push(statement);
    }
    let mut out = String::new();
    for (why, statements) in reasons {
        out.push_str(&format!("not judged: {why}\n"));
        for statement in statements {
            out.push_str(&format!("  {}\n", text::short(&statement.sql, 100)));
        }
    }
    out
}
