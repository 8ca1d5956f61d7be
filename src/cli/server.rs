//! The options of the APM server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use apm_server::{BasePath, Network, SecretToken, TailSampling};
use apm_store::text_file;
use clap::Args;

use super::output::OutputOptions;
use super::rum::RumOptions;
use super::values::{
    Receiver, age, apm_database, export_size, host_and_port, host_name, origin, percent,
    search_time, server_url, service_file, size,
};

/// The APM server's options.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "APM server")]
pub struct ApmOptions {
    /// The address on which the APM server takes events and shows its pages. Other than loopback it needs
    /// --apm-secret-token or
    /// --insecure.
    #[arg(
        long,
        env = "APM_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8200",
        value_parser = host_and_port,
        global = true
    )]
    pub apm_listen: String,

    /// Another address at which OTLP over HTTP is taken, besides --apm-listen; `off` for none. A port that another
    /// program has is no error.
    #[arg(
        long,
        env = "APM_OTLP_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:4318",
        global = true
    )]
    pub apm_otlp_listen: Receiver,

    /// The address at which OTLP over gRPC is taken; `off` for none. A port that another program has is no error.
    #[arg(
        long,
        env = "APM_OTLP_GRPC_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:4317",
        global = true
    )]
    pub apm_otlp_grpc_listen: Receiver,

    /// The origin of a site whose pages may send OTLP from browsers: its scheme and host, as the address bar shows
    /// them. May be given several times.
    #[arg(
        long,
        env = "APM_OTLP_ALLOWED_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = origin,
        global = true
    )]
    pub apm_otlp_allowed_origins: Vec<String>,

    /// Largest body of OTLP, before and after decompression.
    #[arg(
        long,
        env = "APM_OTLP_MAX_SIZE",
        value_name = "SIZE",
        default_value = "16MiB",
        value_parser = export_size,
        global = true
    )]
    pub apm_otlp_max_size: usize,

    /// The APM server's SQLite file.
    #[arg(
        long,
        env = "APM_DATABASE",
        value_name = "FILE",
        default_value = "apm.db",
        value_parser = apm_database,
        global = true
    )]
    pub apm_database: PathBuf,

    /// The token that agents and the pages' readers must present.
    #[arg(
        long,
        env = "APM_SECRET_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        global = true
    )]
    pub apm_secret_token: Option<String>,

    /// A file with that token, instead. It is read again when it changes.
    #[arg(
        long,
        env = "APM_SECRET_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "apm_secret_token",
        global = true
    )]
    pub apm_secret_token_file: Option<PathBuf>,

    /// A file of API keys, each with its privileges; `pocket-apm apikey create` adds one. It is read again when it
    /// changes.
    #[arg(long, env = "APM_API_KEY_FILE", value_name = "FILE", global = true)]
    pub apm_api_key_file: Option<PathBuf>,

    /// The certificate (PEM, with those that lead to an authority) for encrypted connections. It is read again when it
    /// changes.
    #[arg(
        long,
        env = "APM_TLS_CERT",
        value_name = "FILE",
        requires = "apm_tls_key",
        global = true
    )]
    pub apm_tls_cert: Option<PathBuf>,

    /// The private key of the certificate (PEM).
    #[arg(
        long,
        env = "APM_TLS_KEY",
        value_name = "FILE",
        requires = "apm_tls_cert",
        global = true
    )]
    pub apm_tls_key: Option<PathBuf>,

    /// The most space that the APM server's files take together; the oldest events go first.
    #[arg(long, env = "APM_MAX_SIZE", value_name = "SIZE", default_value = "1GiB", value_parser = size, global = true)]
    pub apm_max_size: u64,

    /// Most different names of a kind that one service may have: transactions, statements, destinations, errors,
    /// metrics. Further names are counted together as `_other`. All services have ten times as many together. 0 lifts
    /// all of these limits: then a sender that puts an id into a name makes a name with each event, and memory, lists
    /// and the database grow with them.
    #[arg(
        long,
        env = "APM_MAX_NAMES",
        value_name = "COUNT",
        default_value_t = 2_000,
        global = true
    )]
    pub apm_max_names: usize,

    /// The age at which single events are deleted; rollups, which the charts read, are kept for 90 days.
    #[arg(long, env = "APM_MAX_AGE", value_name = "AGE", default_value = "7d", value_parser = age, global = true)]
    pub apm_max_age: Duration,

    /// The part of `--apm-max-size`, in percent, for traces that stay when the events around them are deleted: failed
    /// requests, the slowest of each name and hour, a sample of each statement, and pinned ones. 0 keeps none.
    #[arg(
        long,
        env = "APM_KEEP",
        value_name = "PERCENT",
        default_value_t = 20,
        value_parser = clap::value_parser!(u8).range(0..=50),
        global = true
    )]
    pub apm_keep: u8,

    /// The time that a search of single events may take. The page then says how far it came and goes on from there. A
    /// slow disk and large databases want more; an answer keeps one of the readers busy for as long. From 100ms to 60s.
    #[arg(
        long,
        env = "APM_SEARCH_TIME",
        value_name = "TIME",
        default_value = "2s",
        value_parser = search_time,
        global = true
    )]
    pub apm_search_time: Duration,

    /// The part of traces, in percent, that stays when they are complete. Those with an error, a failed request or a
    /// slow one stay in any case, and rollups, which the charts read, count all of them. 100 keeps all.
    #[arg(
        long,
        env = "APM_TAIL_SAMPLE",
        value_name = "PERCENT",
        default_value = "100",
        value_parser = percent,
        global = true
    )]
    pub apm_tail_sample: f64,

    /// With --apm-tail-sample: a trace with a transaction that takes as long stays in any case.
    #[arg(
        long,
        env = "APM_TAIL_SLOW",
        value_name = "DURATION",
        default_value = "1s",
        value_parser = humantime::parse_duration,
        global = true
    )]
    pub apm_tail_slow: Duration,

    /// With --apm-tail-sample: the time for which all of a trace stays, and in which its parts have to arrive to be
    /// judged together.
    #[arg(long, env = "APM_TAIL_WAIT", value_name = "AGE", default_value = "5m", value_parser = age, global = true)]
    pub apm_tail_wait: Duration,

    /// Whether commits survive a power loss: `full` syncs each one to the disk, `normal` may lose the last ones. A
    /// crash or kill of the process loses nothing that was acknowledged, with either.
    #[arg(long, env = "APM_DURABILITY", default_value = "normal", global = true)]
    pub durability: Durability,

    /// A service whose SQLite file may be asked how it would answer its statements; the file is only read. May be given
    /// several times. The embedded service's own file is known.
    #[arg(
        long,
        env = "APM_EXPLAIN",
        value_name = "SERVICE=FILE",
        value_delimiter = ',',
        value_parser = service_file,
        global = true
    )]
    pub explain: Vec<(String, PathBuf)>,

    /// The address of the service in the same process that the pages say to call.
    #[arg(skip)]
    pub call_first: Option<String>,

    /// A name by which the APM server is reached besides those of this machine, such as that of a proxy before it. May
    /// be given several times; .example.com stands for all names below it.
    #[arg(
        long,
        env = "APM_ALLOWED_HOSTS",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = host_name,
        global = true
    )]
    pub apm_allowed_hosts: Vec<String>,

    /// A proxy, by its address or network, whose Forwarded and X-Forwarded-* headers are believed. May be given
    /// several times.
    #[arg(
        long,
        env = "APM_TRUSTED_PROXIES",
        value_name = "ADDRESS",
        value_delimiter = ',',
        value_parser = clap::value_parser!(Network),
        global = true
    )]
    pub apm_trusted_proxies: Vec<Network>,

    /// The path before the paths of the pages in a browser's address bar, such as /apm behind a proxy. The proxy may
    /// pass it on or take it off.
    #[arg(
        long,
        env = "APM_BASE_PATH",
        value_name = "PATH",
        default_value = "",
        hide_default_value = true,
        value_parser = clap::value_parser!(BasePath),
        global = true
    )]
    pub apm_base_path: BasePath,

    /// The address at which readers reach the pages, for links in messages of alerts [default: that of --apm-listen].
    #[arg(long, env = "APM_PUBLIC_URL", value_name = "URL", value_parser = server_url, global = true)]
    pub apm_public_url: Option<String>,

    /// Listen off loopback without a token: anyone who reaches the port may read and write everything.
    #[arg(long, env = "APM_INSECURE", global = true)]
    pub insecure: bool,

    // Groups with a heading of their own come last: what follows stands below their heading.
    #[command(flatten)]
    pub rum: RumOptions,

    #[command(flatten)]
    pub output: OutputOptions,
}

impl ApmOptions {
    /// The secret token, from its option or from its file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn secret_token(&self) -> anyhow::Result<Option<String>> {
        let text = match &self.apm_secret_token_file {
            Some(file) => Some(
                text_file::read(file, SecretToken::LARGEST_FILE).with_context(|| {
                    format!("cannot read {} (--apm-secret-token-file)", file.display())
                })?,
            ),
            None => self.apm_secret_token.clone(),
        };
        // Editors end the file with a line break.
        let text = text.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The rules of tail sampling; nothing where all traces stay.
    pub fn tail_sampling(&self) -> Option<TailSampling> {
        (self.apm_tail_sample < 100.0).then(|| TailSampling {
            share: self.apm_tail_sample / 100.0,
            slow: Some(self.apm_tail_slow),
            wait: self.apm_tail_wait,
        })
    }
}

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    Normal,
    Full,
}
