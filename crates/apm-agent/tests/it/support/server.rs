//! A server that misbehaves as it is told: one thread per connection, HTTP/1.1 by hand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// The behaviour of the intake.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// 202 without a body.
    Accept,
    /// The same, and keeps no requests: for those who measure memory.
    Forget,
    /// Accepts, and takes its time to read: 4 KiB in 10 ms.
    SlowRead,
    /// This status and body.
    Answer(u16, &'static str),
    /// 503, to be asked again after so many seconds.
    Busy(&'static str),
    /// Reads the request and closes the connection.
    Reset,
    /// Reads the request and never answers.
    Silence,
    /// Answers with something that is not HTTP.
    Garbage,
}

/// A request that was read.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The events of an intake request.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .skip(1)
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

/// Status, headers and body of an answer.
type Config = (u16, Vec<(&'static str, String)>, String);

#[derive(Debug)]
struct Shared {
    intake: Mutex<Behaviour>,
    config: Mutex<Config>,
    /// The answer of `/`.
    info: Mutex<&'static str>,
    requests: Mutex<Vec<Request>>,
}

#[derive(Debug)]
pub(crate) struct FakeServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl FakeServer {
    pub(crate) fn start(intake: Behaviour) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), intake)
    }

    /// A server on an address that was free a moment ago.
    pub(crate) fn start_at(address: SocketAddr, intake: Behaviour) -> Self {
        let listener = super::eventually("the port is free", || TcpListener::bind(address).ok());
        Self::on(listener, intake)
    }

    fn on(listener: TcpListener, intake: Behaviour) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            intake: Mutex::new(intake),
            config: Mutex::new((403, Vec::new(), String::new())),
            info: Mutex::new(r#"{"version":"8.17.0"}"#),
            requests: Mutex::default(),
        });
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&for_thread);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn behave(&self, intake: Behaviour) {
        *self.shared.intake.lock().unwrap() = intake;
    }

    /// The answer of central configuration: status, headers, body.
    pub(crate) fn set_config(
        &self,
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: impl Into<String>,
    ) {
        *self.shared.config.lock().unwrap() = (status, headers, body.into());
    }

    /// The answer of `/`, which says the version.
    pub(crate) fn set_info(&self, body: &'static str) {
        *self.shared.info.lock().unwrap() = body;
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub(crate) fn intake_requests(&self) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(|request| request.line.starts_with("POST /intake/v2/events"))
            .collect()
    }

    /// All events that came, whatever the answer was.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.intake_requests()
            .iter()
            .flat_map(Request::events)
            .collect()
    }
}

/// An address at which nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let request = read(&mut reader, shared)?;
        let line = request.line.clone();
        let conditional = request.header("if-none-match").map(str::to_owned);
        let behaviour = shared.intake.lock().unwrap().clone();
        if !matches!(behaviour, Behaviour::Forget) {
            shared.requests.lock().unwrap().push(request);
        }
        if line.starts_with("GET / ") {
            let info = *shared.info.lock().unwrap();
            respond(&mut stream, 200, &[], info)?;
            continue;
        }
        if line.contains("/config/v1/agents") {
            let (status, headers, body) = shared.config.lock().unwrap().clone();
            let etag = headers
                .iter()
                .find(|(name, _)| *name == "Etag")
                .map(|(_, value)| value.clone());
            if etag.is_some() && etag == conditional {
                respond(&mut stream, 304, &headers, "")?;
            } else {
                respond(&mut stream, status, &headers, &body)?;
            }
            continue;
        }
        match behaviour {
            Behaviour::Accept | Behaviour::Forget | Behaviour::SlowRead => {
                respond(&mut stream, 202, &[], "")?
            }
            Behaviour::Answer(status, body) => respond(&mut stream, status, &[], body)?,
            Behaviour::Busy(seconds) => {
                let headers = [("Retry-After", seconds.to_owned())];
                respond(&mut stream, 503, &headers, "")?;
            }
            Behaviour::Reset => return None,
            Behaviour::Silence => {
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).ok()?;
                return None;
            }
            Behaviour::Garbage => {
                stream.write_all(b"\x00\xff what?\r\n\r\n").ok()?;
                return None;
            }
        }
    }
}

fn respond(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    body: &str,
) -> Option<()> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let text = format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).ok()
}

fn read(reader: &mut BufReader<TcpStream>, shared: &Shared) -> Option<Request> {
    let mut next = || {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let line = next()?;
    let mut headers = Vec::new();
    loop {
        let header = next()?;
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request {
        line,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().unwrap()];
        let slowly = matches!(*shared.intake.lock().unwrap(), Behaviour::SlowRead);
        let piece = if slowly { 4096 } else { usize::MAX };
        for piece in request.body.chunks_mut(piece) {
            reader.read_exact(piece).ok()?;
            if slowly {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    Some(request)
}
