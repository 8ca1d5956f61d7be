//! Nodes of OpenSearch, as processes.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::http::call;

pub(super) struct Cluster {
    nodes: Vec<Node>,
    seeds: String,
    names: String,
    directory: TempDir,
}

struct Node {
    name: String,
    http: u16,
    transport: u16,
    child: Option<Child>,
}

impl Cluster {
    /// Starts nodes and waits until they are one cluster.
    pub(super) fn start(count: usize) -> Self {
        let nodes: Vec<Node> = (1..=count)
            .map(|number| Node {
                name: format!("n{number}"),
                http: free_port(),
                transport: free_port(),
                child: None,
            })
            .collect();
        let seeds: Vec<_> = nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.transport))
            .collect();
        let names: Vec<_> = nodes.iter().map(|node| node.name.clone()).collect();
        let mut cluster = Self {
            seeds: seeds.join(","),
            names: names.join(","),
            nodes,
            directory: tempfile::tempdir().expect("a directory"),
        };
        for node in 0..count {
            cluster.spawn(node);
        }
        cluster.wait(count);
        cluster
    }

    fn spawn(&mut self, node: usize) {
        let jars = std::env::var_os("POCKET_APM_OPENSEARCH");
        let jars = PathBuf::from(
            jars.expect("POCKET_APM_OPENSEARCH names the folder of the jars: run .ci/engine"),
        );
        let node = &mut self.nodes[node];
        let home = self.directory.path().join(&node.name);
        let child = Command::new("java")
            .args([
                "-Xms320m",
                "-Xmx320m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                file_in(&jars, "log4j2.properties")
            ))
            .args([
                "-cp",
                &format!("{}:{}", jars.display(), file_in(&jars, "lib/*")),
                "NodeMain",
            ])
            .arg(home)
            .args([
                &node.name,
                &node.http.to_string(),
                &node.transport.to_string(),
            ])
            .args([&self.seeds, &self.names])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        node.child = Some(child.expect("java starts"));
    }

    fn wait(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            let health = self.try_call("GET", "/_cluster/health", &Value::Null);
            if health.is_some_and(|health| health["number_of_nodes"] == count) {
                return;
            }
            assert!(Instant::now() < deadline, "OpenSearch does not start");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The addresses of all nodes, as an option has them.
    pub(super) fn urls(&self) -> String {
        let urls: Vec<_> = self
            .nodes
            .iter()
            .map(|node| format!("http://127.0.0.1:{}", node.http))
            .collect();
        urls.join(",")
    }

    /// Ends a node without warning.
    pub(super) fn kill(&mut self, name: &str) {
        let node = self
            .nodes
            .iter_mut()
            .find(|node| node.name == name)
            .expect(name);
        let mut child = node.child.take().expect("it runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    /// Starts a node again with what it had.
    pub(super) fn revive(&mut self, name: &str) {
        let node = self
            .nodes
            .iter()
            .position(|node| node.name == name)
            .expect(name);
        self.spawn(node);
        self.wait(self.nodes.len());
    }

    pub(super) fn health(&self) -> String {
        let health = self
            .try_call("GET", "/_cluster/health", &Value::Null)
            .unwrap_or_default();
        health["status"].as_str().unwrap_or_default().to_owned()
    }

    /// The node that holds the primary shard of the newest index of a data stream, once there is one.
    pub(super) fn node_of_primary(&self, stream: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(node) = self.find_primary(stream) {
                return node;
            }
            assert!(Instant::now() < deadline, "{stream} has no primary shard");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn find_primary(&self, stream: &str) -> Option<String> {
        let path = format!("/_cat/shards/{stream}?format=json");
        let shards = self.try_call("GET", &path, &Value::Null)?;
        let shards = shards.as_array()?.iter();
        let mut primaries: Vec<_> = shards.filter(|shard| shard["prirep"] == "p").collect();
        primaries.sort_by_key(|shard| shard["index"].to_string());
        primaries.last()?["node"].as_str().map(str::to_owned)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(answer) = self.try_call("POST", path, body) {
                return answer;
            }
            assert!(Instant::now() < deadline, "no answer to {path}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    pub(super) fn put(&self, path: &str, body: &Value) {
        let answer = self.try_call("PUT", path, body);
        assert!(answer.is_some(), "no answer to {path}");
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let answer = self.try_call("GET", path, &Value::Null);
        answer.unwrap_or_else(|| panic!("no answer to {path}"))
    }

    /// The same where it does not matter what becomes of it.
    pub(super) fn post_leniently(&self, path: &str) {
        self.try_call("POST", path, &Value::Null);
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let node = self.nodes.iter().find(|node| node.child.is_some())?;
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let (status, body) = call(node.http, method, path, "application/json", &body).ok()?;
        (status == 200).then(|| serde_json::from_slice(&body).ok())?
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn file_in(folder: &Path, file: &str) -> String {
    folder.join(file).display().to_string()
}

/// A port that is free now.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}
