//! A server of one's own, on a free port and an empty database.

use std::time::{Duration, Instant};

use actix_http::header::HeaderMap;
use apm_server::{Config, Running, Server};
use awc::Client;
use serde_json::Value;
use tempfile::TempDir;

/// A running server; stop it with [`TestServer::stop`].
pub(crate) struct TestServer {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) directory: TempDir,
}

/// An answer, its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON; null where it is empty.
    pub(crate) fn json(&self) -> Value {
        match self.text.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&self.text)
                .unwrap_or_else(|error| panic!("{error}: {}", self.text)),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the database");
        let mut config = Config::default();
        config.listen = "127.0.0.1:0".to_owned();
        config.database = directory.path().join("apm.db");
        config.workers = 1;
        // A test is about what is found. On a busy machine, the time of a search would decide that.
        config.search_time = Duration::from_secs(10);
        change(&mut config);
        let running = Server::start(config).expect("the server starts");
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .disable_redirects()
            .finish();
        Self {
            running,
            client,
            directory,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.running.url() + path
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<actix_web::web::Bytes>,
    ) -> Answer {
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, self.url(path)).no_decompress();
        for header in headers {
            request = request.insert_header(*header);
        }
        let mut response = request.send_body(body.into()).await.expect("an answer");
        let text = response.body().limit(64 << 20).await.expect("its body");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::from_utf8(text.to_vec()).expect("UTF-8"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("Accept", "application/json")], "")
            .await
    }

    /// The documents that Discover finds now, at most a hundred.
    pub(crate) async fn found(&self, query: &str) -> Vec<Value> {
        let query = query
            .replace(' ', "%20")
            .replace('"', "%22")
            .replace(':', "%3A");
        let path = format!("/api/v1/discover?q={query}&from=now-1h&to=now%2B1m&size=100");
        let found = self.get(&path).await;
        assert_eq!(found.status, 200, "{}", found.text);
        found.json()["hits"].as_array().cloned().unwrap_or_default()
    }

    /// Sends a body to the intake, asking for the count.
    pub(crate) async fn intake(&self, body: impl Into<actix_web::web::Bytes>) -> Answer {
        let headers = [
            ("Content-Type", "application/x-ndjson"),
            ("Accept", "application/json"),
        ];
        self.send("POST", "/intake/v2/events?verbose", &headers, body)
            .await
    }

    pub(crate) async fn stop(self) {
        self.running.stop(true).await;
        drop(self.directory);
    }
}

/// Asks until the answer is yes; fails after a minute.
pub(crate) async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ask().await {
        assert!(Instant::now() < deadline, "in vain waited for: {what}");
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
}
