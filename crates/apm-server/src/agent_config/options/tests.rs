//! Settings of agents, as tables: which are refused, for whom, and with which words.

use super::*;

fn agents(name: &str) -> [String; 1] {
    [name.to_owned()]
}

#[test]
fn the_options_are_sorted_and_there_once() {
    assert!(OPTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
    for option in OPTIONS {
        assert!(option.agents.is_sorted(), "{}", option.name);
        assert!(!option.agents.is_empty(), "{}", option.name);
    }
}

#[test]
fn a_value_that_an_agent_could_not_read_is_refused_with_the_remedy() {
    for (name, value, said) in [
        ("transaction_sample_rate", "abc", "a number from 0 to 1"),
        ("transaction_sample_rate", "1.5", "a number from 0 to 1"),
        ("transaction_sample_rate", "NaN", "a number from 0 to 1"),
        ("session_sample_rate", "-0.1", "a number from 0 to 1"),
        ("recording", "yes", "true or false"),
        ("recording", "True", "true or false"),
        ("transaction_max_spans", "-1", "from 0 to 32000"),
        ("stack_trace_limit", "-2", "from -1 to 10000"),
        ("api_request_time", "5", "with its unit (ms, s or m)"),
        ("api_request_time", "0ms", "from 1ms on"),
        ("api_request_time", "-5s", "with its unit"),
        ("api_request_time", "99999999999999999s", "with its unit"),
        (
            "span_compression_same_kind_max_duration",
            "5us",
            "(ms, s or m)",
        ),
        ("exit_span_min_duration", "5ns", "(us, ms, s or m)"),
        (
            "profiling_inferred_spans_sampling_interval",
            "2s",
            "from 1ms to 1s",
        ),
        ("stress_monitor_cpu_duration_threshold", "30s", "from 1m on"),
        ("api_request_size", "lots", "with its unit"),
        ("api_request_size", "é", "with its unit"),
        ("capture_body", "some", "one of off, errors"),
        ("log_level", "loud", "one of trace"),
        ("log_ecs_reformatting", "on", "one of off, shade"),
        ("trace_continuation_strategy", "stop", "one of continue"),
        (
            "transaction_sample_rat",
            "0.5",
            "did you mean transaction_sample_rate?",
        ),
        ("Recording", "true", "did you mean recording?"),
    ] {
        let error = check(name, value, &[]).expect_err(value);
        assert!(error.contains(said) && error.contains(name), "{error}");
    }
}

#[test]
fn a_value_that_an_agent_reads_is_taken() {
    for (name, value) in [
        ("transaction_sample_rate", "0.5"),
        ("transaction_sample_rate", "1"),
        ("span_frames_min_duration", "-1ms"),
        ("span_stack_trace_min_duration", "0ms"),
        ("exit_span_min_duration", "500us"),
        ("stress_monitor_cpu_duration_threshold", "1m"),
        ("profiling_inferred_spans_sampling_interval", "1s"),
        ("api_request_size", "768kb"),
        ("api_request_size", "1MB"),
        ("stack_trace_limit", "-1"),
        ("something_new", "whatever"),
        ("sanitize_field_names", "password, *token*"),
    ] {
        assert_eq!(check(name, value, &[]), Ok(()), "{name}");
    }
}

/// An option that one agent knows and another one does not.
#[test]
fn an_option_is_refused_for_an_agent_that_does_not_know_it() {
    for (name, value, knows, other) in [
        ("trace_methods", "a.b", "java", "nodejs"),
        ("capture_headers", "true", "go", "nodejs"),
        ("capture_body", "all", "nodejs", "php"),
        ("recording", "false", "php", "nodejs"),
        ("stack_trace_limit", "10", "go", "ruby"),
        ("transaction_name_groups", "GET *", "dotnet", "python"),
        ("use_forwarded_headers", "true", "rust", "java"),
        ("api_request_size", "1mb", "ruby", "go"),
        ("session_sample_rate", "0.5", "iOS/swift", "java"),
        ("transaction_sample_rate", "0.1", "rum-js", "android/java"),
        ("log_level", "info", "php", "rum-js"),
    ] {
        assert_eq!(
            check(name, value, &agents(knows)),
            Ok(()),
            "{name}: {knows}"
        );
        let error = check(name, value, &agents(other)).expect_err(other);
        assert!(
            error.contains(&format!("{other} does not know it")),
            "{error}"
        );
        assert!(error.contains(knows), "{error}");
        // An agent that nobody has heard of may know anything.
        assert_eq!(check(name, value, &agents("cobol")), Ok(()), "{name}");
    }
    let error = check("something_new", "1", &agents("rum-js")).expect_err("refused");
    assert!(
        error.contains("takes transaction_sample_rate only"),
        "{error}"
    );
    assert_eq!(check("something_new", "1", &agents("java")), Ok(()));
}

#[test]
fn an_sdk_of_opentelemetry_is_said_to_ask_for_no_settings() {
    for agent in ["opentelemetry/java/elastic", "opentelemetry/python", "otlp"] {
        let error = check("recording", "false", &agents(agent)).expect_err(agent);
        assert!(error.contains("asks for no settings"), "{error}");
    }
}

#[test]
fn every_option_that_our_agent_takes_live_is_known_for_it() {
    let page = include_str!("../../../../../docs/configuration.md");
    let mut name = "";
    let mut live = 0;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### `") {
            name = heading.trim_end_matches('`');
        }
        if line.ends_with("· live") {
            live += 1;
            let option = OPTIONS.iter().find(|option| option.name == name);
            let is_known = option.is_some_and(|option| option.agents.contains(&"rust"));
            assert!(is_known, "{name}");
        }
    }
    assert!(live >= 20, "{live}");
}
