//! The options that agents take from a server, and the values that each may have.
//!
//! An agent takes no notice of a value that it cannot read, which nobody sees. So values are checked before they are
//! stored. An option that is not in the table is stored as it is: agents have more of them than are listed here.

/// An option.
#[derive(Debug)]
struct AgentOption {
    name: &'static str,
    form: Form,
    /// The agents that know it; empty for all but those of browsers.
    agents: &'static [&'static str],
}

/// The values of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// A number from 0 to 1.
    Share,
    /// `true` or `false`.
    Switch,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A number with `ms`, `s` or `m`; negative ones where that is said.
    Duration { negative: bool },
    /// A number with `b`, `kb`, `mb` or `gb`.
    Size,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A list, patterns or other text.
    Text,
}

const LEVELS: Form = Form::Word(&[
    "trace", "debug", "info", "warning", "warn", "error", "critical", "fatal", "off",
]);

const POSITIVE: Form = Form::Duration { negative: false };
const ANY_SIGN: Form = Form::Duration { negative: true };

/// Agents of browsers.
const BROWSERS: [&str; 2] = ["rum-js", "js-base"];
/// The only option that these take from a server.
const OF_BROWSERS: &str = "transaction_sample_rate";

const fn of_all(name: &'static str, form: Form) -> AgentOption {
    AgentOption {
        name,
        form,
        agents: &[],
    }
}

const fn of_java(name: &'static str, form: Form) -> AgentOption {
    AgentOption {
        name,
        form,
        agents: &["java"],
    }
}

/// All of them, by name.
static OPTIONS: &[AgentOption] = &[
    of_all("api_request_size", Form::Size),
    of_all("api_request_time", POSITIVE),
    of_java("application_packages", Form::Text),
    of_all(
        "capture_body",
        Form::Word(&["off", "errors", "transactions", "all"]),
    ),
    of_all("capture_body_content_types", Form::Text),
    of_all("capture_headers", Form::Switch),
    of_java("capture_jmx_metrics", Form::Text),
    of_java("circuit_breaker_enabled", Form::Switch),
    of_java("dedot_custom_metrics", Form::Switch),
    of_java("enable_log_correlation", Form::Switch),
    of_all("exit_span_min_duration", POSITIVE),
    of_all("ignore_message_queues", Form::Text),
    of_java(
        "log_ecs_reformatting",
        Form::Word(&["off", "shade", "replace", "override"]),
    ),
    of_all("log_level", LEVELS),
    of_java("profiling_inferred_spans_enabled", Form::Switch),
    of_java("profiling_inferred_spans_min_duration", POSITIVE),
    of_java("profiling_inferred_spans_sampling_interval", POSITIVE),
    of_all("recording", Form::Switch),
    of_all("sanitize_field_names", Form::Text),
    of_all("server_timeout", POSITIVE),
    of_all("span_compression_enabled", Form::Switch),
    of_all("span_compression_exact_match_max_duration", POSITIVE),
    of_all("span_compression_same_kind_max_duration", POSITIVE),
    of_all("span_frames_min_duration", ANY_SIGN),
    of_all("span_min_duration", POSITIVE),
    of_all("span_stack_trace_min_duration", ANY_SIGN),
    of_all("stack_trace_limit", Form::Whole(-1, 10_000)),
    of_java("stress_monitor_gc_relief_threshold", Form::Share),
    of_java("stress_monitor_gc_stress_threshold", Form::Share),
    of_java("stress_monitor_system_cpu_relief_threshold", Form::Share),
    of_java("stress_monitor_system_cpu_stress_threshold", Form::Share),
    of_all(
        "trace_continuation_strategy",
        Form::Word(&["continue", "restart", "restart_external"]),
    ),
    of_java("trace_methods", Form::Text),
    of_all("transaction_ignore_urls", Form::Text),
    of_all("transaction_max_spans", Form::Whole(0, 32_000)),
    of_all("transaction_name_groups", Form::Text),
    of_all("transaction_sample_rate", Form::Share),
    of_java("unnest_exceptions", Form::Text),
    of_java("use_path_as_transaction_name", Form::Switch),
];

/// Checks a setting. `agents`: the names of the agents that will ask for it, where they are known.
///
/// # Errors
/// The value cannot be read, or an agent does not know the option: a sentence with the remedy.
pub(crate) fn check(name: &str, value: &str, agents: &[String]) -> Result<(), String> {
    let is_browser = |agent: &&String| BROWSERS.contains(&agent.as_str());
    if name != OF_BROWSERS
        && let Some(agent) = agents.iter().find(is_browser)
    {
        return Err(format!(
            "{name}: the agent {agent} takes {OF_BROWSERS} only"
        ));
    }
    let Some(option) = OPTIONS.iter().find(|option| option.name == name) else {
        return Ok(());
    };
    let knows =
        |agent: &String| option.agents.is_empty() || option.agents.contains(&agent.as_str());
    if let Some(agent) = agents.iter().find(|agent| !knows(agent)) {
        return Err(format!(
            "{name}: the agent {agent} does not know it, {} does",
            option.agents.join(", ")
        ));
    }
    option
        .form
        .check(value)
        .map_err(|want| format!("{name}: “{value}” is not {want}"))
}

/// The names of all options, for completion.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|option| option.name)
}

impl Form {
    /// Reads a value; the error says what is wanted.
    fn check(self, value: &str) -> Result<(), String> {
        let wanted = |is_right: bool, want: String| if is_right { Ok(()) } else { Err(want) };
        match self {
            Self::Share => wanted(
                value
                    .parse::<f64>()
                    .is_ok_and(|value| (0.0..=1.0).contains(&value)),
                "a number from 0 to 1, such as 0.5".to_owned(),
            ),
            Self::Switch => wanted(
                matches!(value, "true" | "false"),
                "true or false".to_owned(),
            ),
            Self::Whole(least, most) => wanted(
                value
                    .parse::<i64>()
                    .is_ok_and(|value| (least..=most).contains(&value)),
                format!("a whole number from {least} to {most}"),
            ),
            Self::Duration { negative } => {
                let digits = match value.strip_prefix('-') {
                    Some(rest) if negative => rest,
                    _ => value,
                };
                wanted(
                    is_measure(digits, &["us", "ms", "s", "m"]),
                    "a time with its unit, such as 500ms or 5s".to_owned(),
                )
            }
            Self::Size => wanted(
                is_measure(&value.to_ascii_lowercase(), &["b", "kb", "mb", "gb"]),
                "a size with its unit, such as 768kb".to_owned(),
            ),
            Self::Word(words) => wanted(
                words.contains(&value),
                format!("one of {}", words.join(", ")),
            ),
            Self::Text => Ok(()),
        }
    }
}

/// Whether a text is a whole number with one of some units.
fn is_measure(text: &str, units: &[&str]) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=12).contains(&digits) && units.contains(&&text[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_sorted_and_there_once() {
        assert!(OPTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn a_value_that_an_agent_could_not_read_is_refused_with_the_remedy() {
        for (name, value, said) in [
            ("transaction_sample_rate", "abc", "a number from 0 to 1"),
            ("transaction_sample_rate", "1.5", "a number from 0 to 1"),
            ("transaction_sample_rate", "NaN", "a number from 0 to 1"),
            ("recording", "yes", "true or false"),
            ("transaction_max_spans", "-1", "from 0 to 32000"),
            ("api_request_time", "5", "with its unit"),
            ("api_request_time", "-5s", "with its unit"),
            ("api_request_size", "lots", "with its unit"),
            ("capture_body", "some", "one of off, errors"),
            ("log_level", "loud", "one of trace"),
        ] {
            let error = check(name, value, &[]).expect_err(value);
            assert!(error.contains(said) && error.contains(name), "{error}");
        }
        for (name, value) in [
            ("transaction_sample_rate", "0.5"),
            ("span_frames_min_duration", "-1ms"),
            ("api_request_size", "768kb"),
            ("something_new", "whatever"),
            ("sanitize_field_names", "password, *token*"),
        ] {
            assert_eq!(check(name, value, &[]), Ok(()), "{name}");
        }
    }

    #[test]
    fn an_option_is_refused_for_an_agent_that_does_not_know_it() {
        let agents = |name: &str| [name.to_owned()];
        assert_eq!(check("trace_methods", "a.b", &agents("java")), Ok(()));
        let error = check("trace_methods", "a.b", &agents("nodejs")).expect_err("refused");
        assert!(
            error.contains("nodejs does not know it, java does"),
            "{error}"
        );
        assert_eq!(
            check("transaction_sample_rate", "0.1", &agents("rum-js")),
            Ok(())
        );
        assert!(check("log_level", "info", &agents("rum-js")).is_err());
    }
}
