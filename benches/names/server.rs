//! A server in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The server alone, on a free port; killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(dir: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pocket-apm"))
            .args([
                "server",
                "--apm-listen",
                "127.0.0.1:0",
                "--apm-max-size",
                "16GiB",
            ])
            .args(options)
            .current_dir(dir)
            .env("RUST_LOG", "off")
            .env("APM_OTLP_LISTEN", "off")
            .env("APM_OTLP_GRPC_LISTEN", "off")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with("APM")));
        let line = line.expect("a line with the address");
        let (_, address) = line.split_once("://").expect("a URL");
        Self {
            child,
            address: address.to_owned(),
        }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory of a process by its name in `/proc`, MiB: `VmHWM` is the most that was resident, `VmRSS` what is.
pub(crate) fn memory(process: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<f64>().ok()).expect("KiB") / 1024.0
}

/// Asks once and reads the answer to its end; returns its bytes, and whether the server was too busy for it.
pub(crate) fn answer(address: &str, path: &str) -> (usize, bool) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let is_busy = answer.starts_with(b"HTTP/1.1 503");
    assert!(
        is_busy || answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..answer.len().min(300)])
    );
    (answer.len(), is_busy)
}
