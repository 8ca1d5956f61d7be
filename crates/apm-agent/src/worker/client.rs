//! Requests to the server: addresses, credentials, TLS, and what an answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use serde::Deserialize;
use tokio::sync::Notify;

use crate::config::{Snapshot, without_password};
use crate::recording::buffers::Body;
use crate::worker::refusal::{Credential, Kinds};
use crate::worker::tls::{self, TlsError, Trust};

/// Below every server's own idle time-out (APM Server: 45 s, ours and proxies: less): a connection that the server is
/// about to close would lose the batch that is sent on it.
const IDLE: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(5);
/// For requests that are not events, where `server_timeout` has no limit.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Bytes of an answer that are read; more is not needed to say what is wrong.
const ANSWER_BYTES: usize = 64 * 1024;
/// Characters of an answer that are repeated in the log.
const ANSWER_SHOWN: usize = 1000;

/// The part of the configuration that the client needs, as it was at the start.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Base addresses without a slash at the end, at least one.
    pub(crate) urls: Vec<String>,
    /// The whole `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The kind of the credential in the header.
    pub(crate) credential: Credential,
    pub(crate) user_agent: String,
    /// For a whole request; `None` is no limit.
    pub(crate) timeout: Option<Duration>,
    pub(crate) trust: Trust,
}

impl Endpoint {
    /// Takes it from the settings. An API key beats a token.
    pub(crate) fn new(settings: &Snapshot) -> Self {
        let authorization = match (&settings.api_key, &settings.secret_token) {
            (Some(key), _) => Some(format!("ApiKey {}", key.expose())),
            (None, Some(token)) => Some(format!("Bearer {}", token.expose())),
            (None, None) => None,
        };
        let source = |key| settings.source_of(key).to_string();
        let credential = match (&settings.api_key, &settings.secret_token) {
            (Some(_), _) => Credential::ApiKey(source("api_key")),
            (None, Some(_)) => Credential::SecretToken(source("secret_token")),
            (None, None) => Credential::None,
        };
        let timeout = settings.server_timeout;
        Self {
            urls: settings
                .servers()
                .iter()
                .map(|url| url.as_str().trim_end_matches('/').to_owned())
                .collect(),
            authorization,
            credential,
            user_agent: user_agent(&settings.service_name, settings.service_version.as_deref()),
            timeout: (!timeout.is_zero()).then_some(timeout),
            trust: Trust {
                server_cert: settings.server_cert.clone(),
                server_ca_cert_file: settings.server_ca_cert_file.clone(),
                verify: settings.verify_server_cert,
                needed: settings.servers().iter().any(|url| url.scheme() == "https"),
            },
        }
    }
}

/// `apm-agent-rust/1.2.3 (my-service 4.5)`: what the grammar of the header does not allow in a comment becomes `_`.
fn user_agent(service: &str, version: Option<&str>) -> String {
    const AGENT: &str = concat!("apm-agent-rust/", env!("CARGO_PKG_VERSION"));
    let allowed =
        |c: char| matches!(c, '\t' | ' '..='\'' | '*'..='[' | ']'..='~' | '\u{80}'..='\u{ff}');
    let clean = |text: &str| -> String {
        text.chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect()
    };
    match version {
        Some(version) => format!("{AGENT} ({} {})", clean(service), clean(version)),
        None => format!("{AGENT} ({})", clean(service)),
    }
}

/// Credentials stay out of debug output.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ClientError {
    #[error("no secure connection can be set up")]
    Tls(#[from] TlsError),
    #[error("the HTTP client cannot be built")]
    Http(#[from] reqwest::Error),
}

/// The result of posting a body.
#[derive(Debug)]
pub(crate) enum Posted {
    /// The server read all of it: so many events were accepted.
    Answered(Answer),
    /// It may or may not have arrived.
    Broken(String, Kinds),
    /// There was no time left to wait for an answer.
    Abandoned,
    /// It has not left this machine, and can be sent again.
    Unreached(String, Body),
}

/// An answer to events.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) accepted: u64,
    /// The events in the body, where not all of them were accepted.
    pub(crate) refused: Option<Kinds>,
    /// The server's message about it.
    pub(crate) message: String,
    /// The time for which the server wants to be left alone.
    pub(crate) pause: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    /// The address in use.
    at: AtomicUsize,
    /// Another address is in use from now on.
    pub(crate) switched: Notify,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        if let Some(mut value) = endpoint
            .authorization
            .as_deref()
            .and_then(|text| HeaderValue::from_str(text).ok())
        {
            // The HTTP library leaves such a value out of its debug output.
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Ok(agent) = HeaderValue::from_bytes(endpoint.user_agent.as_bytes()) {
            headers.insert(reqwest::header::USER_AGENT, agent);
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&endpoint.trust)?)
            .default_headers(headers)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .connect_timeout(connect_timeout(endpoint.timeout))
            .redirect(reqwest::redirect::Policy::none());
        // A proxy would look for a loopback address on its own machine.
        if endpoint.urls.iter().all(|url| is_loopback(url)) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            endpoint,
            at: AtomicUsize::new(0),
            switched: Notify::new(),
        })
    }

    /// The credential by which the agent proves who it is.
    pub(crate) fn credential(&self) -> &Credential {
        &self.endpoint.credential
    }

    /// The address in use.
    pub(crate) fn url(&self) -> &str {
        let urls = &self.endpoint.urls;
        let at = self.at.load(Ordering::Relaxed);
        urls.get(at % urls.len().max(1)).map_or("", String::as_str)
    }

    /// The address in use, for the log: without a password.
    pub(crate) fn shown_url(&self) -> String {
        without_password(self.url())
    }

    /// Uses the next address from now on, if there is one.
    pub(crate) fn next_url(&self) {
        if self.endpoint.urls.len() > 1 {
            self.at.fetch_add(1, Ordering::Relaxed);
            self.switched.notify_one();
        }
    }

    /// Sends events and reads the answer. Returns the memory of the body where it is free again.
    pub(crate) async fn post(&self, body: Body) -> (Posted, Option<Vec<u8>>) {
        let events = body.events;
        let mut request = self
            .http
            .post(format!("{}/intake/v2/events", self.url()))
            .header(CONTENT_TYPE, "application/x-ndjson");
        if let Some(timeout) = self.endpoint.timeout {
            request = request.timeout(timeout);
        }
        let shared = Arc::new(body);
        request = if is_loopback(self.url()) {
            request.body(bytes_of(Arc::clone(&shared)))
        } else {
            request
                .header(CONTENT_ENCODING, "gzip")
                .body(gzip(&shared.bytes))
        };
        let sent = request.send().await;
        let posted = match sent {
            Ok(response) => {
                let status = response.status().as_u16();
                let pause = retry_after(response.headers());
                let (accepted, message) = read_answer(response, status, events).await;
                Posted::Answered(Answer {
                    status,
                    accepted,
                    refused: (accepted < events).then(|| Kinds::count(&shared.bytes)),
                    message,
                    pause,
                })
            }
            // Without a connection nothing has left this machine.
            Err(error) if error.is_connect() => {
                return match Arc::try_unwrap(shared) {
                    Ok(body) => (Posted::Unreached(explain(&error), body), None),
                    // The HTTP client may still hold the bytes.
                    Err(shared) => {
                        let body = Body::clone(&shared);
                        (Posted::Unreached(explain(&error), body), None)
                    }
                };
            }
            Err(error) => Posted::Broken(explain(&error), Kinds::count(&shared.bytes)),
        };
        (posted, Arc::try_unwrap(shared).ok().map(|body| body.bytes))
    }

    /// `GET` of a path below the base address.
    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http
            .get(format!("{}{path}", self.url()))
            .timeout(self.endpoint.timeout.unwrap_or(LONGEST))
    }

    /// `GET` of a whole address.
    pub(crate) fn get_url(&self, url: reqwest::Url) -> reqwest::RequestBuilder {
        self.http
            .get(url)
            .timeout(self.endpoint.timeout.unwrap_or(LONGEST))
    }
}

/// The time for a connection: shorter than that for the whole request. If both ended at once, a body that never left
/// this machine would count as one that may have arrived, and would be lost.
fn connect_timeout(request: Option<Duration>) -> Duration {
    request.map_or(CONNECT, |timeout| CONNECT.min(timeout.mul_f64(0.75)))
}

/// The pause that `Retry-After` asks for in seconds, within reason.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// The body of an answer, up to a sane length.
pub(crate) async fn read_limited(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_BYTES {
            break;
        }
    }
    body
}

/// A client for metadata services, which are on the machine's own link: without encryption, and past every proxy.
pub(crate) fn for_local_services() -> Result<reqwest::Client, ClientError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(&Trust::default())?)
        .no_proxy();
    Ok(builder.build()?)
}

/// Shares a body with the HTTP client without copying it.
fn bytes_of(body: Arc<Body>) -> reqwest::Body {
    struct Shared(Arc<Body>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &self.0.bytes
        }
    }
    reqwest::Body::from(bytes::Bytes::from_owner(Shared(body)))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    // A vector takes every write.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// The number of events that an answer accepts, and its complaint.
async fn read_answer(response: reqwest::Response, status: u16, events: u64) -> (u64, String) {
    #[derive(Deserialize)]
    struct Answer {
        accepted: Option<u64>,
        #[serde(default)]
        errors: Vec<Complaint>,
    }
    #[derive(Deserialize)]
    struct Complaint {
        #[serde(default)]
        message: String,
    }
    let body = read_limited(response).await;
    let success = (200..300).contains(&status);
    match serde_json::from_slice::<Answer>(&body) {
        Ok(answer) => {
            let all = if success { events } else { 0 };
            let messages: Vec<_> = answer
                .errors
                .into_iter()
                .map(|complaint| complaint.message)
                .collect();
            (
                // A server may claim more than there was; counts of drops must not go below zero.
                answer.accepted.unwrap_or(all).min(events),
                shown(&messages.join("; ")),
            )
        }
        Err(_) => {
            let accepted = if success { events } else { 0 };
            (accepted, shown(&String::from_utf8_lossy(&body)))
        }
    }
}

/// A short, printable form of what the server said.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(ANSWER_SHOWN)
        .collect()
}

/// An error with its causes, and without the address, which the caller names.
fn explain(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        String::new()
    };
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if text.is_empty() {
        "the request failed".to_owned()
    } else {
        text
    }
}

/// Whether an address leads to this machine, where compression costs more than it saves.
pub(crate) fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0:0:0:0:0:0:0:1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_keeps_to_the_grammar_of_comments() {
        let agent = user_agent("myService", Some("123(:\\;)456"));
        assert!(agent.ends_with(" (myService 123_:_;_456)"), "{agent}");
        assert!(user_agent("my service", None).ends_with(" (my service)"));
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in [
            "http://localhost:8200",
            "http://127.0.0.1",
            "http://[::1]:8200/apm",
            "http://a:b@localhost/x",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://localhost.example:8200",
            "https://apm.example/localhost",
            "http://[::2]:8200",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
