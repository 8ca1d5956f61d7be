//! The service's log: `env_logger`, with the ids of the trace that a line belongs to, and an error event for each error
//! line.

use std::io::Write as _;

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

/// The least severe lines of some modules, unless `RUST_LOG` names them. Whoever reaches a port could fill the log
/// otherwise, and with error lines the store of events.
const QUIET: [(&str, LevelFilter); 4] = [
    // A line for each request that is none, and for each answer that breaks off.
    ("actix_http::h1::decoder", LevelFilter::Off),
    ("actix_http::h1::dispatcher", LevelFilter::Off),
    ("h2", LevelFilter::Error),
    // A line for each attempt to reach a server whose certificate is not trusted. Those who asked for the connection
    // report that once, with a remedy.
    ("rustls_platform_verifier", LevelFilter::Off),
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
    if format == LogFormat::Json {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Writes a panic as a line of JSON among the others, without its stack, which is in the event that the agent makes of
/// it. The agent calls this after that, so no second error is made of the line.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location();
    let mut line = Vec::new();
    let written = apm_agent::log::format_ecs(
        &mut line,
        &log::Record::builder()
            .level(log::Level::Error)
            .target("panic")
            .file(place.map(std::panic::Location::file))
            .line(place.map(std::panic::Location::line))
            .args(format_args!("{panic}"))
            .build(),
    );
    // One write, so that lines of other threads do not come between.
    if written.is_ok() {
        let _ = std::io::stderr().write_all(&line);
    }
}

/// The logger, and the least severe level that it lets pass.
pub fn logger<'a>(
    env: impl Into<Env<'a>>,
    format: LogFormat,
) -> (Logger<env_logger::Logger>, LevelFilter) {
    let mut builder = env_logger::Builder::new();
    for (module, level) in QUIET {
        builder.filter_module(module, level);
    }
    builder.parse_env(env);
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

    use log::{Level, Log as _, Metadata};

    use super::*;

    #[test]
    fn what_strangers_cause_is_not_logged_unless_it_is_named() {
        let heard = |filter: &str, target: &str, level: Level| {
            let env = Env::new().filter_or("A_VARIABLE_THAT_IS_NOT_SET", filter.to_owned());
            let (logger, _) = logger(env, LogFormat::Text);
            logger.enabled(&Metadata::builder().level(level).target(target).build())
        };
        for target in [
            "actix_http::h1::dispatcher",
            "actix_http::h1::decoder",
            "rustls_platform_verifier::verification::others",
        ] {
            for filter in ["info,actix_server=warn", "debug"] {
                assert!(!heard(filter, target, Level::Error), "{filter} {target}");
            }
            let named = format!("info,{target}=error");
            assert!(heard(&named, target, Level::Error), "{target}");
        }
        assert!(!heard("info", "h2::proto::streams::recv", Level::Warn));
        assert!(heard("info", "h2::server", Level::Error));
        assert!(heard("info", "apm_output::stats", Level::Error));
        assert!(heard("info", "actix_http::service", Level::Error));
    }

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
