//! The service's log: `env_logger`, with the ids of the trace that a line belongs to, and an error event for each error
//! line.

use apm_agent::log::Logger;
use env_logger::Env;
use log::LevelFilter;

/// Logs to standard error from level `info` on, or as `RUST_LOG` says.
///
/// # Panics
/// When the process has a logger already.
pub fn init() {
    let env = Env::default().default_filter_or("info,actix_server=warn");
    let (logger, level) = logger(env);
    logger
        .install(level)
        .expect("the log is set up once, before anything else");
}

/// The logger, and the least severe level that it lets pass.
pub fn logger<'a>(env: impl Into<Env<'a>>) -> (Logger<env_logger::Logger>, LevelFilter) {
    let lines = env_logger::Builder::from_env(env)
        .format(apm_agent::log::format)
        .build();
    let level = lines.filter();
    // The APM server in this process: if it cannot store events, an event about that would not help.
    let logger = ["apm_server", "apm_intake", "apm_store"]
        .into_iter()
        .fold(Logger::new(lines), Logger::ignore);
    (logger, level)
}
