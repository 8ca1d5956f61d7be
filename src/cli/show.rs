//! The options of the commands that print what a running APM server knows.

use clap::{Args, Subcommand};

use super::{AccessOptions, server_url};

/// The commands that print what a running APM server knows.
#[derive(Debug, Clone, Subcommand)]
pub enum ShowCommand {
    /// List services with throughput, latency and failures.
    Services(ShowOptions),
    /// List the transactions of a service.
    Transactions(ShowOptions),
    /// List SQL statements, the most expensive first.
    Queries(ShowOptions),
    /// List groups of errors, the latest first.
    Errors(ShowOptions),
    /// List traces, the latest first.
    Traces(ShowOptions),
    /// Show a trace as a waterfall.
    Trace(TraceOptions),
    /// List the databases, caches and services that services call.
    Dependencies(ShowOptions),
    /// List findings: repeated statements, statements that grow with their table, regressions.
    Insights(ShowOptions),
    /// Print log lines, the oldest first.
    Logs(LogsOptions),
    /// Watch services and statements on the terminal.
    Top(ShowOptions),
}

/// The server that is asked, the part of its data, and how the answer is printed.
#[derive(Debug, Clone, Args)]
pub struct ShowOptions {
    /// A running APM server to ask [default: that of --apm-listen, encrypted where --apm-tls-cert is given].
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,

    #[command(flatten)]
    pub access: AccessOptions,

    /// Only this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    /// Only this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,

    /// From when on: an age as 15m or 2d, or a time as 2026-01-31T12:00:00Z or now/d.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub since: String,

    /// Only what this query in KQL matches, such as "transaction.duration.us > 500000".
    #[arg(short = 'q', long, value_name = "KQL")]
    pub query: Option<String>,

    /// Most rows.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub limit: u16,

    /// The form of the rows [default: a table on a terminal, else CSV].
    #[arg(long)]
    pub format: Option<ListFormat>,
}

/// The form in which rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// Columns that fit the terminal.
    Table,
    /// All columns, with raw numbers and with texts as they were sent.
    Csv,
    /// The whole answer.
    Json,
}

/// The options of `pocket-apm trace`.
#[derive(Debug, Clone, Args)]
pub struct TraceOptions {
    /// The id of the trace, or a whole traceparent.
    pub id: String,

    /// A running APM server to ask [default: that of --apm-listen, encrypted where --apm-tls-cert is given].
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,

    #[command(flatten)]
    pub access: AccessOptions,

    /// Most spans.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub limit: u16,

    /// Print the answer of the API instead.
    #[arg(long)]
    pub json: bool,
}

/// The options of `pocket-apm logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsOptions {
    #[command(flatten)]
    pub show: ShowOptions,

    /// Go on printing lines as they arrive.
    #[arg(short, long)]
    pub follow: bool,
}
