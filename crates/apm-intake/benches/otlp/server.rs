//! Spans to a running server over HTTP: four connections send bodies and wait for each answer.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use prost::Message as _;

use super::request::{SPANS, request};

const CONNECTIONS: u64 = 4;

/// Sends so many spans, and prints what they cost the server by its own account.
pub(crate) fn run(spans: u64, server: &str) {
    let bodies = spans.div_ceil(u64::from(SPANS));
    let made: Vec<Vec<u8>> = (0..bodies)
        .map(|body| request(body).encode_to_vec())
        .collect();
    let next = AtomicU64::new(0);
    let (before, start) = (cpu(server), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut socket = BufReader::new(TcpStream::connect(server).expect("a server"));
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(body) = made.get(place) else { break };
                    let (status, said) = exchange(&mut socket, server, "POST /v1/traces", body);
                    assert_eq!(status, 200, "{said}");
                }
            });
        }
    });
    let (wall, spent) = (start.elapsed().as_secs_f64(), cpu(server) - before);
    let sent = (bodies * u64::from(SPANS)) as f64;
    println!(
        "{sent} spans over {CONNECTIONS} connections, each body answered 200 after its commit: {:.2} µs of the \
         server's CPU time each, wall {:.0} spans/s",
        spent * 1e6 / sent,
        sent / wall,
    );
}

/// CPU time of the server, seconds.
fn cpu(server: &str) -> f64 {
    let mut socket = BufReader::new(TcpStream::connect(server).expect("a server"));
    let (_, text) = exchange(&mut socket, server, "GET /metrics", &[]);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
    let seconds = line.and_then(|seconds| seconds.trim().parse().ok());
    seconds.expect("the server counts its CPU time")
}

/// Status and text of an answer.
fn exchange(
    socket: &mut BufReader<TcpStream>,
    host: &str,
    what: &str,
    body: &[u8],
) -> (u16, String) {
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.get_mut().write_all(head.as_bytes()).expect("open");
    socket.get_mut().write_all(body).expect("open");
    let (mut status, mut length, mut line) = (0, 0, String::new());
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).expect("an answer");
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().expect("a status");
        }
        if let Some((_, value)) = line
            .split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut text = vec![0; length];
    socket.read_exact(&mut text).expect("its body");
    (status, String::from_utf8_lossy(&text).into_owned())
}
