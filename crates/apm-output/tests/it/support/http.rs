//! As much of HTTP/1.1 as a client of one test needs, with answers that break off.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Reply(u16, Vec<u8>),
    /// The connection breaks off.
    Reset,
    /// There is none, as long as the client waits.
    Silence,
    /// Another address is told.
    Redirect(String),
}

/// Serves on a free port until the process ends.
pub(crate) fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> SocketAddr {
    serve_with(None, answer)
}

/// The same, behind TLS where that is asked for.
pub(crate) fn serve_with(
    tls: Option<Arc<ServerConfig>>,
    answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, tls) = (Arc::clone(&answer), tls.clone());
            std::thread::spawn(move || {
                let close = stream.try_clone().expect("a socket");
                match tls {
                    None => connection(stream, &close, &*answer),
                    Some(tls) => {
                        let tls = ServerConnection::new(tls).expect("a configuration");
                        connection(StreamOwned::new(tls, stream), &close, &*answer);
                    }
                }
            });
        }
    });
    address
}

fn connection(stream: impl Read + Write, close: &TcpStream, answer: &dyn Fn(&Request) -> Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let (status, location, body) = match answer(&request) {
            Answer::Reply(status, body) => (status, String::new(), body),
            Answer::Redirect(to) => (307, format!("location: {to}\r\n"), Vec::new()),
            Answer::Reset => {
                let _ = close.shutdown(Shutdown::Both);
                return;
            }
            Answer::Silence => {
                // Until the client gives up.
                let _ = reader.read(&mut [0; 1]);
                return;
            }
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{location}content-length: {}\r\n\r\n",
            body.len()
        );
        let writer = reader.get_mut();
        let written = writer.write_all(head.as_bytes());
        let written = written.and_then(|()| writer.write_all(&body));
        if written.and_then(|()| writer.flush()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").parse().unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
