//! The service's log: `env_logger`, with the ids of the trace that a line belongs to, and an error event for each error
//! line.

use apm_agent::log::Logger;
use env_logger::Env;
use log::LevelFilter;

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Time, level, module, message.
    #[default]
    Text,
    /// JSON in the fields of the Elastic Common Schema.
    Json,
}

/// Logs to standard error from level `info` on, or as `RUST_LOG` says.
///
/// # Panics
/// When the process has a logger already.
pub fn init(format: LogFormat) {
    let env = Env::default().default_filter_or("info,actix_server=warn");
    let (logger, level) = logger(env, format);
    logger
        .install(level)
        .expect("the log is set up once, before anything else");
}

/// The logger, and the least severe level that it lets pass.
pub fn logger<'a>(
    env: impl Into<Env<'a>>,
    format: LogFormat,
) -> (Logger<env_logger::Logger>, LevelFilter) {
    let mut builder = env_logger::Builder::from_env(env);
    match format {
        LogFormat::Text => builder.format(apm_agent::log::format),
        LogFormat::Json => builder.format(apm_agent::log::format_ecs),
    };
    let lines = builder.build();
    let level = lines.filter();
    // The APM server in this process: if it cannot store events, an event about that would not help.
    let logger = ["apm_server", "apm_alerts", "apm_intake", "apm_store"]
        .into_iter()
        .fold(Logger::new(lines), Logger::ignore);
    (logger, level)
}
