//! `pocket-apm sql`: a statement on a telemetry file, whether a server runs on it or not, or on that of a running
//! server.

use std::io::{IsTerminal as _, stdin};

use anyhow::{Context as _, bail};
use apm_server::console::{self, Cut, Limits, Table};
use apm_store::text_file;

use crate::cli::{ApmOptions, ListFormat, SqlOptions};
use crate::terminal::{print, warning};
use crate::{remote, show};

/// Longest statement on the standard input, bytes.
const LONGEST: u64 = 1 << 20;
/// Rows of a table on a terminal.
const ROWS: usize = 1_000;

/// Prints the rows of a statement.
///
/// # Errors
/// If there is no statement, if it is refused, or if its limits are met before the first row.
pub fn run(options: &SqlOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let sql = statement(options.statement.as_deref())?;
    let table = match &options.server {
        Some(url) => ask(url, sql, options, apm)?,
        None => console::run(&apm.apm_database, &sql, Limits::generous())?,
    };
    let format = match options.json {
        true => ListFormat::Json,
        false => options.format.unwrap_or_else(show::usual_format),
    };
    print(&match format {
        ListFormat::Json => serde_json::to_string_pretty(&table)? + "\n",
        ListFormat::Csv => table.csv(),
        ListFormat::Table => show::table::of_sql(&table, ROWS),
    })?;
    let rows = table.rows.len();
    if format == ListFormat::Table && rows > ROWS {
        warning(format_args!(
            "the first {ROWS} of {rows} rows are printed: --format csv prints all"
        ));
    }
    match table.cut {
        None => {}
        Some(Cut::Rows) => warning(format_args!("there are more rows than the {rows} returned")),
        Some(Cut::Bytes) => warning(format_args!("there is more than the {rows} rows returned")),
    }
    Ok(())
}

/// The statement that was given, or that of the standard input.
fn statement(given: Option<&str>) -> anyhow::Result<String> {
    let sql = match given {
        Some(sql) if sql != "-" => return Ok(sql.to_owned()),
        None if stdin().is_terminal() => String::new(),
        _ => text_file::from(stdin(), LONGEST)
            .context("cannot read the statement from the standard input")?,
    };
    if sql.trim().is_empty() {
        bail!(
            "there is no statement: give one, such as \"SELECT * FROM v_transactions LIMIT 10\", as an argument or on \
             the standard input"
        );
    }
    Ok(sql)
}

/// Asks a running server, which has limits of its own.
fn ask(url: &str, sql: String, options: &SqlOptions, apm: &ApmOptions) -> anyhow::Result<Table> {
    let server = remote::server(Some(url), &options.access, apm)?;
    show::block_on(&server, async {
        let answer = server
            .post("/api/v1/sql", "text/plain", sql.into_bytes())
            .await?;
        serde_json::from_slice(&remote::accepted(&server, answer)?)
            .context("the answer is not one of this command's version")
    })
}
