//! `pocket-apm services`, `queries`, `trace` …: what a running APM server knows, on a terminal or in a pipe.
//!
//! Each list is the CSV form of a question of the API: a pipe gets it as it is, a terminal gets some of its columns
//! with units. So these commands compute nothing themselves, and show the numbers of the pages.

use std::io::IsTerminal as _;

use actix_web::rt::System;
use anyhow::Context as _;
use apm_server::remote::Remote;

use crate::cli::{ApmOptions, ListFormat, LogsOptions, ShowCommand, ShowOptions, TraceOptions};
use crate::remote;
use crate::terminal::print;
use list::List;

mod list;
mod logs;
mod question;
pub(crate) mod table;
mod top;
mod trace;
mod words;

/// Prints what a command asks for.
///
/// # Errors
/// If the server cannot be reached, or refuses the question: its answer names the parameter that is wrong.
pub fn run(command: &ShowCommand, apm: &ApmOptions) -> anyhow::Result<()> {
    match command {
        ShowCommand::Services(options) => print_list(&list::SERVICES, options, apm),
        ShowCommand::Transactions(options) => print_list(&list::TRANSACTIONS, options, apm),
        ShowCommand::Queries(options) => print_list(&list::QUERIES, options, apm),
        ShowCommand::Errors(options) => print_list(&list::ERRORS, options, apm),
        ShowCommand::Traces(options) => print_list(&list::TRACES, options, apm),
        ShowCommand::Dependencies(options) => print_list(&list::DEPENDENCIES, options, apm),
        ShowCommand::Insights(options) => print_list(&list::INSIGHTS, options, apm),
        ShowCommand::Trace(options) => print_trace(options, apm),
        ShowCommand::Logs(options) => print_logs(options, apm),
        ShowCommand::Top(options) => watch(options, apm),
    }
}

fn print_list(list: &List, options: &ShowOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let server = remote::server(options.server.as_deref(), &options.access, apm)?;
    let format = options.format.unwrap_or_else(usual_format);
    let text = block_on(&server, async {
        let answer = question::rows(&server, list, options, format).await?;
        match format {
            ListFormat::Table => table::render(list, &answer),
            ListFormat::Csv => Ok(answer),
            ListFormat::Json => Ok(answer + "\n"),
        }
    })?;
    Ok(print(&text)?)
}

/// The form of rows where no option says one.
pub(crate) fn usual_format() -> ListFormat {
    match std::io::stdout().is_terminal() {
        true => ListFormat::Table,
        false => ListFormat::Csv,
    }
}

fn print_trace(options: &TraceOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let server = remote::server(options.server.as_deref(), &options.access, apm)?;
    let text = block_on(&server, trace::text(&server, options))?;
    Ok(print(&text)?)
}

fn print_logs(options: &LogsOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.show.format != Some(ListFormat::Csv),
        "log lines are printed as text, or as JSON with --format json: they have no columns for CSV"
    );
    let server = remote::server(options.show.server.as_deref(), &options.show.access, apm)?;
    block_on(&server, logs::run(&server, options))
}

/// Draws services and statements until the process is stopped.
fn watch(options: &ShowOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    anyhow::ensure!(
        std::io::stdout().is_terminal(),
        "`pocket-apm top` draws on a terminal; in a pipe use `pocket-apm services` or `pocket-apm queries`"
    );
    let server = remote::server(options.server.as_deref(), &options.access, apm)?;
    block_on(&server, top::run(&server, options))
}

pub(crate) fn block_on<T>(
    server: &Remote,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    System::new()
        .block_on(work)
        .with_context(|| format!("cannot read from {}", server.url()))
}
