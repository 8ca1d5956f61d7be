//! The whole house on free ports, and a client for it.

use std::io::{BufRead as _, BufReader, Read};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use apm_agent::{Agent, AgentGuard};
use clap::Parser as _;
use pocket_apm::cli::Cli;
use pocket_apm::service::Service;
use serde_json::Value;
use tempfile::TempDir;

pub mod sink;

/// The longest time that a test waits for what happens in the background.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A process that ends with the test.
pub struct Ended(Child);

impl Ended {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Lines that it writes to its output from now on.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let output = self.0.stdout.take().unwrap();
        BufReader::new(output).lines().map(Result::unwrap)
    }

    /// Ends it at once, and returns what it has written to its log.
    pub fn kill(mut self) -> String {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        std::io::read_to_string(self.0.stderr.take().unwrap()).unwrap()
    }
}

impl Deref for Ended {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Ended {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program in a directory, with pipes for what it writes. A server that it starts does not listen for OTLP, whose
/// ports are the same for all tests.
pub fn command(program: &str, dir: &TempDir) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(dir.path())
        .env_remove("ELASTIC_APM_SERVER_URL")
        .env("APM_OTLP_LISTEN", "off")
        .env("APM_OTLP_GRPC_LISTEN", "off")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Sends a signal to a process, such as TERM.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "SIG{name}");
}

/// The addresses that a process prints, each in the first line that has its label.
pub fn addresses(output: impl Read, labels: [&str; 2]) -> [String; 2] {
    let mut lines = BufReader::new(output).lines().map(Result::unwrap);
    labels.map(|label| {
        let line = lines.find(|line| line.contains(label)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    })
}

/// The service with its agent, sending to an APM server of its own.
pub struct TestApp {
    pub url: String,
    pub apm_url: String,
    pub agent: AgentGuard,
    _service: Service,
    _server: apm_server::Running,
    _dir: TempDir,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same, with options of the service as on its command line.
    pub async fn with(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = start_server("127.0.0.1:0", &dir);
        let agent = agent(&server.url());
        let service = start_service(&dir.path().join("people.db"), &agent, options);
        Self::new(server, agent, service, dir)
    }

    /// Starts the APM server for a service whose agent already sends to its address.
    pub fn around(apm: &str, agent: AgentGuard, service: Service, dir: TempDir) -> Self {
        Self::new(start_server(apm, &dir), agent, service, dir)
    }

    fn new(server: apm_server::Running, agent: AgentGuard, service: Service, dir: TempDir) -> Self {
        Self {
            url: format!("http://{}", service.addr),
            apm_url: server.url(),
            agent,
            _service: service,
            _server: server,
            _dir: dir,
        }
    }

    /// Discover's documents for a query, once there are `n` of them.
    pub async fn discover(&self, query: &str, n: usize) -> Vec<Value> {
        let query = query.replace('"', "%22").replace(' ', "%20");
        let path = format!("/api/v1/discover?q={query}&from=now-15m&to=now&size=500");
        let found = self
            .api_until(&path, |found| found["total"].as_u64() >= Some(n as u64))
            .await;
        assert_eq!(found["total"], n, "{query}: {found:#}");
        found["hits"].as_array().unwrap().clone()
    }

    /// The documents of spans of statements, once there are `n` of them. A wait for a connection is a span, too, and a
    /// busy machine makes a request wait.
    pub async fn statements(&self, n: usize) -> Vec<Value> {
        let query = "processor.event:span and not span.action:checkout";
        self.discover(query, n).await
    }

    /// The JSON of one of the APM server's API pages, as soon as it satisfies `done`.
    pub async fn api_until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let url = format!("{}{path}", self.apm_url);
        let started = Instant::now();
        loop {
            let json: Value = serde_json::from_str(&get(&url).await.body).unwrap();
            if done(&json) {
                return json;
            }
            assert!(started.elapsed() < DEADLINE, "{url} still answers {json:#}");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(
            self.agent.shutdown(DEADLINE),
            "the agent could not hand over its events"
        );
        let stats = self.agent.stats();
        assert_eq!(
            stats.recorded,
            stats.accepted + stats.dropped_total(),
            "events were lost: {stats:?}"
        );
    }
}

fn start_server(listen: &str, dir: &TempDir) -> apm_server::Running {
    let mut config = apm_server::Config::default();
    config.listen = listen.to_owned();
    config.database = dir.path().join("apm.db");
    apm_server::Server::start(config).unwrap()
}

/// An agent with the demo's settings.
pub fn agent(server_url: &str) -> AgentGuard {
    Agent::builder()
        .service_name("my-app-01")
        .api_request_time(Duration::from_millis(100))
        .span_compression_enabled(false)
        .metrics_interval(Duration::ZERO)
        .server_url(server_url)
        .start()
}

/// The service on a free port, with options as on its command line.
pub fn start_service(database: &std::path::Path, agent: &Agent, options: &[&str]) -> Service {
    let database = database.to_str().unwrap();
    let fixed = [
        "pocket-apm",
        "--listen",
        "127.0.0.1:0",
        "--workers",
        "2",
        "--database",
        database,
    ];
    let cli = Cli::try_parse_from(fixed.iter().chain(options)).unwrap();
    Service::start(&cli.service, agent).unwrap()
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub allow: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub async fn get(url: &str) -> Answer {
    request("GET", url, &[]).await
}

pub async fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = awc::Client::builder()
        .timeout(DEADLINE)
        .finish()
        .request(method.parse().unwrap(), url);
    for header in headers {
        request = request.insert_header(*header);
    }
    let mut response = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let (status, content_type, allow) = (
        response.status().as_u16(),
        header("content-type"),
        header("allow"),
    );
    let body = String::from_utf8(response.body().await.unwrap().to_vec()).unwrap();
    Answer {
        status,
        content_type,
        allow,
        body,
    }
}
