//! Central configuration: its values beat all others, but for those that make the agent record more.

use super::*;

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
