//! The lines that the agent logs about its configuration when it starts, and when central configuration changes it.

use super::Snapshot;
use super::layers::{Origin, Source};
use super::option::OptionSpec;
use super::options::OPTIONS;
use super::shown::{Secret, printable, without_password};

/// The agent's first log lines: who it is, where it runs, and how it is configured.
#[derive(Debug)]
pub(crate) struct StartupReport {
    pub(crate) lines: Vec<String>,
}

impl StartupReport {
    /// `hostname` as in the metadata. Secrets are masked; options at their default are left out, except for the main
    /// ones.
    pub(crate) fn new(snapshot: &Snapshot, hostname: &str) -> Self {
        let mut lines = vec![
            format!(
                "Elastic APM agent for Rust, apm-agent {}",
                env!("CARGO_PKG_VERSION")
            ),
            format!(
                "Environment: pid {}, {} {}, host {hostname}, rustc {}",
                std::process::id(),
                std::env::consts::OS,
                std::env::consts::ARCH,
                env!("APM_AGENT_RUSTC_VERSION"),
            ),
            "Agent Configuration:".to_owned(),
        ];
        let shown = OPTIONS.iter().zip(&snapshot.origins);
        lines.extend(
            shown
                .filter(|(option, origin)| option.always_logged || origin.source != Source::Default)
                .map(|(option, origin)| format!("  {}", describe(option, origin))),
        );
        if env!("CARGO_PKG_VERSION").contains('-') {
            lines.push("this is a pre-release of the agent, not meant for production".to_owned());
        }
        Self { lines }
    }
}

/// The options whose values differ between two snapshots, as they are in the second.
pub(super) fn changes(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let pairs = before.origins.iter().zip(&after.origins);
    OPTIONS
        .iter()
        .zip(pairs)
        .filter(|(_, (before, after))| before != after)
        .map(|(option, (_, after))| describe(option, after))
        .collect()
}

/// `transaction_sample_rate: 0.5 (environment)`.
fn describe(option: &OptionSpec, origin: &Origin) -> String {
    let text = if option.secret && !origin.text.is_empty() {
        Secret::MASK.to_owned()
    } else {
        printable(&without_password(&origin.text))
    };
    let quote = if option.quoted { "\"" } else { "" };
    format!("{}: {quote}{text}{quote} ({})", option.key, origin.source)
}
