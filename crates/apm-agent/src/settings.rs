//! The few settings that the core reads, until the option table takes over.

use std::time::Duration;

use crate::compression::Thresholds;
use crate::sampler::SampleRate;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) server_url: String,
    pub(crate) secret_token: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) service_name: String,
    pub(crate) service_version: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) recording: bool,
    pub(crate) disable_send: bool,
    pub(crate) capture_headers: bool,
    pub(crate) api_request_time: Duration,
    pub(crate) server_timeout: Duration,
    pub(crate) sample_rate: SampleRate,
    pub(crate) transaction: TransactionSettings,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionSettings {
    pub(crate) transaction_max_spans: u32,
    pub(crate) span_compression_enabled: bool,
    pub(crate) exact_match: Duration,
    pub(crate) same_kind: Duration,
    pub(crate) exit_span_min_duration: Duration,
    pub(crate) breakdown_metrics: bool,
}

impl TransactionSettings {
    pub(crate) fn thresholds(self) -> Thresholds {
        Thresholds {
            exact_match: self.exact_match,
            same_kind: self.same_kind,
        }
    }
}

impl Settings {
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let flag = |key: &str, default: bool| get(key).map_or(default, |text| text == "true");
        let duration = |key: &str, default: Duration| {
            get(key)
                .and_then(|text| parse_duration(&text))
                .unwrap_or(default)
        };
        Self {
            server_url: get("server_url").unwrap_or_else(|| "http://127.0.0.1:8200".to_owned()),
            secret_token: get("secret_token"),
            api_key: get("api_key"),
            service_name: get("service_name").unwrap_or_else(|| "unknown-rust-service".to_owned()),
            service_version: get("service_version"),
            environment: get("environment"),
            enabled: flag("enabled", true),
            recording: flag("recording", true),
            disable_send: flag("disable_send", false),
            capture_headers: flag("capture_headers", true),
            api_request_time: duration("api_request_time", Duration::from_secs(10)),
            server_timeout: duration("server_timeout", Duration::from_secs(5)),
            sample_rate: get("transaction_sample_rate")
                .and_then(|text| SampleRate::parse(&text))
                .unwrap_or(SampleRate::ALL),
            transaction: TransactionSettings {
                transaction_max_spans: get("transaction_max_spans")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(500),
                span_compression_enabled: flag("span_compression_enabled", true),
                exact_match: duration(
                    "span_compression_exact_match_max_duration",
                    Duration::from_millis(50),
                ),
                same_kind: duration("span_compression_same_kind_max_duration", Duration::ZERO),
                exit_span_min_duration: duration("exit_span_min_duration", Duration::ZERO),
                breakdown_metrics: flag("breakdown_metrics", true),
            },
        }
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        _ => None,
    }
}
