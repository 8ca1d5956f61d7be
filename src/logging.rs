//! The service's log: `env_logger`, with the ids of the trace that a line belongs to, and an error event for each error
//! line.

use apm_agent::log::Logger;
use env_logger::Env;
use log::LevelFilter;

/// The crates of the APM server that write to the log.
const SERVER: [&str; 6] = [
    "apm_server",
    "apm_alerts",
    "apm_intake",
    "apm_output",
    "apm_store",
    "sql_advisor",
];

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
    let logger = SERVER.into_iter().fold(Logger::new(lines), Logger::ignore);
    (logger, level)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::SERVER;

    /// Whether a file of a folder writes to the log.
    fn logs(folder: &Path) -> bool {
        let mut entries = fs::read_dir(folder).expect("a folder");
        entries.any(|entry| {
            let path = entry.expect("an entry").path();
            let is_code = path.extension().is_some_and(|end| end == "rs");
            path.is_dir() && logs(&path)
                || is_code && fs::read_to_string(&path).expect("text").contains(" log::")
        })
    }

    #[test]
    fn each_crate_of_the_server_that_logs_is_known() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
        for folder in fs::read_dir(crates).expect("crates") {
            let folder = folder.expect("an entry");
            let name = folder.file_name().to_string_lossy().replace('-', "_");
            if name != "apm_agent" && logs(&folder.path().join("src")) {
                assert!(SERVER.contains(&&*name), "{name} writes to the log");
            }
        }
    }
}
