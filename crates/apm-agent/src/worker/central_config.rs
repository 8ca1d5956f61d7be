//! Central configuration: what an operator sets on the server, polled and applied while the service runs.
//!
//! Nothing that the server answers can harm the service: what is not understood is logged and left out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH};
use serde_json::{Map, Value};

use crate::recording::recorder::Recorder;
use crate::util::own_log;
use crate::worker::client::{Client, read_limited};

/// The pause where the server does not say how long its answer holds.
const USUAL: Duration = Duration::from_secs(300);
/// The shortest pause, whatever the server says.
const SHORTEST: Duration = Duration::from_secs(5);
/// The longest pause, whatever the server says.
const LONGEST: Duration = Duration::from_secs(3600);

/// The answer to a poll.
enum Answer {
    Unchanged,
    New {
        settings: BTreeMap<String, String>,
        etag: Option<String>,
    },
    /// Not offered: an old server, or one where it is switched off.
    NotOffered(u16),
    Failed(String),
}

/// Polls until the agent ends.
pub(crate) async fn poll(recorder: Arc<Recorder>, client: Arc<Client>) {
    let mut etag = None;
    let mut failing = false;
    loop {
        let (answer, pause) = ask(&recorder, &client, etag.as_deref()).await;
        match answer {
            Answer::Unchanged => failing = false,
            Answer::New {
                settings,
                etag: new,
            } => {
                failing = false;
                // The tag tells the server that its settings are in force: it is kept back where some are not. The
                // answer then comes in full each time, and is as small.
                etag = new.filter(|_| apply(&recorder, &settings));
            }
            Answer::NotOffered(status) => {
                own_log::debug(format_args!(
                    "the APM server offers no central configuration: it answered {status}"
                ));
            }
            Answer::Failed(why) => {
                if std::mem::replace(&mut failing, true) {
                    own_log::debug(format_args!(
                        "central configuration is still not read: {why}"
                    ));
                } else {
                    own_log::warn(format_args!(
                        "central configuration cannot be read, local values stay in force: {why}"
                    ));
                }
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// Asks once; the second part is when to ask again.
async fn ask(recorder: &Recorder, client: &Client, etag: Option<&str>) -> (Answer, Duration) {
    let settings = recorder.config.snapshot();
    let Ok(mut url) = reqwest::Url::parse(&format!("{}/config/v1/agents", client.url())) else {
        return (
            Answer::Failed("the server's address is no URL".to_owned()),
            USUAL,
        );
    };
    url.query_pairs_mut()
        .append_pair("service.name", &settings.service_name);
    if let Some(environment) = &settings.environment {
        url.query_pairs_mut()
            .append_pair("service.environment", environment);
    }
    let mut request = client.get_url(url);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let response = match request.send().await {
        Ok(response) => response,
        // The sender warns of a server that is away.
        Err(_) => return (Answer::NotOffered(0), USUAL),
    };
    let pause = pause(response.headers());
    let status = response.status().as_u16();
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|etag| etag.to_str().ok())
        .map(str::to_owned);
    let answer = match status {
        304 => Answer::Unchanged,
        200 => match parse(&read_limited(response).await) {
            Some(settings) => Answer::New { settings, etag },
            None => Answer::Failed("the answer is not a JSON object".to_owned()),
        },
        500.. => Answer::Failed(format!("the server answered {status}")),
        _ => Answer::NotOffered(status),
    };
    (answer, pause)
}

/// The settings as texts. An empty answer is an empty configuration.
fn parse(body: &[u8]) -> Option<BTreeMap<String, String>> {
    if body.trim_ascii().is_empty() {
        return Some(BTreeMap::new());
    }
    let object: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(
        object
            .into_iter()
            .map(|(key, value)| (key, text(value)))
            .collect(),
    )
}

/// The time for which the answer holds: `Cache-Control: max-age=30`.
fn pause(headers: &HeaderMap) -> Duration {
    let directives = headers
        .get(CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let age = directives.split(',').find_map(|directive| {
        directive
            .trim()
            .strip_prefix("max-age=")?
            .trim()
            .parse()
            .ok()
    });
    match age {
        // A server that answers 0 forbids caches, and does not want to be asked all the time.
        None | Some(0) => USUAL,
        Some(seconds) => Duration::from_secs(seconds).clamp(SHORTEST, LONGEST),
    }
}

/// Applies what can be applied; `true` when that is all.
fn apply(recorder: &Recorder, settings: &BTreeMap<String, String>) -> bool {
    let update = recorder.config.apply_central(settings);
    for warning in &update.warnings {
        own_log::warn(format_args!("{warning}"));
    }
    for change in &update.changes {
        own_log::info(format_args!("configuration changed: {change}"));
    }
    if !update.changes.is_empty() {
        recorder.settings_changed();
    }
    update.complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_when_to_ask_again_within_reason() {
        let table = [
            ("max-age=30", 30),
            ("must-revalidate, max-age=30", 30),
            ("max-age=1", 5),
            ("max-age=18446744073709551615", 3600),
            ("max-age=0", 300),
            ("max-age=-7", 300),
            ("max-age=soon", 300),
            ("no-store", 300),
        ];
        for (header, seconds) in table {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, header.parse().unwrap())]);
            assert_eq!(pause(&headers), Duration::from_secs(seconds), "{header}");
        }
        assert_eq!(pause(&HeaderMap::new()), USUAL);
    }

    #[test]
    fn only_an_object_is_a_configuration() {
        assert_eq!(parse(b"{}"), Some(BTreeMap::new()));
        assert_eq!(parse(b""), Some(BTreeMap::new()));
        assert_eq!(parse(b"<html>"), None);
        assert_eq!(parse(b"[1]"), None);
        let parsed = parse(br#"{"recording":"false","transaction_max_spans":7}"#).unwrap();
        assert_eq!(parsed["recording"], "false");
        assert_eq!(parsed["transaction_max_spans"], "7");
    }
}
