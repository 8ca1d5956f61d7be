//! Precedence and fallback over the whole table of options.

mod central;

use std::io::Write;

use super::layers::Source;
use super::options::OPTIONS;
use super::shown::Secret;
use super::*;
use crate::trace::sampler::SampleRate;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn central(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs(values).into_iter().collect()
}

fn resolve(environment: &[(&str, &str)], code: &[(&str, &str)]) -> (Config, Vec<String>) {
    Config::resolve(LocalSources {
        environment: pairs(environment),
        code: pairs(code),
        detected: Vec::new(),
    })
}

fn source_of(config: &Config, key: &str) -> Source {
    let index = OPTIONS.iter().position(|option| option.key == key).unwrap();
    config.load().origins[index].source
}

#[test]
fn without_any_source_the_defaults_of_the_specification_count() {
    let (config, warnings) = resolve(
        &[("PATH", "/bin"), ("ELASTIC_APM_SOMETHING_ELSE", "x")],
        &[],
    );
    assert_eq!(warnings, [""; 0]);
    let settings = config.load();
    assert_eq!(settings.service_name, "unknown-rust-service");
    assert_eq!(settings.servers()[0].as_str(), "http://127.0.0.1:8200/");
    assert_eq!(settings.api_request_size, 768 * 1024);
    assert_eq!(settings.transaction_sample_rate, SampleRate::ALL);
    assert!(
        settings.enabled
            && settings.recording
            && settings.verify_server_cert
            && !settings.disable_send
    );
    assert_eq!(
        settings.for_transaction(),
        TransactionSettings {
            max_spans: 500,
            compression: true,
            exact_match_max_duration: Duration::from_millis(50),
            same_kind_max_duration: Duration::ZERO,
            exit_span_min_duration: Duration::ZERO,
            stack_trace_min_duration: None,
        }
    );
}

#[test]
fn central_beats_environment_beats_code_beats_file_beats_detection() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "# ours\ntransaction_max_spans = 4\nService_Name=from file\nother_agents_option=1\n"
    )
    .unwrap();
    let path = file.path().to_str().unwrap();
    let (key, env) = ("transaction_max_spans", "ELASTIC_APM_TRANSACTION_MAX_SPANS");
    let resolve = |environment: &[(&str, &str)], code: &[(&str, &str)]| {
        let detected = pairs(&[("service_name", "from the executable")]);
        Config::resolve(LocalSources {
            environment: pairs(environment),
            code: pairs(code),
            detected,
        })
        .0
    };

    let config = resolve(
        &[(env, "2"), ("ELASTIC_APM_CONFIG_FILE", path)],
        &[(key, "3")],
    );
    assert_eq!(
        config.apply_central(&central(&[(key, "1")])).warnings,
        [""; 0]
    );
    assert_eq!(
        (config.load().transaction_max_spans, source_of(&config, key)),
        (1, Source::Central)
    );
    config.apply_central(&BTreeMap::new());
    assert_eq!(
        (config.load().transaction_max_spans, source_of(&config, key)),
        (2, Source::Environment)
    );
    assert_eq!(config.load().service_name, "from file");

    let config = resolve(&[("ELASTIC_APM_CONFIG_FILE", path)], &[(key, "3")]);
    assert_eq!(
        (config.load().transaction_max_spans, source_of(&config, key)),
        (3, Source::Code)
    );
    let config = resolve(&[], &[("config_file", path)]);
    assert_eq!(
        (config.load().transaction_max_spans, source_of(&config, key)),
        (4, Source::File)
    );
    let config = resolve(&[], &[]);
    assert_eq!(
        (config.load().transaction_max_spans, source_of(&config, key)),
        (500, Source::Default)
    );
    assert_eq!(config.load().service_name, "from the executable");
}

#[test]
fn an_invalid_value_falls_to_the_next_source_with_a_warning() {
    let (config, warnings) = resolve(
        &[
            ("ELASTIC_APM_TRANSACTION_MAX_SPANS", "many"),
            ("ELASTIC_APM_RECORDING", "yes"),
            ("ELASTIC_APM_SERVICE_NAME", " "),
        ],
        &[("transaction_max_spans", "7"), ("no_such_option", "1")],
    );
    assert_eq!(config.load().transaction_max_spans, 7);
    assert!(config.load().recording);
    assert_eq!(
        warnings,
        [
            "there is no option no_such_option, which was set in code (see docs/configuration.md)",
            "invalid value for service_name from environment: \" \" (a service name must not be blank); it is ignored",
            "invalid value for recording from environment: \"yes\" (expected `true` or `false`); it is ignored",
            "invalid value for transaction_max_spans from environment: \"many\" \
             (expected a whole number, 0 or more); it is ignored",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_or_understood_is_a_warning() {
    let (_, warnings) = resolve(&[("ELASTIC_APM_CONFIG_FILE", "/no/such/file")], &[]);
    assert!(
        warnings[0].starts_with("cannot read config_file /no/such/file: "),
        "{warnings:?}"
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "recording false\nenvironment = staging").unwrap();
    let (config, warnings) = resolve(&[], &[("config_file", file.path().to_str().unwrap())]);
    assert!(
        warnings[0].ends_with(":1: expected `option = value`; the line is ignored"),
        "{warnings:?}"
    );
    assert_eq!(config.load().environment.as_deref(), Some("staging"));
}

#[test]
fn the_start_up_log_shows_sources_and_no_secrets() {
    let (config, _) = resolve(
        &[
            ("ELASTIC_APM_SECRET_TOKEN", "s3cret"),
            (
                "ELASTIC_APM_SERVER_URL",
                "https://user:s3cret@apm.example:8200",
            ),
        ],
        &[("api_key", "s3cret"), ("transaction_sample_rate", "0.5")],
    );
    let lines = StartupReport::new(&config.snapshot(), "build-7").lines;
    assert!(
        lines[0].contains(env!("CARGO_PKG_VERSION")) && lines[1].contains("host build-7"),
        "{lines:#?}"
    );
    assert_eq!(
        lines[2..],
        [
            "Agent Configuration:",
            "  service_name: \"unknown-rust-service\" (default)",
            "  service_version: \"\" (default)",
            "  log_level: \"info\" (default)",
            "  server_url: \"https://[REDACTED]@apm.example:8200\" (environment)",
            "  secret_token: \"[REDACTED]\" (environment)",
            "  api_key: \"[REDACTED]\" (code)",
            "  transaction_sample_rate: 0.5 (code)",
        ]
    );
    assert!(!format!("{:?}", config.load().secret_token).contains("s3cret"));
}

#[test]
fn every_option_is_documented_and_none_twice() {
    for (index, option) in OPTIONS.iter().enumerate() {
        assert!(
            option.doc.iter().any(|line| line.trim_end().ends_with('.')),
            "{}",
            option.key
        );
        assert!(
            OPTIONS[..index].iter().all(|other| other.key != option.key),
            "{}",
            option.key
        );
        assert!(
            Settings::defaults().set(option.key, option.default).is_ok(),
            "{}",
            option.key
        );
    }
}

#[test]
fn old_names_of_options_are_taken_with_one_warning() {
    let (config, warnings) = resolve(&[("ELASTIC_APM_ACTIVE", "False")], &[]);
    assert!(!config.load().enabled);
    assert_eq!(
        warnings,
        [
            "active from environment is taken as enabled, its new name",
            "the value of enabled from environment is not valid: \"False\"; it is taken for `false`",
        ]
    );
    let (config, warnings) = resolve(&[], &[("active", "false"), ("enabled", "true")]);
    assert!(config.load().enabled && warnings.is_empty(), "{warnings:?}");
    let (config, _) = resolve(&[("ELASTIC_APM_SPAN_FRAMES_MIN_DURATION", "0ms")], &[]);
    assert_eq!(config.load().span_stack_trace_min_duration, None);
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_end_its_lines_as_windows_does() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "\u{feff}environment = staging\r\nactive=false\r\n").unwrap();
    let path = format!("{}\n", file.path().to_str().unwrap());
    let (config, warnings) = resolve(&[("ELASTIC_APM_CONFIG_FILE", &path)], &[]);
    assert_eq!(config.load().environment.as_deref(), Some("staging"));
    assert!(!config.load().enabled);
    assert_eq!(
        warnings,
        ["active from file is taken as enabled, its new name"]
    );
}

#[test]
fn a_credential_that_no_header_can_hold_is_refused_without_being_shown() {
    let (config, warnings) = resolve(
        &[
            ("ELASTIC_APM_SECRET_TOKEN", "s3cret\n"),
            ("ELASTIC_APM_API_KEY", "k3y\nX-Injected: 1"),
        ],
        &[],
    );
    let settings = config.load();
    assert_eq!(
        settings.secret_token.as_ref().map(Secret::expose),
        Some("s3cret")
    );
    assert_eq!(settings.api_key, None);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("invalid value for api_key from environment: \"[REDACTED]\"")
            && warnings[0].contains("position 4"),
        "{warnings:?}"
    );
}

#[test]
fn values_are_taken_without_the_blanks_around_them() {
    let (config, warnings) = resolve(
        &[
            ("ELASTIC_APM_ENVIRONMENT", "staging\n"),
            ("ELASTIC_APM_SERVER_TIMEOUT", " 0s "),
            ("ELASTIC_APM_GLOBAL_LABELS", "team=shop,bad"),
        ],
        &[],
    );
    assert_eq!(config.load().environment.as_deref(), Some("staging"));
    assert_eq!(config.load().server_timeout, Duration::ZERO);
    assert_eq!(
        warnings,
        [
            "the value of global_labels from environment is not valid: \"team=shop,bad\"; left out: bad"
        ]
    );
}
