//! OTLP over HTTP and gRPC: what is stored, what is refused and how, and what it may take.

mod browsers;
mod encrypted;
mod grpc;
mod http;
mod sdks;
mod together;

use std::io::Write as _;

use apm_server::Config;

use crate::support::server::TestServer;

/// A server with both ports of OTLP.
fn start(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.otlp_listen = Some("127.0.0.1:0".to_owned());
        config.otlp_grpc_listen = Some("127.0.0.1:0".to_owned());
        change(config);
    })
}

/// A number of `/metrics`.
async fn metric(server: &TestServer, name: &str) -> u64 {
    let text = server.get("/metrics").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.trim().parse().expect("a number")
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}
