//! Over HTTP: four connections send bodies to a server in a process of its own, and wait for each 202.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use apm_server::{Config, Server};

use super::recorded::Stream;

/// Set in the process that is the server.
const SERVER: &str = "POCKET_APM_BENCH_SERVER";

const CONNECTIONS: u64 = 4;

/// Clock ticks per second of `/proc/PID/stat`, the same on every Linux.
const TICKS: f64 = 100.0;

/// Serves until its input ends, if this is the process for it.
pub(crate) fn serve() -> bool {
    let Some(path) = std::env::var_os(SERVER) else {
        return false;
    };
    let mut config = Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = path.into();
    config.max_size = 16 << 30;
    actix_web::rt::System::new().block_on(async {
        let running = Server::start(config).expect("the server starts");
        println!("{}", running.addr());
        let end = actix_web::rt::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
        let _ = end.await;
        running.stop(true).await;
    });
    true
}

/// Sends so many events and prints what they cost the server.
pub(crate) fn run(events: u64, rate: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Command::new(std::env::current_exe().expect("a path"))
        .env(SERVER, dir.path().join("apm.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut address = String::new();
    let mut out = BufReader::new(server.stdout.take().expect("piped"));
    out.read_line(&mut address).expect("an address");
    let address = address.trim();
    let (sent, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let (before, start) = (cpu(&server), Instant::now());
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (sent, most, server) = (&sent, &most, &server);
            scope.spawn(move || {
                let mut stream = Stream::numbered(connection, false, rate);
                let mut socket = BufReader::new(TcpStream::connect(address).expect("a server"));
                let mut body = String::new();
                while sent.load(Ordering::Relaxed) < events {
                    let count = stream.body(&mut body);
                    post(&mut socket, address, &body);
                    sent.fetch_add(count, Ordering::Relaxed);
                    most.fetch_max(resident(server), Ordering::Relaxed);
                }
            });
        }
    });
    let (wall, spent, sent) = (
        start.elapsed().as_secs_f64(),
        cpu(&server) - before,
        sent.into_inner() as f64,
    );
    println!(
        "{sent} events over {CONNECTIONS} connections, each body answered 202 after its commit: {:.0} events/s of the \
         server's CPU time ({:.2} µs each, all threads), wall {:.0} events/s, at most {} MiB resident",
        sent / spent,
        spent * 1e6 / sent,
        sent / wall,
        most.into_inner(),
    );
    drop(server.stdin.take());
    server.wait().expect("it ends");
}

fn post(socket: &mut BufReader<TcpStream>, host: &str, body: &str) {
    let head = format!(
        "POST /intake/v2/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\nContent-Length: \
            {}\r\n\r\n",
        body.len()
    );
    let out = socket.get_mut();
    out.write_all(head.as_bytes()).expect("open");
    out.write_all(body.as_bytes()).expect("open");
    let mut line = String::new();
    socket.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 202"), "{line}");
    // The answer has no body: its head ends with an empty line.
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).expect("an answer");
    }
}

/// CPU time of the whole process, seconds.
fn cpu(server: &Child) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).expect("Linux");
    // The name is in parentheses and may hold anything; what follows it is numbers.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let times = fields.split_ascii_whitespace().skip(11).take(2);
    times
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

/// Resident memory of the process, MiB.
fn resident(server: &Child) -> u64 {
    super::soak::resident_of(&server.id().to_string())
}
