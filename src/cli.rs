//! The command line: options, each with its environment variable, and their checks.
#![expect(clippy::doc_markdown, reason = "the comments are what --help prints")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use apm_server::api_keys::Privilege;
use apm_server::insight::check::{NoGrowth, P95};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config_file::ConfigFile;
use crate::logging::LogFormat;
use crate::masked::masked;
use crate::strategy::Strategy;
use crate::terminal;
use values::{age, database, host_and_port, http_url, server_url};

mod advise;
mod help;
mod output;
mod rum;
mod server;
mod show;
mod sourcemap;
mod values;

pub use advise::{AdviseOptions, BaselineOptions, MigrateCheckOptions, ReplayOptions};
pub use output::OutputOptions;
pub use rum::RumOptions;
pub use server::{ApmOptions, Durability};
pub use show::{ListFormat, LogsOptions, ShowCommand, ShowOptions, TraceOptions};
pub use sourcemap::{SourceMapCommand, SourceMapOptions};
pub use values::Receiver;

/// The name under which the service is watched, unless `ELASTIC_APM_SERVICE_NAME` has another.
pub const SERVICE_NAME: &str = "my-app-01";

/// The article's service, watched by its own Elastic APM agent, with an APM server and its pages in the same process.
///
/// Without a subcommand it starts the service on --listen and the APM server on --apm-listen, and sends what the agent
/// records to the latter. The agent is configured by ELASTIC_APM_* variables (docs/configuration.md); when
/// ELASTIC_APM_SERVER_URL is set, the embedded APM server is not started.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub service: ServiceOptions,
    #[command(flatten)]
    pub apm: ApmOptions,

    /// A file of options (TOML), each by its name without the dashes before it. The command line and the environment
    /// stand before it. It also holds rules and receivers of alerts.
    #[arg(long, env = "APM_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// The form of the lines of the log.
    #[arg(
        long,
        env = "APM_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,

    /// The rules and receivers of alerts of the file.
    #[arg(skip)]
    pub alerts: apm_alerts::Options,
}

impl Cli {
    /// Reads the command line of this process, and the file that it or the environment names. Prints help, or what is
    /// wrong, and ends the process where that is asked or needed.
    pub fn from_args() -> Self {
        let line: Vec<OsString> = std::env::args_os().collect();
        // The file gives defaults, so that it is read before the line is.
        let read = match ConfigFile::named(Self::command(), &line) {
            None => Ok(ConfigFile::default()),
            Some(path) => ConfigFile::read(&path, &Self::command()),
        };
        let file = read.unwrap_or_else(|error| {
            terminal::error(format_args!("{error:#}"));
            std::process::exit(2)
        });
        let command = Self::listed_with(&file);
        let matches = command.try_get_matches_from(line);
        let matches = matches.unwrap_or_else(|error| masked(error).exit());
        let cli = Self::from_arg_matches(&matches);
        let mut cli = cli.unwrap_or_else(|error| error.exit());
        cli.alerts = file.alerts;
        cli
    }

    /// The command line, each subcommand with the options that matter to it.
    pub fn listed() -> clap::Command {
        Self::listed_with(&ConfigFile::default())
    }

    /// The same with the options of a file as defaults.
    pub fn listed_with(file: &ConfigFile) -> clap::Command {
        help::command(file.as_defaults(Self::command()))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the APM server and its pages alone, for services that run elsewhere.
    Server,
    /// Make up services (demo-app, demo-people, demo-shop, demo-checkout; environment demo) with requests, statements
    /// and errors, and send them to a running APM server.
    Generate(GenerateOptions),
    /// Send a recorded stream (NDJSON as agents send it, plain or gzip) to a running APM server.
    Import {
        /// The stream: metadata lines, each followed by its events. `-` reads the standard input.
        file: PathBuf,
        #[command(flatten)]
        to: SendOptions,
    },
    /// Run one reading statement on the telemetry and print its rows as CSV.
    Sql(SqlOptions),
    /// Make, list and revoke API keys: credentials with a name and privileges, for agents, scripts and readers.
    #[command(subcommand, name = "apikey")]
    ApiKey(ApiKeyCommand),
    /// Send source maps of pages' scripts, so that stack traces of browsers show the source.
    #[command(subcommand, name = "sourcemap")]
    SourceMap(SourceMapCommand),
    /// Check bounds on what services did, for CI. Exit code 0: all are kept. 1: one is broken. 2: one could not be
    /// judged, because too little was seen, or nothing could be checked.
    Check(CheckOptions),
    /// Find indexes for a service's database: its recorded statements run on a copy, without and with each index that
    /// might help, and what helps all of them together is printed. The database itself is only read.
    Advise(AdviseOptions),
    /// Try a migration on a copy of a service's database, and run the recorded statements before and after it. Exit
    /// code 0: none loses. 1: one takes more steps, or fails. 2: one could not be run, or the migration fails.
    MigrateCheck(MigrateCheckOptions),
    /// Print what a running APM server knows.
    #[command(flatten)]
    Show(ShowCommand),
    /// Answer assistants in the Model Context Protocol on standard input and output, from a running APM server.
    Mcp(McpOptions),
    /// Ask a running APM server whether it can store events, as the check of a container. Exit code 0: it can.
    Health(HealthOptions),
    /// Copy the telemetry into a file, while a server writes or not, and check the copy.
    Backup(BackupOptions),
    /// Check a file of options.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a script that completes this command line in a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in the format of man.
    Man,
}

/// The options of `pocket-apm mcp`.
#[derive(Debug, Clone, Args)]
pub struct McpOptions {
    /// A running APM server to ask [default: that of --apm-listen, encrypted where --apm-tls-cert is given].
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,

    #[command(flatten)]
    pub access: AccessOptions,
}

/// Subcommands for the file of --config.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong in a file of options, rules and receivers. Exit code 0: nothing is.
    Check {
        /// The file [default: that of --config].
        file: Option<PathBuf>,
    },
}

/// The options of `pocket-apm health`.
#[derive(Debug, Clone, Args)]
pub struct HealthOptions {
    /// A running APM server to ask [default: that of --apm-listen, encrypted where --apm-tls-cert is given].
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,

    /// The authorities that vouch for its certificate, or this certificate itself (PEM) [default: the authorities of
    /// the system; without --server, the certificate of --apm-tls-cert].
    #[arg(long, env = "APM_SERVER_CA_FILE", value_name = "FILE")]
    pub server_ca_file: Option<PathBuf>,
}

/// The options of `pocket-apm backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupOptions {
    /// The file to write. It must not exist.
    pub file: PathBuf,
}

/// Subcommands for the file of --apm-api-key-file. A running server notices a change within two seconds.
#[derive(Debug, Clone, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key, print what its holder presents, and add its hash to the file. The key is shown this once.
    Create {
        /// Its name, such as that of a service or a person.
        name: String,
        /// Privileges of its holder: intake (send events), config (ask for agent settings), read (pages and API), admin
        /// (change and delete; includes read).
        #[arg(
            long,
            value_name = "PRIVILEGE",
            value_delimiter = ',',
            default_value = "intake,config",
            value_parser = clap::value_parser!(Privilege)
        )]
        privileges: Vec<Privilege>,
    },
    /// Print names and privileges.
    List,
    /// Take a key out of the file. Its sessions end.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// The server to which made-up and recorded events go.
#[derive(Debug, Clone, Args)]
pub struct SendOptions {
    /// The APM server to send to [default: that of --apm-listen, encrypted where --apm-tls-cert is given].
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,

    #[command(flatten)]
    pub access: AccessOptions,
}

/// The credential that a running APM server is shown, and how its certificate is checked.
#[derive(Debug, Clone, Args)]
pub struct AccessOptions {
    /// An API key to show to the APM server. Without it, the secret token is shown where there is one.
    #[arg(long, env = "APM_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,

    /// The authorities that vouch for the APM server's certificate, or this certificate itself (PEM) [default: the
    /// authorities of the system; without --server, the certificate of --apm-tls-cert].
    #[arg(long, env = "APM_SERVER_CA_FILE", value_name = "FILE")]
    pub server_ca_file: Option<PathBuf>,
}

/// The options of `pocket-apm generate`.
#[derive(Debug, Clone, Args)]
pub struct GenerateOptions {
    /// Number of traces, of some ten spans each.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub traces: u64,

    /// Over which time, until now, they are spread.
    #[arg(long, value_name = "AGE", default_value = "1d", value_parser = age)]
    pub window: Duration,

    /// The seed of the random numbers: the same seed makes the same traces.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    #[command(flatten)]
    pub to: SendOptions,
}

/// The options of `pocket-apm sql`.
#[derive(Debug, Clone, Args)]
pub struct SqlOptions {
    /// The statement, such as "SELECT * FROM v_statements ORDER BY total_ms DESC LIMIT 10". With `-`, or with none in a
    /// pipe, it is read from the standard input.
    pub statement: Option<String>,
    /// The form of the rows [default: a table on a terminal, else CSV].
    #[arg(long)]
    pub format: Option<ListFormat>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// A running APM server to ask, within its limits, instead of the file of --apm-database.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,
    #[command(flatten)]
    pub access: AccessOptions,
}

/// The options of `pocket-apm check`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Bounds")]
pub struct CheckOptions {
    /// Most statements that one request may run. Requests whose spans were dropped are not judged where they may have
    /// run more.
    #[arg(long, value_name = "N")]
    pub max_statements_per_request: Option<u32>,
    /// No request runs the same statement 5 times or more; a mean of the requests of a name.
    #[arg(long)]
    pub no_repeats: bool,
    /// 95 % of the requests of a name finish within a time; may be given several times.
    #[arg(long, value_name = "NAME<TIME", value_parser = clap::value_parser!(P95))]
    pub p95: Vec<P95>,
    /// No statement takes more work as its table grows. With `all`, which is the default, each has to be judged: its
    /// table doubles, or SQLite counts each of its calls and none scans a table or takes 1,000 steps. With `judged`,
    /// those count that can be judged, at least one.
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        value_parser = clap::value_parser!(NoGrowth)
    )]
    pub no_growth: Option<NoGrowth>,
    /// From when on: a marker, by its name or number, or a time as 2026-01-31T12:00:00Z or now-1h [default: the last
    /// 15 minutes].
    #[arg(long, value_name = "MARKER")]
    pub since: Option<String>,
    /// Only this service.
    #[arg(long, value_name = "NAME")]
    pub only_service: Option<String>,
    /// A running APM server to ask, instead of the file of --apm-database.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,
    #[command(flatten)]
    pub access: AccessOptions,
    #[command(flatten)]
    pub baseline: BaselineOptions,
    /// The form in which the result is printed.
    #[arg(long, default_value = "text")]
    pub format: Format,
}

/// Forms in which a check is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Junit,
    /// For code scanning.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
    /// A comment.
    Markdown,
}

/// The service's options.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServiceOptions {
    /// The address on which the service listens. Port 0 takes any free one.
    #[arg(
        long,
        env = "LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = host_and_port
    )]
    pub listen: String,

    /// The service's SQLite file; created and migrated when needed.
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "FILE",
        default_value = "database.db",
        value_parser = database
    )]
    pub database: String,

    /// The address that /upstream asks for a person with a country [default: the service's own /people].
    #[arg(long, env = "UPSTREAM_URL", value_name = "URL", value_parser = http_url, hide_env_values = true)]
    pub upstream_url: Option<String>,

    /// The way in which /sql-group counts: the article's scan, an index on city, or counts kept by triggers. Each start
    /// makes what the choice needs in the database and drops what another choice left there.
    #[arg(long, env = "SQL_GROUP", default_value = "scan")]
    pub sql_group: Strategy,

    /// Threads that serve requests [default: one per core].
    #[arg(long, env = "WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
}

#[cfg(test)]
mod tests;
