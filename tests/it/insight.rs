//! Findings about the SQL of real services: the article's service and its repair, and a service without faults.

mod article;
mod first_requests;
mod plans;
mod visits;

use std::path::Path;
use std::time::{Duration, Instant};

use apm_agent::{Agent, AgentGuard};
use serde_json::Value;

/// A finding appears within this time of its cause.
const SOON: Duration = Duration::from_secs(120);

/// An APM server that may ask the service's file for plans.
fn start_server(dir: &Path, service: &str) -> apm_server::Running {
    let mut config = apm_server::Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = dir.join("apm.db");
    config.explain = vec![(service.to_owned(), dir.join("people.db"))];
    apm_server::Server::start(config).unwrap()
}

/// An agent with what the demo sets, but for how soon it sends.
fn start_agent(service: &str, server: &apm_server::Running) -> AgentGuard {
    Agent::builder()
        .service_name(service)
        .api_request_time(Duration::from_millis(100))
        .span_compression_enabled(false)
        .metrics_interval(Duration::from_secs(10))
        .server_url(server.url())
        .start()
}

/// A client that keeps its connection.
struct Client(awc::Client);

impl Client {
    fn new() -> Self {
        Self(awc::Client::builder().timeout(SOON).finish())
    }

    async fn get(&self, url: &str) -> Vec<u8> {
        let mut answer = self.0.get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{url}");
        answer
            .body()
            .limit(16 * 1024 * 1024)
            .await
            .unwrap()
            .to_vec()
    }

    async fn json(&self, url: &str) -> Value {
        serde_json::from_slice(&self.get(url).await).unwrap()
    }

    /// All findings, ended ones too.
    async fn findings(&self, server: &apm_server::Running) -> Vec<Value> {
        let found = self
            .json(&format!("{}/api/v1/insights?ended=1", server.url()))
            .await;
        found["insights"].as_array().unwrap().clone()
    }

    /// The finding of a kind about a transaction, once `done` says so; `work` goes on until then.
    async fn until(
        &self,
        server: &apm_server::Running,
        (kind, about): (&str, &str),
        done: impl Fn(&Value) -> bool,
        mut work: impl AsyncFnMut(),
    ) -> Value {
        let start = Instant::now();
        loop {
            let found = self.findings(server).await;
            let hit = found.iter().find(|finding| {
                finding["kind"] == kind && text(&finding["title"]).contains(about) && done(finding)
            });
            if let Some(hit) = hit {
                return hit.clone();
            }
            assert!(
                start.elapsed() < SOON,
                "no {kind} of {about} as expected in {found:#?}"
            );
            work().await;
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}
