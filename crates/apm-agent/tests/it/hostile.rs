//! APM servers that mean harm: whatever one answers, the service answers its own requests, memory stays bounded, and
//! the agent goes on once the server is well again. Memory is the process's, so the tests have one to themselves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use apm_agent::{Agent, AgentGuard};
use test_support::alone;

use crate::support::eventually;
use crate::support::server::{Behaviour, FakeServer};

/// The behaviour of one connection.
type Attack = fn(Connection<'_>) -> std::io::Result<()>;

/// A connection of the agent to a hostile server.
struct Connection<'c> {
    stream: TcpStream,
    over: &'c AtomicBool,
}

impl Connection<'_> {
    /// Reads a request's head, and of its body what comes with it.
    fn read_head(&self) -> std::io::Result<()> {
        let mut reader = BufReader::new(self.stream.try_clone()?);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Writes the same again and again, until the other end goes or the attack is over.
    fn write_for_ever(&mut self, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            self.write(bytes)?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    /// Keeps the connection open and says nothing.
    fn hold(&self) -> std::io::Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            match self.stream.peek(&mut [0]) {
                Ok(0) => return Ok(()),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Ok(())
    }
}

const MEGABYTE: usize = 1 << 20;
const NO_PAUSE: Duration = Duration::ZERO;

const ATTACKS: [(&str, Attack); 20] = [
    ("closes at once", |_| Ok(())),
    ("says nothing", |connection| connection.hold()),
    ("reads nothing, and answers nothing", |connection| {
        while !connection.over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }),
    ("resets in the middle of the request", |connection| {
        let mut part = [0; 16];
        (&connection.stream).read_exact(&mut part)?;
        // Unread bytes make the system send a reset.
        Ok(())
    }),
    ("answers garbage", |mut connection| {
        connection.read_head()?;
        let garbage: Vec<u8> = (0..4096).map(|number| (number * 7) as u8).collect();
        connection.write(&garbage)
    }),
    ("answers before it is asked", |mut connection| {
        connection.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
        connection.write_for_ever(
            b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            NO_PAUSE,
        )
    }),
    ("drips its answer", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n")?;
        connection.write_for_ever(b" ", Duration::from_millis(20))
    }),
    ("drips the head of its answer", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 202 Accepted\r\nX: ")?;
        connection.write_for_ever(b"x", Duration::from_millis(20))
    }),
    ("answers without end", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let chunk = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
        connection.write_for_ever(&chunk, NO_PAUSE)
    }),
    ("sends headers without end", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 200 OK\r\n")?;
        connection.write_for_ever(b"X-Header: value\r\n", NO_PAUSE)
    }),
    ("sends a huge header", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 200 OK\r\nX-Header: ")?;
        for _ in 0..1024 {
            connection.write(&[b'x'; 0x10000])?;
        }
        connection.write(b"\r\nContent-Length: 0\r\n\r\n")
    }),
    // The HTTP client looks at the clock after 128 reads of up to 400 KiB: a flood of these costs the agent's thread
    // some time.
    ("says continue without end", |mut connection| {
        connection.read_head()?;
        connection.write_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(1))
    }),
    ("redirects in a circle", |mut connection| {
        connection.read_head()?;
        let here = connection.stream.local_addr()?;
        let answer = format!(
            "HTTP/1.1 307 Temporary\r\nLocation: http://{here}/again\r\nContent-Length: 0\r\n\r\n"
        );
        connection.write(answer.as_bytes())
    }),
    ("announces more than it sends", |mut connection| {
        connection.read_head()?;
        connection.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99999999999\r\n\r\n{}")
    }),
    ("contradicts itself about the length", |mut connection| {
        connection.read_head()?;
        connection.write(
            b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        )
    }),
    ("refuses in ever new ways", |mut connection| {
        static STATUS: AtomicUsize = AtomicUsize::new(0);
        connection.read_head()?;
        let status = 500 + STATUS.fetch_add(1, Ordering::Relaxed) % 100;
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: 3\r\nRetry-After: -7\r\n\r\nbad");
        connection.write(answer.as_bytes())
    }),
    ("answers with a bomb of gzip", |mut connection| {
        connection.read_head()?;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..64 {
            encoder.write_all(&vec![b' '; MEGABYTE])?;
        }
        let bomb = encoder.finish()?;
        let head = format!(
            "HTTP/1.1 202 Accepted\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            bomb.len()
        );
        connection.write(head.as_bytes())?;
        connection.write(&bomb)
    }),
    ("answers with JSON that is too deep", |mut connection| {
        connection.read_head()?;
        let body = vec![b'['; 60_000];
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        connection.write(head.as_bytes())?;
        connection.write(&body)
    }),
    (
        "accepts more than it was sent, and sets the clock of polls to the end of time",
        |mut connection| {
            connection.read_head()?;
            let body = concat!(
                r#"{"accepted":18446744073709551615,"errors":[{},{"message":7}],"#,
                r#""version":"99999999999.-1.x","recording":[],"log_level":"\n\u0000"}"#
            );
            let answer = format!(
                "HTTP/1.1 200 OK\r\nEtag: \"\"\r\nCache-Control: max-age=18446744073709551615\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            connection.write(answer.as_bytes())
        },
    ),
    ("speaks TLS that is none", |mut connection| {
        connection.write(b"\x16\x03\x03\xff\xff\x02")?;
        connection.write_for_ever(&[0x16; 4096], NO_PAUSE)
    }),
];

/// Attacks that say 2xx before they do anything wrong.
const TAKEN: [&str; 8] = [
    "answers before it is asked",
    "drips its answer",
    "answers without end",
    "announces more than it sends",
    "contradicts itself about the length",
    "answers with a bomb of gzip",
    "answers with JSON that is too deep",
    "accepts more than it was sent, and sets the clock of polls to the end of time",
];

/// Lets an attack serve every connection until it is told that it is over.
fn serve(listener: TcpListener, attack: Attack, over: &Arc<AtomicBool>) -> SocketAddr {
    let (address, over) = (listener.local_addr().unwrap(), Arc::clone(over));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let limit = Some(Duration::from_secs(5));
                stream.set_read_timeout(limit)?;
                stream.set_write_timeout(limit)?;
                attack(Connection {
                    stream,
                    over: &over,
                })
            });
        }
    });
    address
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn agent(urls: &str) -> AgentGuard {
    Agent::builder()
        .service_name("hostile")
        .option("server_urls", urls)
        .option("cloud_provider", "none")
        .option("metrics_interval", "0s")
        .option("api_request_time", "20ms")
        .option("server_timeout", "300ms")
        .option("api_buffer_size", "1mb")
        .option("log_level", "off")
        .start()
}

/// Answers requests while the server of the agent attacks; the longest time that one took.
async fn answer_requests(agent: &Agent, many: usize) -> Duration {
    let app = App::new().default_service(web::to(async || "fine"));
    let app = init_service(app.wrap(agent.middleware())).await;
    let mut longest = Duration::ZERO;
    for number in 0..many {
        let begin = Instant::now();
        let request = TestRequest::with_uri("/").to_request();
        let response = call_service(&app, request).await;
        assert!(response.status().is_success());
        longest = longest.max(begin.elapsed());
        if number % 100 == 0 {
            apm_agent::capture_message("for the server");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
    longest
}

#[test]
#[cfg(target_os = "linux")]
fn a_hostile_server_costs_bounded_memory_and_the_service_answers() {
    alone("hostile::attacked_in_all_ways", &[]);
}

#[actix_web::test]
#[ignore = "run by the one above, in a process of its own"]
async fn attacked_in_all_ways() {
    const REQUESTS: usize = 1_500;
    // The cost of a well-behaved server, stack traces included, comes before the measurement.
    let well = FakeServer::start(Behaviour::Forget);
    let first = agent(&well.url());
    answer_requests(&first, REQUESTS).await;
    assert!(first.shutdown(Duration::from_secs(10)));
    let before = resident();
    for (name, attack) in ATTACKS {
        let over = Arc::new(AtomicBool::new(false));
        let address = serve(TcpListener::bind("127.0.0.1:0").unwrap(), attack, &over);
        let scheme = if name.contains("TLS") {
            "https"
        } else {
            "http"
        };
        let attacked = agent(&format!("{scheme}://{address}"));
        let longest = answer_requests(&attacked, REQUESTS).await;
        assert!(longest < Duration::from_secs(1), "{name}: {longest:?}");
        let grown = resident().saturating_sub(before);
        // Eight threads of attackers and what they write are in it as well.
        assert!(grown < 48 * MEGABYTE as u64, "{name}: {grown} bytes");
        let begin = Instant::now();
        attacked.shutdown(Duration::from_millis(500));
        assert!(begin.elapsed() < Duration::from_secs(3), "{name}");
        over.store(true, Ordering::Relaxed);
        let stats = attacked.stats();
        assert!(stats.recorded >= REQUESTS as u64, "{name}: {stats:?}");
        // On a busy machine `shutdown` gives up before the sender's thread has counted what it drops.
        eventually("nothing is pending", || {
            (attacked.stats().pending() == 0).then_some(())
        });
    }
}

/// After each attack the next server in the list gets what is recorded from then on.
#[test]
fn the_next_server_takes_over_from_a_hostile_one() {
    for (name, attack) in ATTACKS {
        // Some begin with a whole head of success: the events are taken, by the rules of HTTP.
        if TAKEN.contains(&name) {
            continue;
        }
        let over = Arc::new(AtomicBool::new(false));
        let address = serve(TcpListener::bind("127.0.0.1:0").unwrap(), attack, &over);
        let well = FakeServer::start(Behaviour::Accept);
        let agent = agent(&format!("http://{address}, {}", well.url()));
        eventually(name, || {
            drop(agent.transaction("job", "task"));
            std::thread::sleep(Duration::from_millis(20));
            (!well.events().is_empty()).then_some(())
        });
        over.store(true, Ordering::Relaxed);
        agent.shutdown(Duration::from_millis(500));
        assert_eq!(agent.stats().pending(), 0, "{name}");
    }
}
