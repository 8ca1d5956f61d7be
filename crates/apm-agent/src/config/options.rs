//! The table of all options.
//!
//! An entry reads: documentation, key, type, default, kind of value, and whether it is `dynamic` (central configuration
//! may change it), `secret` (masked in logs) or `always_logged`. To add an option, add an entry and run
//! `UPDATE_DOCS=1 cargo test -p apm-agent configuration`.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::kind::Understood;
use super::kind::{
    BOOL, COUNT, DATABASE_URLS, DURATION, FINE_DURATION, INTERVAL, LIMIT, MAPPING, PATH, RATE,
    SECRET, SERVER_URL, SERVER_URLS, SERVICE_NAME, SIZE, TEXT, THRESHOLD, TIMEOUT, WILDCARDS,
};
use super::option::{OptionSpec, options};
use super::shown::Secret;
use super::values::{
    CAPTURE_BODY, CLOUD_PROVIDER, CONTINUATION, CaptureBody, CloudProvider, LOG_ECS_REFORMATTING,
    LOG_LEVEL, LogEcsReformatting, LogLevel,
};
use crate::trace::propagation::ContinuationStrategy;
use crate::trace::sampler::SampleRate;
use crate::util::wildcard::WildcardList;

/// Gives the table to a macro, which makes something of it: here the settings, and in `agent::builder` the setters.
macro_rules! option_table {
    ($make:ident) => {
        $make! {
"Service" {
    /// The service's name. Letters, digits, blanks, `_` and `-`; anything else becomes `_`. Where it is not set, the
    /// executable's name is taken.
    service_name: String = "unknown-rust-service", SERVICE_NAME, always_logged;
    /// The service's version, such as a release or a commit.
    service_version: Option<String> = "", TEXT, always_logged;
    /// Tells instances of a service apart. Without it the server takes the container's id or the host's name.
    service_node_name: Option<String> = "", TEXT;
    /// The environment in which the service runs, such as `production` or `staging`.
    environment: Option<String> = "", TEXT;
    /// The web framework's name; the actix integration sets it.
    framework_name: Option<String> = "", TEXT;
    /// The web framework's version.
    framework_version: Option<String> = "", TEXT;
    /// Labels for every event. A pair that is not `key=value` is left out, with a warning.
    global_labels: Vec<(String, String)> = "", MAPPING;
    /// The host's name, where the detected one is not the right one.
    hostname: Option<String> = "", TEXT;
    /// The cloud whose metadata service is asked where the service runs; `auto` tries all three. The look-up runs
    /// beside the service, is bounded to about a second, and says nothing if there is no answer.
    cloud_provider: CloudProvider = "auto", CLOUD_PROVIDER;
    /// Whether the command line's arguments are sent. They may hold secrets, of which only `--token=…`, `--token …` and
    /// passwords in URLs are recognised (by `sanitize_field_names`).
    include_process_args: bool = "false", BOOL;
}
"Agent" {
    /// `false` switches the agent off: nothing is recorded and no thread is started. `active`, its old name, is taken
    /// as well.
    enabled: bool = "true", BOOL;
    /// `false` stops recording, at next to no cost; central configuration is still polled, and can switch it on again.
    recording: bool = "true", BOOL, dynamic;
    /// `false` switches spans of the integrations off; spans, transactions and errors by hand are still recorded.
    instrument: bool = "true", BOOL;
    /// `true` sends no events, but keeps ids on log lines and passes traces on to other services, under the caller's id
    /// where there is one. Central configuration is still polled.
    context_propagation_only: bool = "false", BOOL, dynamic;
    /// `true` records as usual, but never contacts the server.
    disable_send: bool = "false", BOOL;
    /// Whether the server is asked for central configuration.
    central_config: bool = "true", BOOL;
    /// Whether central configuration may make the agent record more of what requests and logs contain than the
    /// service's own configuration does: `capture_body`, `capture_headers`, `log_sending`, and a `sanitize_field_names`
    /// that leaves out patterns of the local list. Without it such a setting is refused with one line in the log, and
    /// the server shows it as not applied. To record less is always allowed.
    remote_capture: bool = "false", BOOL;
    /// A file of lines `option = value`; `#` begins a comment. It can be given by environment or code.
    config_file: Option<PathBuf> = "", PATH;
    /// The least severe lines that the agent logs about itself, through the `log` crate with target `apm_agent`.
    log_level: LogLevel = "info", LOG_LEVEL, dynamic, always_logged;
}
"Server" {
    /// The server's address, with a path if there is a prefix.
    server_url: Url = "http://127.0.0.1:8200", SERVER_URL, always_logged;
    /// Several servers, used instead of `server_url`: the next one takes over when one fails. One that is no URL is
    /// left out, with a warning.
    server_urls: Vec<Url> = "", SERVER_URLS;
    /// The server's secret token. Blanks and line breaks around it are left out, as files have them at their ends.
    secret_token: Option<Secret> = "", SECRET, secret;
    /// An API key, used instead of `secret_token`.
    api_key: Option<Secret> = "", SECRET, secret;
    /// `false` accepts any server certificate. For tests; see `server_cert` and `server_ca_cert_file` for better ways.
    verify_server_cert: bool = "true", BOOL;
    /// A PEM file: the server's certificate must be this very one; nothing else about it is checked.
    server_cert: Option<PathBuf> = "", PATH;
    /// A PEM file of certificate authorities, trusted instead of the system's.
    server_ca_cert_file: Option<PathBuf> = "", PATH;
    /// The longest time of a request to the server before it is given up; its events are then dropped and counted. `0s`
    /// waits as long as it takes, up to an hour: meanwhile nothing else is sent.
    server_timeout: Duration = "5s", TIMEOUT;
    /// The longest time that an event waits before it is sent.
    api_request_time: Duration = "10s", DURATION, dynamic;
    /// The size of a request's compressed body above which the next request begins.
    api_request_size: usize = "768kb", SIZE, dynamic;
    /// The memory that events may take while the server is slow or away. Above it, the oldest events are dropped and
    /// counted, errors last. What is being written and sent comes on top: up to 256 kb for each of at most 17 buffers.
    api_buffer_size: usize = "8mb", SIZE;
    /// `true` does not ask the server for its version.
    skip_server_info: bool = "false", BOOL;
}
"Transactions and HTTP" {
    /// The share of traces that is recorded in full, from 0 to 1, in steps of 0.0001.
    transaction_sample_rate: SampleRate = "1", RATE, dynamic;
    /// The number of spans of a transaction that are kept; more are counted and summed up by destination.
    transaction_max_spans: u32 = "500", COUNT, dynamic;
    /// Paths of requests that are not recorded at all, such as `/health*`.
    transaction_ignore_urls: WildcardList = "", WILDCARDS, dynamic;
    /// User agents whose requests are not recorded at all, such as `*probe*`.
    transaction_ignore_user_agents: WildcardList = "", WILDCARDS, dynamic;
    /// A transaction whose name fits one of these patterns is named after the pattern; the first one counts.
    transaction_name_groups: WildcardList = "", WILDCARDS, dynamic;
    /// The events that carry the request's body, up to `long_field_max_length` characters. While it is `off`, bodies
    /// are not touched.
    capture_body: CaptureBody = "off", CAPTURE_BODY, dynamic;
    /// Whether the headers of requests and responses are recorded. Without them the server knows no user agent and no
    /// forwarded address.
    capture_headers: bool = "true", BOOL, dynamic;
    /// Whether a request's address is that which the client asked a proxy for: the scheme and the host of `Forwarded`,
    /// or of `X-Forwarded-Proto` and `X-Forwarded-Host`. Only behind a proxy that sets or removes these headers:
    /// without one, clients choose them.
    use_forwarded_headers: bool = "false", BOOL, dynamic;
    /// Names of headers, cookies, form fields and parameters of URLs whose values are replaced by `[REDACTED]`. A new
    /// list replaces this one.
    sanitize_field_names: WildcardList = "password, passwd, pwd, secret, *key, *token*, *session*, \
        *credit*, *card*, *auth*, set-cookie, \
        *principal*, pw, pass, connect.sid, *password*, *secret*, *passphrase*, *credential*, *signature*, \
        *jwt*, *csrf*, *xsrf*, *hmac*, *sessid*, sid, sig, otp, cvv, cvc, saml*, awsaccesskeyid",
        WILDCARDS, dynamic;
    /// The meaning of an incoming `traceparent`: `continue` joins its trace, `restart` begins a new one and links to
    /// it, `restart_external` joins only traces of Elastic's agents.
    trace_continuation_strategy: ContinuationStrategy = "continue", CONTINUATION, dynamic;
    /// Hosts (`host` or `host:port`) to which no `traceparent` is sent.
    trace_context_ignore_hosts: WildcardList = "", WILDCARDS, dynamic;
    /// Whether a handler's panic is answered with status 500, instead of a closed connection.
    catch_panics: bool = "false", BOOL;
}
"Spans" {
    /// Whether runs of short, equal exit spans become one. `false` keeps a bar for each statement.
    span_compression_enabled: bool = "true", BOOL, dynamic;
    /// The longest spans that are compressed where type, destination and name are equal.
    span_compression_exact_match_max_duration: Duration = "50ms", DURATION, dynamic;
    /// The longest spans that are compressed where only type and destination are equal.
    span_compression_same_kind_max_duration: Duration = "0ms", DURATION, dynamic;
    /// Whether SELECTs carry the label `bind_hash`, by which calls with the same bind values are told from calls with
    /// others. The hash is keyed: its key is random, made by each process, and never sent. The values themselves are
    /// never sent.
    capture_bind_hash: bool = "true", BOOL;
    /// Whether all literals in SQL are replaced by `?` before it is sent, in statements and in the SQL of messages.
    /// Literals of statements that hold a word such as `password`, and the values of `PRAGMA key`, are replaced in any
    /// case.
    sanitize_sql: bool = "false", BOOL;
    /// URLs of PostgreSQL, MariaDB and MySQL by which the agent asks for the plans of statements
    /// (`postgres://reader:…@host/database`, `mysql://…`), each for traced connections to the database of its name.
    /// Give a user who may only read. The agent asks on a thread and a connection of its own, which it sets to
    /// read-only; nothing is run but `EXPLAIN`. SQLite needs no URL. A URL that cannot be used is left out, with a
    /// warning.
    sql_plan_urls: Vec<Secret> = "", DATABASE_URLS, secret;
    /// Exit spans shorter than this are not sent, but counted and summed up by destination.
    exit_span_min_duration: Duration = "0ms", FINE_DURATION, dynamic;
    /// Spans at least this long carry a stack trace: `0ms` means all, a negative value none, as stack traces cost
    /// more than all the rest of a span. Elastic's other agents often take `5ms`.
    span_stack_trace_min_duration: Option<Duration> = "-1ms", THRESHOLD, dynamic;
    /// The number of frames of a stack trace that are kept; `0` takes no stack traces, `-1` keeps all.
    stack_trace_limit: Option<usize> = "50", LIMIT, dynamic;
}
"Errors" {
    /// Whether panics become error events. For this the agent sets the panic hook of the process, which calls the hook
    /// that was there before.
    capture_panics: bool = "true", BOOL;
    /// Whether log records of level `error` become error events.
    capture_log_errors: bool = "true", BOOL;
    /// Types of errors that are not recorded, such as `*ConnectionReset*`.
    filter_exception_types: WildcardList = "", WILDCARDS;
    /// Source files that belong to the application wherever they are; stronger than `exclude_paths`.
    include_paths: WildcardList = "", WILDCARDS;
    /// Source files that do not belong to the application, beside those of Rust itself and of crates from a registry.
    exclude_paths: WildcardList = "", WILDCARDS;
    /// The number of source lines that go with an error's frame in the application, if the file is there.
    source_lines_error_app_frames: u32 = "5", COUNT;
    /// The same for frames of libraries.
    source_lines_error_library_frames: u32 = "0", COUNT;
    /// The same for frames of spans in the application.
    source_lines_span_app_frames: u32 = "0", COUNT;
    /// The same for frames of spans in libraries.
    source_lines_span_library_frames: u32 = "0", COUNT;
    /// The longest statements, bodies and messages, in characters.
    long_field_max_length: u32 = "10000", COUNT;
}
"Metrics" {
    /// The interval at which metrics are sent; `0s` sends none.
    metrics_interval: Duration = "30s", INTERVAL;
    /// Names of metrics that are not sent.
    disable_metrics: WildcardList = "", WILDCARDS;
    /// Whether the time spent in each kind of span is sent as metrics.
    breakdown_metrics: bool = "true", BOOL;
}
"Logs" {
    /// `override` writes the service's log lines as ECS JSON.
    log_ecs_reformatting: LogEcsReformatting = "off", LOG_ECS_REFORMATTING;
    /// Whether the service's log lines are also sent to the server.
    log_sending: bool = "false", BOOL, dynamic;
}
        }
    };
}

pub(crate) use option_table;

option_table!(options);

/// An option that Kibana offers under an older name, where zero means never and a negative value always.
pub(super) const LEGACY_STACK_TRACES: (&str, &str) =
    ("span_frames_min_duration", "span_stack_trace_min_duration");

/// Options that had another name, here or in the agents of other languages, and what they are called.
pub(super) const OLD_NAMES: &[(&str, &str)] = &[
    ("active", "enabled"),
    ("ignore_urls", "transaction_ignore_urls"),
    LEGACY_STACK_TRACES,
];
