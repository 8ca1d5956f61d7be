//! Names of options, variables and addresses in the text of pages.

use clap::{Command, CommandFactory as _};
use pocket_apm::cli::Cli;

use super::{blocks, pages, root, shell};

/// Beginnings of the names that are the server's own: others are of cargo, systemd and the like.
const OURS: [&str; 2] = ["--apm-", "APM_"];

/// Names of options and variables of a command and those below it.
pub(super) fn names(command: &Command) -> Vec<String> {
    let own = command.get_arguments().flat_map(|argument| {
        let long = argument.get_long().map(|name| format!("--{name}"));
        let variable = argument
            .get_env()
            .map(|name| name.to_string_lossy().into_owned());
        [long, variable].into_iter().flatten()
    });
    own.chain(command.get_subcommands().flat_map(names))
        .collect()
}

#[test]
fn options_variables_and_commands_in_the_text_are_those_that_there_are() {
    let mut known = names(&Cli::command());
    // The command that an alert is handed to has variables of its own.
    let source = root().join("crates/apm-alerts/src/deliver/command.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let for_commands = source
        .split('"')
        .filter(|word| word.starts_with("APM_ALERT_"));
    known.extend(for_commands.map(str::to_owned));
    let mut wrong = Vec::new();
    for path in pages() {
        let text = blocks::prose(&path);
        for span in blocks::spans(&text) {
            let first = span.split([' ', '=']).next().unwrap_or_default();
            let is_ours = OURS.iter().any(|start| first.starts_with(start))
                && !first.ends_with(['*', '…', '_']);
            if is_ours && !known.iter().any(|name| name == first) {
                wrong.push(format!("{}: `{span}`", path.display()));
            }
            if span.starts_with("pocket-apm ") {
                wrong.extend(shell::is_known(span).err());
            }
        }
    }
    assert!(known.len() > 50 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn addresses_of_the_api_in_the_text_are_those_that_there_are() {
    let known: Vec<_> = apm_server::api::addresses()
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    let mut wrong = Vec::new();
    for path in pages() {
        for span in blocks::spans(&blocks::prose(&path)) {
            let words = span
                .split_whitespace()
                .find(|word| word.starts_with("/api/v1/"));
            let Some(address) = words.map(|word| word.split('?').next().unwrap_or(word)) else {
                continue;
            };
            if address != "/api/v1/status"
                && !address.contains('…')
                && !known.iter().any(|one| is_at(one, address))
            {
                wrong.push(format!("{}: {span}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether an address is one of a pattern such as `/api/v1/services/{service}`.
fn is_at(pattern: &str, address: &str) -> bool {
    let (pattern, address): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), address.split('/').collect());
    pattern.len() == address.len()
        && pattern
            .iter()
            .zip(&address)
            .all(|(part, given)| part == given || part.starts_with('{'))
}
