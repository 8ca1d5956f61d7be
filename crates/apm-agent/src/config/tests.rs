//! Precedence, fallback and central configuration over the whole table.

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
fn one_bad_central_key_harms_no_other() {
    let (config, _) = resolve(&[], &[("remote_capture", "true")]);
    let update = config.apply_central(&central(&[
        ("transaction_sample_rate", "1.2"),
        ("capture_body", "all"),
        ("server_url", "http://elsewhere"),
        ("made_up", "1"),
    ]));
    assert_eq!(
        update.warnings,
        [
            "Central config failure. Unsupported config names: made_up, server_url",
            "Central config failure. Invalid value for transaction_sample_rate: 1.2 (out of range [0,1.0])",
        ]
    );
    assert_eq!(update.changes, ["capture_body: \"all\" (central)"]);
    assert_eq!(config.load().capture_body, CaptureBody::All);
    assert_eq!(config.load().transaction_sample_rate, SampleRate::ALL);
}

#[test]
fn unchanged_central_values_leave_the_snapshot_alone() {
    let (config, _) = resolve(&[("ELASTIC_APM_RECORDING", "maybe")], &[]);
    let half = central(&[("transaction_sample_rate", "0.5")]);
    assert_eq!(config.apply_central(&half).changes.len(), 1);
    let generation = config.load().generation;
    let unchanged = CentralUpdate {
        complete: true,
        ..CentralUpdate::default()
    };
    assert_eq!(config.apply_central(&half), unchanged);
    assert_eq!(config.load().generation, generation);
}

#[test]
fn the_old_stack_trace_option_keeps_its_old_meaning() {
    let (config, _) = resolve(&[], &[]);
    let table = [
        ("0ms", None),
        ("-1ms", Some(Duration::ZERO)),
        ("20ms", Some(Duration::from_millis(20))),
    ];
    for (text, expected) in table {
        config.apply_central(&central(&[("span_frames_min_duration", text)]));
        assert_eq!(
            config.load().span_stack_trace_min_duration,
            expected,
            "{text}"
        );
    }
    config.apply_central(&central(&[
        ("span_frames_min_duration", "0ms"),
        ("span_stack_trace_min_duration", "9ms"),
    ]));
    assert_eq!(
        config.load().span_stack_trace_min_duration,
        Some(Duration::from_millis(9))
    );
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
fn central_configuration_does_not_make_the_agent_record_more() {
    let table = [
        ("capture_body", "off", "all"),
        ("capture_body", "errors", "transactions"),
        ("capture_headers", "false", "true"),
        ("log_sending", "false", "true"),
        ("sanitize_field_names", "password, *token*", "password"),
        ("sanitize_field_names", "password", ""),
        ("sanitize_field_names", "PassWord", "(?-i)PassWord"),
    ];
    for (key, local, wanted) in table {
        let (config, _) = resolve(&[], &[(key, local)]);
        let generation = config.load().generation;
        let asked = central(&[(key, wanted), ("transaction_max_spans", "7")]);
        let update = config.apply_central(&asked);
        assert_eq!(update.warnings.len(), 1, "{key}: {update:?}");
        assert!(
            update.warnings[0].starts_with(&format!(
                "Central config failure. Not applied: {key}: {wanted}. "
            )) && update.warnings[0].contains("remote_capture=true"),
            "{update:?}"
        );
        assert!(!update.complete);
        assert_eq!(source_of(&config, key), Source::Code);
        assert_eq!(config.load().transaction_max_spans, 7, "others are applied");
        assert!(config.load().generation > generation);
        // The same answer again, as it comes without a tag: nothing is said twice.
        let again = config.apply_central(&asked);
        assert!(again.warnings.is_empty() && !again.complete, "{again:?}");

        let (config, _) = resolve(&[], &[(key, local), ("remote_capture", "true")]);
        let update = config.apply_central(&asked);
        assert!(update.complete && update.warnings.is_empty(), "{update:?}");
        assert_eq!(source_of(&config, key), Source::Central);
    }
    let (config, _) = resolve(&[], &[]);
    let update = config.apply_central(&central(&[
        ("remote_capture", "true"),
        ("capture_body", "all"),
    ]));
    assert_eq!(
        update.warnings.len(),
        2,
        "the server cannot allow it itself"
    );
    assert_eq!(config.load().capture_body, CaptureBody::Off);
}

#[test]
fn central_configuration_may_make_the_agent_record_less() {
    let table = [
        ("capture_body", "all", "errors"),
        ("capture_headers", "true", "false"),
        ("log_sending", "true", "false"),
        (
            "sanitize_field_names",
            "password, *token*",
            "*TOKEN*, password, iban",
        ),
    ];
    for (key, local, wanted) in table {
        let (config, _) = resolve(&[], &[(key, local)]);
        let update = config.apply_central(&central(&[(key, wanted)]));
        assert!(update.complete && update.warnings.is_empty(), "{update:?}");
        assert_eq!(source_of(&config, key), Source::Central, "{key}");
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

#[test]
fn what_a_server_says_cannot_forge_lines_of_the_log() {
    let (config, _) = resolve(&[], &[]);
    let update = config.apply_central(&central(&[
        ("made\nup", "1"),
        ("transaction_max_spans", "1\nERROR all is lost"),
        ("transaction_ignore_urls", "/a\r\n/b"),
        ("capture_body", " ALL\n"),
        ("log_level", &"x".repeat(100_000)),
    ]));
    let lines = [update.changes, update.warnings].concat();
    assert_eq!(lines.len(), 5, "{lines:?}");
    for line in lines {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.len() < 2_000, "{}", line.len());
    }
}
