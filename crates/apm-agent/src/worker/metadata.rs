//! The metadata line: the first line of every request to the server, which says who sends.
//!
//! Collected once, at start, from memory and small files under `/proc` and `/etc`: no DNS, no network. What a cloud's
//! metadata service knows comes later, from the agent's thread.

pub(crate) mod cloud;
mod container;
mod process;
mod service;
mod system;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Settings;
use crate::encode::fit;
use cloud::Cloud;
use process::Process;
use service::Service;
use system::System;

/// Everything that is known of this process.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Metadata {
    service: Service,
    process: Process,
    system: System,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<Cloud>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// The name and the version of the web framework that an integration serves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framework {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Metadata {
    /// Reads what there is to read. A configured framework is stronger than the integration's.
    pub(crate) fn collect(settings: &Settings, framework: Option<Framework>) -> Self {
        let labels = settings
            .global_labels
            .iter()
            .map(|(key, value)| (label_key(key), keyword(value)))
            .collect();
        Self {
            service: Service::new(settings, framework),
            process: Process::current(
                settings.include_process_args,
                &settings.sanitize_field_names,
            ),
            system: System::current(settings.hostname.as_deref()),
            cloud: None,
            labels,
        }
    }

    pub(crate) fn set_cloud(&mut self, cloud: Cloud) {
        self.cloud = Some(cloud);
    }

    /// The host's name, as far as it is known.
    pub(crate) fn hostname(&self) -> &str {
        self.system.hostname()
    }

    /// The NDJSON line. Servers of version 8.7.0, and only those, refuse `activation_method`.
    pub(crate) fn line(&self, activation_method: bool) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'m> {
            metadata: &'m Metadata,
        }
        let mut stripped;
        let metadata = if activation_method {
            self
        } else {
            stripped = self.clone();
            stripped.service.hide_activation_method();
            &stripped
        };
        // Maps with text keys and numbers: there is nothing that could fail.
        let mut line = serde_json::to_vec(&Line { metadata }).unwrap_or_default();
        line.push(b'\n');
        if line.len() > MAX_LINE {
            line = fit::shortened(&line, MAX_LINE).unwrap_or(line);
        }
        line
    }
}

/// The longest line, in bytes: it stands in every request. The server takes more.
const MAX_LINE: usize = 64 * 1024;
/// The longest keyword that the server takes, in characters.
const MAX_KEYWORD: usize = 1024;

/// Cuts a text to a keyword's length; an ellipsis shows that it was cut.
fn keyword(text: &str) -> String {
    match text.char_indices().nth(MAX_KEYWORD - 1) {
        Some((at, _)) if text[at..].chars().nth(1).is_some() => format!("{}…", &text[..at]),
        _ => text.to_owned(),
    }
}

/// Keys of labels must not hold the characters that Elasticsearch gives a meaning.
fn label_key(key: &str) -> String {
    key.replace(['.', '*', '"'], "_")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::{Config, LocalSources};

    fn metadata(code: &[(&str, &str)]) -> Value {
        let code = code
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let (config, warnings) = Config::resolve(LocalSources {
            code,
            ..LocalSources::default()
        });
        assert_eq!(warnings, [""; 0]);
        let framework = Framework {
            name: "actix-web",
            version: "4",
        };
        let line = Metadata::collect(&config.load(), Some(framework)).line(true);
        assert_eq!(
            line.iter().position(|&byte| byte == b'\n'),
            Some(line.len() - 1)
        );
        serde_json::from_slice::<Value>(&line).unwrap()["metadata"].take()
    }

    #[test]
    fn the_line_names_service_process_and_host() {
        let long = "x".repeat(2_000);
        let labels = format!("team=shop,a.b*c=1,long={long}");
        let metadata = metadata(&[
            ("service_name", "my-app-01"),
            ("service_version", "1.2.3"),
            ("environment", "staging"),
            ("service_node_name", "node-7"),
            ("global_labels", &labels),
            ("hostname", "configured"),
        ]);
        let text = |pointer: &str| {
            metadata
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        assert_eq!(text("/service/name"), "my-app-01");
        assert_eq!(text("/service/version"), "1.2.3");
        assert_eq!(text("/service/environment"), "staging");
        assert_eq!(text("/service/node/configured_name"), "node-7");
        assert_eq!(text("/service/agent/name"), "rust");
        assert_eq!(text("/service/agent/version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(text("/service/language/name"), "rust");
        assert_eq!(text("/service/framework/name"), "actix-web");
        assert_eq!(metadata["process"]["pid"], std::process::id());
        assert_eq!(metadata["process"].get("argv"), None);
        assert_eq!(text("/system/configured_hostname"), "configured");
        assert_eq!(text("/system/platform"), std::env::consts::OS);
        assert_eq!(text("/labels/a_b_c"), "1");
        assert_eq!(text("/labels/long").chars().count(), 1024);
        assert!(text("/labels/long").ends_with('…'));
    }

    #[test]
    fn very_many_labels_do_not_make_requests_too_large() {
        let labels: Vec<_> = (0..300)
            .map(|number| format!("l{number}={}", "x".repeat(1000)))
            .collect();
        let metadata = metadata(&[("global_labels", &labels.join(","))]);
        assert!(metadata.to_string().len() < MAX_LINE);
        assert_eq!(
            metadata["labels"].as_object().map(|labels| labels.len()),
            Some(300)
        );
        assert_eq!(metadata["service"]["agent"]["name"], "rust");
    }

    #[test]
    fn arguments_are_sent_only_when_asked_for_and_a_configured_framework_counts() {
        let metadata = metadata(&[
            ("include_process_args", "true"),
            ("framework_name", "mine"),
            ("framework_version", "7"),
        ]);
        assert_eq!(
            metadata["process"]["argv"].as_array().map(Vec::len),
            Some(std::env::args_os().count())
        );
        assert_eq!(
            metadata["service"]["framework"],
            serde_json::json!({"name": "mine", "version": "7"})
        );
        assert_eq!(metadata.get("labels"), None);
    }

    #[test]
    fn one_server_version_gets_no_activation_method() {
        let (config, _) = Config::resolve(LocalSources::default());
        let metadata = Metadata::collect(&config.load(), None);
        let has = |line: Vec<u8>| {
            String::from_utf8(line)
                .unwrap()
                .contains("activation_method")
        };
        assert!(has(metadata.line(true)));
        assert!(!has(metadata.line(false)));
    }

    #[test]
    fn keywords_are_cut_to_exactly_their_limit() {
        assert_eq!(keyword(&"é".repeat(1024)), "é".repeat(1024));
        assert_eq!(keyword(&"é".repeat(1025)), format!("{}…", "é".repeat(1023)));
        assert_eq!(keyword(""), "");
    }
}
