//! `kill -9` of a server that takes OTLP over HTTP: each span of a body that was answered 200 is there, once.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apm_server::{Config, Server};
use serde_json::json;

use super::{child, number, open};

const DIR: &str = "POCKET_APM_KILL_OTLP_DIR";

/// Spans of a body.
const SPANS: u64 = 50;

/// Bodies that are answered before the end of a round, at least.
const ANSWERED: u64 = 12;

#[test]
#[ignore = "the child of the test below: a server until it is killed"]
fn a_server_until_it_is_killed() {
    let Some(dir) = env::var_os(DIR) else { return };
    let mut config = Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.otlp_listen = None;
    config.otlp_grpc_listen = None;
    config.database = std::path::Path::new(&dir).join("apm.db");
    actix_web::rt::System::new().block_on(async {
        let running = Server::start(config).expect("the server starts");
        let line = format!("listens {}\n", running.addr());
        io::stdout().write_all(line.as_bytes()).expect("a parent");
        std::future::pending::<()>().await;
    });
}

/// A body of spans without a parent, whose ids begin at a number.
fn body(first: u64) -> String {
    let spans: Vec<_> = (first..first + SPANS)
        .map(|id| {
            json!({"traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"), "name": "GET /", "kind": 2,
                "startTimeUnixNano": "1795953600000000000", "endTimeUnixNano": "1795953600001000000"})
        })
        .collect();
    let name = json!({"key": "service.name", "value": {"stringValue": "shop"}});
    json!({"resourceSpans": [{"resource": {"attributes": [name]}, "scopeSpans": [{"spans": spans}]}]}).to_string()
}

/// The status of the answer to a body.
fn post(server: &str, body: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(server)?;
    write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

#[test]
fn spans_whose_body_was_answered_survive_kill_9_of_the_server() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let answered = Mutex::new(Vec::new());
    for round in 1..=2_u64 {
        let mut child = child("store::kill_otlp::a_server_until_it_is_killed")
            .env(DIR, dir.path())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let server = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("listens ")
                .map(|(_, server)| server.to_owned())
        });
        let server = server.expect("the child listens");
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                // Until the server is gone.
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let first = (round << 32) + number * SPANS + 1;
                        match post(&server, &body(first)) {
                            Ok(200) => {
                                answered.lock().expect("no panic").push(first);
                                count.fetch_add(1, Ordering::Relaxed);
                            }
                            // A queue that is full is no loss: nothing was acknowledged.
                            Ok(503) => {}
                            Ok(status) => panic!("{status}"),
                            Err(_) => break,
                        }
                    }
                });
            }
            let deadline = Instant::now() + Duration::from_secs(60);
            while count.load(Ordering::Relaxed) < ANSWERED && Instant::now() < deadline {
                std::thread::yield_now();
            }
            child.kill().expect("killed");
        });
        child.wait().expect("gone");
        assert!(count.into_inner() >= ANSWERED, "round {round}");
        let store = open(dir.path());
        let all = number(&store, "SELECT count(*) AS n FROM tx");
        let ids = number(&store, "SELECT count(DISTINCT id) AS n FROM tx");
        assert_eq!(all, ids, "none twice");
        for first in answered.lock().expect("no panic").iter() {
            let last = first + SPANS - 1;
            let sql = format!("SELECT count(*) AS n FROM tx WHERE id BETWEEN {first} AND {last}");
            assert_eq!(number(&store, &sql), SPANS as i64, "from {first} on");
        }
        store.close();
    }
}
