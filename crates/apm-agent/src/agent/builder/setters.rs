//! A method of the builder for each option, with the type of the option's values.
//!
//! A value becomes the text that the environment would have for it, so that there is one way from a text to a setting,
//! with its checks, its warnings and its line in the start-up log.

use std::path::Path;
use std::time::Duration;

use super::Builder;
use crate::config::option_table;
use crate::config::{CaptureBody, CloudProvider, LogEcsReformatting, LogLevel};
use crate::trace::propagation::ContinuationStrategy;
use crate::util::list::join;

/// Writes one method: its documentation, its name, its default, and by the kind of the option its type and its text.
macro_rules! setter {
    ($docs:tt $key:ident $default:tt BOOL) => {
        setter!(@method $docs $key $default, bool, |it: bool| it.to_string());
    };
    ($docs:tt $key:ident $default:tt COUNT) => {
        setter!(@method $docs $key $default, u32, |it: u32| it.to_string());
    };
    ($docs:tt $key:ident $default:tt SIZE) => {
        setter!(@method $docs $key $default, usize, |bytes: usize| format!("{bytes}b"));
    };
    ($docs:tt $key:ident $default:tt LIMIT) => {
        setter!(@method $docs $key $default, Option<usize>,
            |it: Option<usize>| it.map_or_else(|| "-1".to_owned(), |it| it.to_string()));
    };
    ($docs:tt $key:ident $default:tt RATE) => {
        setter!(@method $docs $key $default, f64, |it: f64| it.to_string());
    };
    ($docs:tt $key:ident $default:tt PATH) => {
        setter!(@method $docs $key $default, impl AsRef<Path>, |it| path(&it));
    };
    ($docs:tt $key:ident $default:tt MAPPING) => {
        setter!(@method $docs $key $default,
            impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>, |it| mapping(it));
    };
    ($docs:tt $key:ident $default:tt SERVER_URLS) => {
        setter!(@method $docs $key $default, impl IntoIterator<Item = impl Into<String>>, |it| join(it));
    };
    ($docs:tt $key:ident $default:tt DATABASE_URLS) => {
        setter!(@method $docs $key $default, impl IntoIterator<Item = impl Into<String>>, |it| join(it));
    };
    ($docs:tt $key:ident $default:tt WILDCARDS) => {
        setter!(@method $docs $key $default, impl IntoIterator<Item = impl Into<String>>, |it| join(it));
    };
    ($docs:tt $key:ident $default:tt DURATION) => {
        setter!(@method $docs $key $default, Duration, |it| millis(it));
    };
    ($docs:tt $key:ident $default:tt INTERVAL) => {
        setter!(@method $docs $key $default, Duration, |it| millis(it));
    };
    ($docs:tt $key:ident $default:tt TIMEOUT) => {
        setter!(@method $docs $key $default, Duration, |it| millis(it));
    };
    ($docs:tt $key:ident $default:tt FINE_DURATION) => {
        setter!(@method $docs $key $default, Duration, |it: Duration| format!("{}us", it.as_micros()));
    };
    ($docs:tt $key:ident $default:tt THRESHOLD) => {
        setter!(@method $docs $key $default, Option<Duration>,
            |it: Option<Duration>| it.map_or_else(|| "-1ms".to_owned(), millis));
    };
    ($docs:tt $key:ident $default:tt CAPTURE_BODY) => {
        setter!(@method $docs $key $default, CaptureBody, |it: CaptureBody| it.word());
    };
    ($docs:tt $key:ident $default:tt CLOUD_PROVIDER) => {
        setter!(@method $docs $key $default, CloudProvider, |it: CloudProvider| it.word());
    };
    ($docs:tt $key:ident $default:tt CONTINUATION) => {
        setter!(@method $docs $key $default, ContinuationStrategy, |it: ContinuationStrategy| it.word());
    };
    ($docs:tt $key:ident $default:tt LOG_LEVEL) => {
        setter!(@method $docs $key $default, LogLevel, |it: LogLevel| it.word());
    };
    ($docs:tt $key:ident $default:tt LOG_ECS_REFORMATTING) => {
        setter!(@method $docs $key $default, LogEcsReformatting, |it: LogEcsReformatting| it.word());
    };
    // Kinds whose values are texts.
    ($docs:tt $key:ident $default:tt $kind:ident) => {
        setter!(@method $docs $key $default, impl Into<String>, |it| it);
    };
    (@method [$($doc:literal)+] $key:ident $default:tt, $type:ty, $text:expr) => {
        $(#[doc = $doc])+
        #[doc = setter!(@default $default)]
        pub fn $key(self, value: $type) -> Self {
            self.option(stringify!($key), ($text)(value))
        }
    };
    (@default "") => { "" };
    (@default $default:tt) => { concat!("\n\nDefault: `", $default, "`.") };
}

/// Writes the methods of all options.
macro_rules! setters {
    ($($group:literal {$(
        $(#[doc = $doc:literal])+
        $key:ident: $type:ty = $default:tt, $kind:ident $(, $flag:ident)*;
    )+})+) => {
        impl Builder {$($(
            setter!([$($doc)+] $key $default $kind);
        )+)+}
    };
}

option_table!(setters);

/// A duration in milliseconds, rounded up: one that is not zero stays so.
fn millis(duration: Duration) -> String {
    format!("{}ms", duration.as_nanos().div_ceil(1_000_000))
}

/// A path that is not Unicode is written as far as it is, and the log tells which file was not found.
fn path(path: &impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

fn mapping(pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> String {
    let pairs = pairs.into_iter();
    join(pairs.map(|(key, value)| format!("{}={}", key.into(), value.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_arrives_as_it_was_given() {
        let (config, warnings) = Builder::default()
            .service_name("shop")
            .service_version("1,2")
            .global_labels([("team", "a, b"), ("tier", "1")])
            .include_process_args(true)
            .cloud_provider(CloudProvider::Gcp)
            .config_file("")
            .log_level(LogLevel::Warning)
            .server_urls(["http://a.example", "http://b.example/x"])
            .secret_token("s3cret")
            .server_timeout(Duration::ZERO)
            .api_request_time(Duration::from_micros(1_500))
            .api_request_size(4_097)
            .transaction_sample_rate(0.25)
            .transaction_max_spans(7)
            .transaction_ignore_urls(["/a,b*", "/c"])
            .capture_body(CaptureBody::Errors)
            .trace_continuation_strategy(ContinuationStrategy::RestartExternal)
            .exit_span_min_duration(Duration::from_micros(7))
            .span_stack_trace_min_duration(None)
            .stack_trace_limit(None)
            .metrics_interval(Duration::from_secs(10))
            .log_ecs_reformatting(LogEcsReformatting::Override)
            .resolve();
        assert_eq!(warnings, [""; 0]);
        let settings = config.load();
        assert_eq!(settings.service_name, "shop");
        assert_eq!(settings.service_version.as_deref(), Some("1,2"));
        let labels = [("team", "a, b"), ("tier", "1")];
        assert_eq!(
            settings.global_labels,
            labels.map(|(key, value)| (key.into(), value.into()))
        );
        assert!(settings.include_process_args);
        assert_eq!(settings.cloud_provider, CloudProvider::Gcp);
        assert_eq!(settings.log_level, LogLevel::Warning);
        let servers: Vec<_> = settings.servers().iter().map(|url| url.as_str()).collect();
        assert_eq!(servers, ["http://a.example/", "http://b.example/x/"]);
        assert_eq!(
            settings.secret_token.as_ref().map(|it| it.expose()),
            Some("s3cret")
        );
        assert_eq!(settings.server_timeout, Duration::ZERO);
        assert_eq!(
            settings.api_request_time,
            Duration::from_millis(2),
            "rounded up"
        );
        assert_eq!(settings.api_request_size, 4_097);
        assert_eq!(settings.transaction_sample_rate.to_string(), "0.25");
        assert_eq!(settings.transaction_max_spans, 7);
        assert!(settings.transaction_ignore_urls.matches("/a,b/x"));
        assert!(
            !settings.transaction_ignore_urls.matches("b/x")
                && !settings.transaction_ignore_urls.matches("/a")
        );
        assert_eq!(settings.capture_body, CaptureBody::Errors);
        assert_eq!(
            settings.trace_continuation_strategy,
            ContinuationStrategy::RestartExternal
        );
        assert_eq!(settings.exit_span_min_duration, Duration::from_micros(7));
        assert_eq!(settings.span_stack_trace_min_duration, None);
        assert_eq!(settings.stack_trace_limit, None);
        assert_eq!(settings.metrics_interval, Duration::from_secs(10));
        assert_eq!(settings.log_ecs_reformatting, LogEcsReformatting::Override);
    }

    #[test]
    fn a_value_that_is_not_valid_is_reported_and_the_default_counts() {
        let (config, warnings) = Builder::default()
            .transaction_sample_rate(1.5)
            .metrics_interval(Duration::from_millis(10))
            .resolve();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(config.load().transaction_sample_rate.to_string(), "1");
        assert_eq!(config.load().metrics_interval, Duration::from_secs(30));
    }
}
