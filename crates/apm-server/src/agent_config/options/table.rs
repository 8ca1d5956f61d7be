//! The options that agents take from a server: which agents know each, and the values that they can read.
//!
//! The names and agents are those that Kibana offers for each agent, and those that our own agent marks as *live* in
//! `docs/configuration.md`.

use super::{AgentOption, Form};

const LEVELS: Form = Form::Word(&[
    "trace", "debug", "info", "warning", "warn", "error", "critical", "fatal", "off",
]);

const ANY: Form = Form::Duration {
    least: 0,
    most: i64::MAX,
    is_fine: false,
};
const FROM_A_MILLISECOND: Form = Form::Duration {
    least: 1_000,
    most: i64::MAX,
    is_fine: false,
};
const ANY_SIGN: Form = Form::Duration {
    least: i64::MIN,
    most: i64::MAX,
    is_fine: false,
};

const JAVA: &[&str] = &["java"];
const MOBILE: &[&str] = &["android/java", "iOS/swift"];
const COMPRESSION: &[&str] = &["dotnet", "go", "java", "python", "rust"];
const REQUESTS: &[&str] = &["java", "python", "ruby", "rust"];
const HEADERS: &[&str] = &["dotnet", "go", "java", "python", "ruby", "rust"];
const WITH_NODE: &[&str] = &["dotnet", "go", "java", "nodejs", "python", "ruby", "rust"];
const SERVERS: &[&str] = &[
    "dotnet", "go", "java", "nodejs", "php", "python", "ruby", "rust",
];

const fn option(name: &'static str, form: Form, agents: &'static [&'static str]) -> AgentOption {
    AgentOption { name, form, agents }
}

/// All of them, by name.
pub(super) static OPTIONS: &[AgentOption] = &[
    option("api_request_size", Form::Size, REQUESTS),
    option("api_request_time", FROM_A_MILLISECOND, REQUESTS),
    option("application_packages", Form::Text, JAVA),
    option(
        "capture_body",
        Form::Word(&["off", "errors", "transactions", "all"]),
        WITH_NODE,
    ),
    option(
        "capture_body_content_types",
        Form::Text,
        &["dotnet", "java"],
    ),
    option("capture_headers", Form::Switch, HEADERS),
    option("capture_jmx_metrics", Form::Text, JAVA),
    option("circuit_breaker_enabled", Form::Switch, JAVA),
    option("context_propagation_only", Form::Switch, &["java", "rust"]),
    option("dedot_custom_metrics", Form::Switch, JAVA),
    option("disable_instrumentations", Form::Text, JAVA),
    option("disable_outgoing_tracecontext_headers", Form::Switch, JAVA),
    option("enable_experimental_instrumentations", Form::Switch, JAVA),
    option("enable_instrumentations", Form::Text, JAVA),
    option("enable_log_correlation", Form::Switch, JAVA),
    option(
        "exit_span_min_duration",
        Form::Duration {
            least: 0,
            most: i64::MAX,
            is_fine: true,
        },
        &["dotnet", "go", "java", "nodejs", "python", "rust"],
    ),
    option("ignore_exceptions", Form::Text, JAVA),
    option(
        "ignore_message_queues",
        Form::Text,
        &["dotnet", "java", "nodejs"],
    ),
    option(
        "log_ecs_reformatting",
        Form::Word(&["off", "shade", "replace", "override"]),
        JAVA,
    ),
    option("log_level", LEVELS, SERVERS),
    option("log_sending", Form::Switch, &["java", "rust"]),
    option("mongodb_capture_statement_commands", Form::Text, JAVA),
    option("profiling_inferred_spans_enabled", Form::Switch, JAVA),
    option(
        "profiling_inferred_spans_excluded_classes",
        Form::Text,
        JAVA,
    ),
    option(
        "profiling_inferred_spans_included_classes",
        Form::Text,
        JAVA,
    ),
    option("profiling_inferred_spans_min_duration", ANY, JAVA),
    option(
        "profiling_inferred_spans_sampling_interval",
        Form::Duration {
            least: 1_000,
            most: 1_000_000,
            is_fine: false,
        },
        JAVA,
    ),
    option(
        "recording",
        Form::Switch,
        &[
            "android/java",
            "dotnet",
            "go",
            "iOS/swift",
            "java",
            "php",
            "python",
            "ruby",
            "rust",
        ],
    ),
    option("sanitize_field_names", Form::Text, WITH_NODE),
    option("server_timeout", FROM_A_MILLISECOND, JAVA),
    option("session_sample_rate", Form::Share, MOBILE),
    option("span_compression_enabled", Form::Switch, COMPRESSION),
    option(
        "span_compression_exact_match_max_duration",
        ANY,
        COMPRESSION,
    ),
    option("span_compression_same_kind_max_duration", ANY, COMPRESSION),
    option("span_frames_min_duration", ANY_SIGN, HEADERS),
    option("span_min_duration", ANY, JAVA),
    option(
        "span_stack_trace_min_duration",
        ANY_SIGN,
        &["dotnet", "go", "java", "nodejs", "python", "rust"],
    ),
    option(
        "stack_trace_limit",
        Form::Whole(-1, 10_000),
        &["dotnet", "go", "java", "python", "rust"],
    ),
    option(
        "stress_monitor_cpu_duration_threshold",
        Form::Duration {
            least: 60_000_000,
            most: i64::MAX,
            is_fine: false,
        },
        JAVA,
    ),
    option("stress_monitor_gc_relief_threshold", Form::Share, JAVA),
    option("stress_monitor_gc_stress_threshold", Form::Share, JAVA),
    option(
        "stress_monitor_system_cpu_relief_threshold",
        Form::Share,
        JAVA,
    ),
    option(
        "stress_monitor_system_cpu_stress_threshold",
        Form::Share,
        JAVA,
    ),
    option("trace_context_ignore_hosts", Form::Text, &["rust"]),
    option(
        "trace_continuation_strategy",
        Form::Word(&["continue", "restart", "restart_external"]),
        &["go", "java", "nodejs", "python", "rust"],
    ),
    option("trace_methods", Form::Text, JAVA),
    option("transaction_ignore_urls", Form::Text, WITH_NODE),
    option(
        "transaction_ignore_user_agents",
        Form::Text,
        &["java", "rust"],
    ),
    option("transaction_max_spans", Form::Whole(0, 32_000), SERVERS),
    option(
        "transaction_name_groups",
        Form::Text,
        &["dotnet", "java", "rust"],
    ),
    option(
        "transaction_sample_rate",
        Form::Share,
        &[
            "dotnet", "go", "java", "js-base", "nodejs", "php", "python", "ruby", "rum-js", "rust",
        ],
    ),
    option("unnest_exceptions", Form::Text, JAVA),
    option("use_forwarded_headers", Form::Switch, &["rust"]),
    option(
        "use_path_as_transaction_name",
        Form::Switch,
        &["dotnet", "java"],
    ),
];
