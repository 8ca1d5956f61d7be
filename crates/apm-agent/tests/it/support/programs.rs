//! Examples of the agent as programs, and what they send.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::server::FakeServer;

/// An example's program, which `cargo test` builds beside this one; `None` after a line, if it was not built.
pub(crate) fn example(name: &str, server: &FakeServer) -> Option<Command> {
    let tests = std::env::current_exe().unwrap();
    program(
        tests
            .ancestors()
            .nth(2)
            .unwrap()
            .join("examples")
            .join(name),
        server,
    )
}

/// A program that sends to a server; `None` after a line, if it was not built.
pub(crate) fn program(program: PathBuf, server: &FakeServer) -> Option<Command> {
    if !program.is_file() {
        eprintln!("skipped: {} is not built", program.display());
        return None;
    }
    let mut command = Command::new(program);
    command
        .env("ELASTIC_APM_SERVER_URL", server.url())
        .env("ELASTIC_APM_API_REQUEST_TIME", "100ms")
        .env("ELASTIC_APM_CLOUD_PROVIDER", "none")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    Some(command)
}

pub(crate) fn named(server: &FakeServer, kind: &str) -> Vec<Value> {
    server
        .events()
        .iter()
        .filter_map(|event| event.get(kind).cloned())
        .collect()
}

pub(crate) fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["name"].as_str().unwrap())
        .collect()
}
