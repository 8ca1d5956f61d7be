//! The options that a subcommand's `--help` lists.
//!
//! The APM server's options may stand anywhere on the command line, so clap lists them under every subcommand. A
//! subcommand that does not use an option still takes it, for scripts that pass the same options to all, but does not
//! list it.

use clap::{Arg, Command};

/// The subcommands that use only some of the shared options, with the beginnings of their names.
const USED: &[(&str, &[&str])] = &[
    (
        "generate",
        &["apm_listen", "apm_secret_token", "apm_tls_cert"],
    ),
    (
        "import",
        &["apm_listen", "apm_secret_token", "apm_tls_cert"],
    ),
    ("services", READS),
    ("transactions", READS),
    ("queries", READS),
    ("errors", READS),
    ("traces", READS),
    ("trace", READS),
    ("dependencies", READS),
    ("insights", READS),
    ("logs", READS),
    ("top", READS),
    ("mcp", READS),
    ("sourcemap", READS),
    ("health", &["apm_listen", "apm_tls_cert"]),
    ("backup", &["apm_database"]),
    ("completions", &[]),
    ("config", &["config"]),
    ("man", &[]),
    ("sql", &["apm_database"]),
    ("apikey", &["apm_api_key_file"]),
    ("check", &["apm_database", "apm_secret_token", "explain"]),
    ("advise", &["apm_database", "apm_secret_token", "explain"]),
    (
        "migrate-check",
        &["apm_database", "apm_secret_token", "explain"],
    ),
];

/// The shared options of commands that ask a running server.
const READS: &[&str] = &["apm_listen", "apm_secret_token", "apm_tls_cert"];

/// The command line, each subcommand with the options that matter to it.
pub(super) fn command(command: Command) -> Command {
    let shared: Vec<Arg> = command
        .get_arguments()
        .filter(|option| option.is_global_set())
        .cloned()
        .collect();
    USED.iter().fold(command, |command, (name, used)| {
        let is_used = |option: &Arg| {
            used.iter()
                .any(|name| option.get_id().as_str().starts_with(name))
        };
        let unused: Vec<Arg> = shared
            .iter()
            .filter(|option| !is_used(option))
            .map(|option| option.clone().hide(true))
            .collect();
        // Options that a subcommand defines itself are not inherited once more.
        command.mut_subcommand(name, |subcommand| subcommand.args(unused))
    })
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use crate::cli::Cli;

    #[test]
    fn options_of_the_server_stand_below_its_heading() {
        let mut command = Cli::listed();
        command.build();
        let server = command.find_subcommand_mut("server").expect("a server");
        for argument in server.get_arguments() {
            let Some(name) = argument.get_long().filter(|name| name.starts_with("apm-")) else {
                continue;
            };
            let heading = argument.get_help_heading();
            assert_eq!(heading, Some("APM server"), "--{name}");
        }
        let help = help("server");
        let (before, browsers) = help.split_once("\nBrowsers:").expect("a heading");
        assert!(
            before.contains("--apm-max-size") && browsers.contains("--rum"),
            "{help}"
        );
    }

    fn help(subcommand: &str) -> String {
        let mut command = Cli::listed();
        command.build();
        let found = command.find_subcommand_mut(subcommand).expect(subcommand);
        found.render_long_help().to_string()
    }

    #[test]
    fn a_subcommand_lists_the_options_that_it_uses_and_no_others() {
        for (subcommand, listed, hidden) in [
            ("generate", "--apm-listen", "--apm-database"),
            ("import", "--apm-secret-token-file", "--durability"),
            ("import", "--api-key", "--apm-api-key-file"),
            ("check", "--server-ca-file", "--apm-tls-key"),
            ("sql", "--apm-database", "--explain"),
            ("check", "--apm-database", "--apm-max-size"),
        ] {
            let help = help(subcommand);
            assert!(help.contains(listed), "no {listed}: {help}");
            assert!(!help.contains(hidden), "{hidden}: {help}");
        }
        let server = help("server");
        for option in ["--explain", "--durability", "--apm-max-age", "--insecure"] {
            assert!(server.contains(option), "no {option}: {server}");
        }
    }

    #[test]
    fn an_option_that_is_not_listed_is_still_taken() {
        let line = ["pocket-apm", "sql", "SELECT 1", "--apm-max-age", "12h"];
        let matches = Cli::listed().try_get_matches_from(line).unwrap();
        let cli = Cli::from_arg_matches(&matches).unwrap();
        assert_eq!(cli.apm.apm_max_age.as_secs(), 12 * 3600);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::listed().debug_assert();
    }
}
