use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// The last two are an option and a value that is wrong.
fn refused(line: &[&str]) {
    let error = Cli::try_parse_from(line).expect_err("refused").to_string();
    let [.., option, value] = line else {
        panic!("{line:?}");
    };
    assert!(
        error.contains(option) && error.contains(value),
        "{line:?}: {error}"
    );
}

#[test]
fn bad_values_are_refused_with_the_name_of_their_option() {
    for (option, value) in [
        ("--listen", "8080"),
        ("--upstream-url", "ftp://example.com/"),
        ("--upstream-url", "/people"),
        ("--workers", "0"),
        ("--apm-max-size", "12kB"),
        ("--apm-max-size", "15MiB"),
        ("--apm-max-size", "much"),
        ("--apm-max-age", "7"),
        ("--apm-max-age", "1s"),
        ("--apm-tail-sample", "101"),
        ("--apm-tail-sample", "NaN"),
        ("--apm-tail-slow", "1"),
        ("--apm-tail-wait", "5s"),
        ("--durability", "none"),
        ("--explain", "database.db"),
        ("--database", ":memory:"),
        ("--database", "sqlite://:memory:"),
        ("--database", "file::memory:?cache=shared"),
        ("--database", "file:people?mode=memory&cache=shared"),
        ("--apm-database", ":memory:"),
        ("--apm-database", "file::memory:"),
        ("--apm-allowed-hosts", "https://apm.example.com"),
        ("--apm-trusted-proxies", "proxy.example.com"),
        ("--apm-trusted-proxies", "10.0.0.0/33"),
        ("--apm-base-path", "apm"),
        ("--apm-base-path", "//evil.example"),
        ("--apm-otlp-listen", "4318"),
        ("--apm-otlp-grpc-listen", "on"),
        ("--apm-otlp-max-size", "1GiB"),
        ("--apm-otlp-allowed-origins", "*"),
        ("--apm-otlp-allowed-origins", "https://shop.example/path"),
    ] {
        refused(&["pocket-apm", option, value]);
    }
    for value in ["127.0.0.1:8200", "ftp://a", "https://", "http://a?b"] {
        refused(&["pocket-apm", "generate", "--server", value]);
        refused(&["pocket-apm", "check", "--server", value]);
    }
}

#[test]
fn all_traces_stay_unless_a_part_is_given() {
    let sampling = |line: &[&str]| Cli::try_parse_from(line).unwrap().apm.tail_sampling();
    let server = ["pocket-apm", "server", "--apm-tail-sample"];
    assert_eq!(sampling(&server[..2]), None);
    assert_eq!(sampling(&[&server[..], &["100"]].concat()), None);
    let tenth = sampling(&[&server[..], &["10", "--apm-tail-wait", "2m"]].concat()).unwrap();
    assert!((tenth.share - 0.1).abs() < 1e-12);
    assert_eq!(tenth.slow, Some(Duration::from_secs(1)));
    assert_eq!(tenth.wait, Duration::from_secs(120));
}

#[test]
fn the_servers_options_may_follow_its_name() {
    let cli = Cli::try_parse_from(["pocket-apm", "server", "--apm-max-age", "12h"]).unwrap();
    assert!(matches!(cli.command, Some(Command::Server)));
    assert_eq!(cli.apm.apm_max_age, Duration::from_secs(12 * 3600));
    assert_eq!(cli.apm.apm_max_size, 1 << 30);
}
