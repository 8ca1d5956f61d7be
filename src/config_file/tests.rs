use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::*;
use crate::cli::Cli;

/// The options that a file and a command line make.
fn cli(file: &str, line: &[&str]) -> Cli {
    let file = ConfigFile::parse(file, &Cli::command()).expect("valid");
    let command = file.as_defaults(Cli::command());
    let line = ["pocket-apm"].iter().chain(line);
    let matches = command.try_get_matches_from(line).expect("valid");
    Cli::from_arg_matches(&matches).expect("read")
}

#[test]
fn options_of_the_file_are_those_of_the_command_line() {
    let cli = cli(
        r#"
        apm-listen = "127.0.0.1:9200"
        apm_max_size = "2GiB"
        apm-max-names = 500
        apm-max-age = "2d"
        apm-allowed-hosts = ["apm.example.com", ".example.org"]
        insecure = true
        workers = 3
        log-format = "json"
        "#,
        &["server"],
    );
    assert_eq!(cli.apm.apm_listen, "127.0.0.1:9200");
    assert_eq!(
        (cli.apm.apm_max_size, cli.apm.apm_max_names),
        (2 << 30, 500)
    );
    assert_eq!(cli.apm.apm_max_age, Duration::from_secs(2 * 86_400));
    assert_eq!(
        cli.apm.apm_allowed_hosts,
        ["apm.example.com", ".example.org"]
    );
    assert_eq!((cli.apm.insecure, cli.service.workers), (true, Some(3)));
    assert_eq!(cli.log_format, crate::logging::LogFormat::Json);
}

#[test]
fn the_command_line_stands_before_the_file() {
    let file = r#"apm-listen = "127.0.0.1:9200""#;
    for line in [
        &["--apm-listen", "127.0.0.1:9300"][..],
        &["server", "--apm-listen", "127.0.0.1:9300"],
    ] {
        assert_eq!(cli(file, line).apm.apm_listen, "127.0.0.1:9300");
    }
}

#[test]
fn a_subcommand_that_lists_fewer_options_gets_those_of_the_file() {
    let file =
        ConfigFile::parse(r#"apm-database = "elsewhere.db""#, &Cli::command()).expect("valid");
    let command = Cli::listed_with(&file);
    let matches = command.try_get_matches_from(["pocket-apm", "sql", "SELECT 1"]);
    let cli = Cli::from_arg_matches(&matches.expect("valid")).expect("read");
    assert_eq!(cli.apm.apm_database, PathBuf::from("elsewhere.db"));
}

#[test]
fn what_is_wrong_is_said_with_its_name_and_the_nearest_one() {
    for (file, words) in [
        ("apm-lisen = 1", "did you mean `apm-listen`?"),
        ("alert = 1", "did you mean `alerts`?"),
        ("config = 'x'", "no option `config`"),
        ("apm-max-size = '12kB'", "--apm-max-size"),
        ("apm-tls-cert = 'a.pem'", "--apm-tls-key"),
        ("insecure = 'perhaps'", "true or false"),
        ("apm-max-size = {}", "`apm-max-size` is a text"),
        ("apm-max-size = '1GiB'\napm_max_size = '1GiB'", "twice"),
        ("apm-max-size = ", "line 1"),
        ("[alerts]\nrule = 1", "unknown field `rule`"),
        ("[alerts]\nsmtp_url = 'smtp://a'", "belong together"),
        (
            "[[alerts.rules]]\nname = 'a'\nkind = 'disk'\nmegabyte = 1",
            "did you mean `megabytes`?",
        ),
        (
            "[[alerts.receivers]]\nname = 'a'\nkind = 'slack'",
            "`url` has to begin with",
        ),
    ] {
        let error = ConfigFile::parse(file, &Cli::command()).expect_err(file);
        let error = format!("{error:#}");
        assert!(error.contains(words), "{file}: {error}");
    }
}

#[test]
fn rules_and_receivers_are_read() {
    let file = ConfigFile::parse(
        r#"
        [alerts]
        networks = ["10.0.0.0/8"]
        smtp_url = "smtps://apm:hush@mail.example.com"
        smtp_from = "APM <apm@example.com>"

        [[alerts.receivers]]
        name = "ops"
        kind = "command"
        command = ["/usr/bin/logger", "-t", "apm"]

        [[alerts.rules]]
        name = "the shop is slow"
        kind = "p95"
        service = "shop"
        milliseconds = 800
        receivers = ["ops"]
        "#,
        &Cli::command(),
    );
    let alerts = file.expect("valid").alerts;
    assert_eq!(alerts.rules[0].id, "file-the shop is slow");
    assert_eq!(alerts.rules[0].number("milliseconds"), 800.0);
    assert_eq!(alerts.receivers[0].name, "ops");
    assert!(!format!("{alerts:?}").contains("hush"));
}

#[test]
fn the_file_is_found_in_a_line_that_is_wrong() {
    let named = |line: &[&str]| {
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        ConfigFile::named(Cli::command(), &line)
    };
    let file = Some(PathBuf::from("a.toml"));
    assert_eq!(named(&["pocket-apm", "server", "--config", "a.toml"]), file);
    assert_eq!(named(&["pocket-apm", "--config=a.toml", "server"]), file);
    assert_eq!(
        named(&["pocket-apm", "--config=a.toml", "--nonsense"]),
        file
    );
    assert_eq!(named(&["pocket-apm", "server"]), None);
}

#[test]
fn the_files_in_the_documentation_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for page in ["docs/alerts.md", "docs/operating.md"] {
        let text = std::fs::read_to_string(root.join(page)).expect(page);
        let blocks = text.split("```toml options\n").skip(1);
        for block in blocks.map(|rest| rest.split("```").next().unwrap_or_default()) {
            // Secrets of the examples are no files here, and are not read.
            ConfigFile::parse(block, &Cli::command())
                .unwrap_or_else(|error| panic!("{page}: {error:#}\n{block}"));
            count += 1;
        }
    }
    assert!(count >= 3, "{count} blocks");
}

#[test]
fn a_rule_whose_receiver_is_not_in_the_file_is_told() {
    let file = r#"
        [[alerts.rules]]
        name = "the shop fails"
        kind = "failure_rate"
        receivers = ["ops", "pager"]

        [[alerts.receivers]]
        name = "ops"
        kind = "webhook"
        url = "https://hooks.example.com/a"
    "#;
    let file = ConfigFile::parse(file, &Cli::command()).expect("valid");
    assert_eq!(
        alerts::receivers_elsewhere(&file.alerts),
        [("the shop fails", "pager")]
    );
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_refused() {
    let error = ConfigFile::read(Path::new("/dev/zero"), &Cli::command()).unwrap_err();
    assert!(format!("{error:#}").contains("more than"), "{error:#}");
}

#[test]
fn what_is_wrong_is_said_without_secrets() {
    for (file, words) in [
        (
            "insecure = true\napm-secret-token = \"secret",
            "line 2, column",
        ),
        ("[alerts]\nsmtp_url = [\"secret\"", "line 2, column"),
        (
            "[alerts]\nreceivers = ['https://chat/secret']",
            "line 2, column",
        ),
        ("elasticsearch = 'http://me:secret@es:99999'", "…@es:99999"),
    ] {
        let error = ConfigFile::parse(file, &Cli::command()).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains(words) && !error.contains("secret"),
            "{error}"
        );
    }
}

#[test]
fn an_address_without_a_port_is_refused() {
    let error = ConfigFile::parse("apm-listen = 5", &Cli::command()).unwrap_err();
    assert!(format!("{error:#}").contains("apm-listen"), "{error:#}");
}
