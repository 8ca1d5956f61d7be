//! Costs of the whole binary: its size, the time to its first answers, and its memory and CPU time while it is idle.
//!
//! ```sh
//! cargo bench --bench process
//! ```
//!
//! Each start is a new process with new databases in a directory of its own. The clock runs from the spawn to the end
//! of the first answer: of the service's `/`, and of the page with the list of services. Memory is what the kernel
//! counts as resident; CPU is the run time of all threads. Linux only.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 15;
/// The time for which the process is left alone before and while it is looked at.
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    let binary = Path::new(env!("CARGO_BIN_EXE_pocket-apm"));
    let size = std::fs::metadata(binary).expect("the binary").len();
    println!("size of the binary         {:>8.1} MB", size as f64 / 1e6);

    let dir = tempfile::tempdir().expect("a directory");
    let fresh: Vec<_> = (0..STARTS)
        .map(|n| first_answers(binary, &dir.path().join(n.to_string())))
        .collect();
    print("with new databases", &fresh);
    let again: Vec<_> = (0..STARTS)
        .map(|_| first_answers(binary, &dir.path().join("0")))
        .collect();
    print("with what is there", &again);

    let running = Running::start(binary, &dir.path().join("idle"));
    answer(&running.service, "/");
    answer(&running.apm, "/services");
    std::thread::sleep(IDLE);
    let before = running.cpu();
    std::thread::sleep(IDLE);
    let cpu = (running.cpu() - before).as_secs_f64() / IDLE.as_secs_f64();
    println!("resident while idle        {:>8.1} MiB", running.resident());
    println!(
        "CPU while idle             {:>8.2} % of one core",
        cpu * 100.0
    );
}

/// Milliseconds to the service's first answer and to the first page.
fn first_answers(binary: &Path, dir: &Path) -> (f64, f64) {
    let start = Instant::now();
    let running = Running::start(binary, dir);
    let since = || start.elapsed().as_secs_f64() * 1000.0;
    answer(&running.service, "/");
    let service = since();
    answer(&running.apm, "/services");
    (service, since())
}

fn print(what: &str, times: &[(f64, f64)]) {
    for (of, pick) in [
        ("service", (|t: &(f64, f64)| t.0) as fn(&(f64, f64)) -> f64),
        ("page", |t| t.1),
    ] {
        let mut times: Vec<_> = times.iter().map(pick).collect();
        times.sort_unstable_by(f64::total_cmp);
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("first {of:7} {what}  {median:>6.0} ms, at most {worst:.0} ms");
    }
}

/// A process with the service and the server on free ports; killed when dropped.
struct Running {
    child: Child,
    service: String,
    apm: String,
}

impl Running {
    fn start(binary: &Path, dir: &Path) -> Self {
        std::fs::create_dir_all(dir).expect("a directory");
        let mut child = Command::new(binary)
            .args(["--listen", "127.0.0.1:0", "--apm-listen", "127.0.0.1:0"])
            .current_dir(dir)
            .env_remove("ELASTIC_APM_SERVER_URL")
            .env("APM_OTLP_LISTEN", "127.0.0.1:0")
            .env("APM_OTLP_GRPC_LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut address = |label: &str| {
            let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with(label)));
            let line = line.unwrap_or_else(|| panic!("a line with {label}"));
            let (_, address) = line.split_once("://").expect("a URL");
            address.to_owned()
        };
        let (service, apm) = (address("service"), address("APM"));
        Self {
            child,
            service,
            apm,
        }
    }

    /// MiB.
    fn resident(&self) -> f64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<f64>().ok()).expect("KiB") / 1024.0
    }

    /// Run time of all threads.
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux");
        let nanos = tasks.flatten().filter_map(|task| {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            stat.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks once and reads the answer to its end.
fn answer(address: &str, path: &str) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
}
