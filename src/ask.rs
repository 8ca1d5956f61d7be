//! `pocket-apm sql` and `pocket-apm check`: questions to a telemetry file, whether a server runs on it or not.

use std::io::Write as _;

use anyhow::Context as _;
use apm_server::console::{self, Cut, Limits};
use apm_server::insight::check::Gate;
use apm_server::insight::offline;

use crate::cli::{ApmOptions, CheckOptions, Format, SqlOptions};

/// Prints the rows of a statement.
///
/// # Errors
/// Where the statement is refused, or its limits are met before the first row.
pub fn sql(options: &SqlOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let table = console::run(&apm.apm_database, &options.statement, Limits::generous())?;
    let text = if options.json {
        serde_json::to_string_pretty(&table)? + "\n"
    } else {
        table.csv()
    };
    print(&text)?;
    match table.cut {
        None => {}
        Some(Cut::Rows) => log::warn!("there are more rows than the {} printed", table.rows.len()),
        Some(Cut::Bytes) => log::warn!("there is more than the {} rows printed", table.rows.len()),
    }
    Ok(())
}

/// Prints how bounds were kept. Whether all of them were.
///
/// # Errors
/// Where they could not be checked.
pub fn check(options: &CheckOptions, apm: &ApmOptions) -> anyhow::Result<bool> {
    let gate = Gate {
        service: options.only_service.clone(),
        max_statements_per_request: options.max_statements_per_request.map(f64::from),
        no_repeats: options.no_repeats,
        p95: options.p95.clone(),
        no_growth: options.no_growth,
        since: options.since.clone(),
    };
    let report = offline::check(&apm.apm_database, &gate)
        .with_context(|| format!("cannot check {}", apm.apm_database.display()))?;
    print(&match options.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
        Format::Junit => report.junit(),
    })?;
    Ok(report.passed)
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
