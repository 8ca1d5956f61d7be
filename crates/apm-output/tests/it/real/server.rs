//! Our server, as a process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::free_port;
use super::http::call;

pub(super) struct Server {
    child: Child,
    port: u16,
    directory: PathBuf,
}

fn binary() -> Command {
    let binary = std::env::var_os("POCKET_APM_BINARY");
    Command::new(binary.expect("POCKET_APM_BINARY names the program: run .ci/engine"))
}

impl Server {
    pub(super) fn start(directory: &Path, engines: &str) -> Self {
        Self::on(free_port(), directory, engines)
    }

    fn on(port: u16, directory: &Path, engines: &str) -> Self {
        let child = binary()
            .args(["server", "--apm-listen", &format!("127.0.0.1:{port}")])
            .args(["--apm-otlp-listen", "off", "--apm-otlp-grpc-listen", "off"])
            .args(["--elasticsearch", engines, "--apm-database"])
            .arg(directory.join("apm.db"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self {
            child: child.expect("the server starts"),
            port,
            directory: directory.to_owned(),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while server.try_get("/healthz").is_none() {
            assert!(Instant::now() < deadline, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Ends it without warning.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Starts it again where it was.
    pub(super) fn again(&self, engines: &str) -> Self {
        Self::on(self.port, &self.directory, engines)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn status(&self) -> Value {
        self.get("/api/v1/status")
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.try_get(path)
            .unwrap_or_else(|| panic!("no answer to {path}"))
    }

    fn try_get(&self, path: &str) -> Option<Value> {
        let (status, body) = call(self.port, "GET", path, "", &[]).ok()?;
        (status == 200).then(|| serde_json::from_slice(&body).ok())?
    }

    /// Waits until nothing waits any more. The numbers are a second old at most.
    pub(super) fn wait_until_sent(&self) {
        let deadline = Instant::now() + Duration::from_secs(180);
        let mut quiet = 0;
        let mut before = Value::Null;
        while quiet < 3 {
            let output = self.status()["output"].clone();
            let is_quiet = output["lag_events"] == 0
                && output["trouble"].is_null()
                && output["documents"] == before;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            before = output["documents"].clone();
            assert!(Instant::now() < deadline, "events still wait: {output}");
            std::thread::sleep(Duration::from_millis(1100));
        }
    }

    /// Sends made-up services of all kinds of events.
    pub(super) fn generate(&self) {
        self.generate_traces(300, "20m");
    }

    /// The same with so many traces, of the time before now.
    pub(super) fn generate_traces(&self, traces: usize, window: &str) {
        let sent = binary()
            .args([
                "generate",
                "--server",
                &format!("http://127.0.0.1:{}", self.port),
            ])
            .args(["--traces", &traces.to_string(), "--window", window])
            .stdout(Stdio::null())
            .status();
        assert!(sent.expect("it starts").success());
    }

    /// All documents that Discover shows.
    pub(super) fn discover(&self) -> Vec<Value> {
        let mut documents = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/api/v1/discover?from=now-30d&to=now%2B1d&size=10000{after}");
            let answer = self.get(&path);
            let hits = answer["hits"].as_array().expect("hits");
            documents.extend(hits.iter().cloned());
            match answer["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return documents,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
