//! `pocket-apm sql`: a statement on a telemetry file, whether a server runs on it or not.

use apm_server::console::{self, Cut, Limits};

use crate::cli::{ApmOptions, SqlOptions};
use crate::terminal::{print, warning};

/// Prints the rows of a statement.
///
/// # Errors
/// If the statement is refused, or its limits are met before the first row.
pub fn run(options: &SqlOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let table = console::run(&apm.apm_database, &options.statement, Limits::generous())?;
    let text = if options.json {
        serde_json::to_string_pretty(&table)? + "\n"
    } else {
        table.csv()
    };
    print(&text)?;
    match table.cut {
        None => {}
        Some(Cut::Rows) => warning(format_args!(
            "there are more rows than the {} printed",
            table.rows.len()
        )),
        Some(Cut::Bytes) => warning(format_args!(
            "there is more than the {} rows printed",
            table.rows.len()
        )),
    }
    Ok(())
}
