//! Requests to servers of this machine, one connection each.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The status and the body of an answer.
pub(super) fn call(
    port: u16,
    method: &str,
    path: &str,
    kind: &str,
    body: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    // A form is taken from our own pages only.
    let origin = match kind {
        "application/x-www-form-urlencoded" => format!("origin: http://127.0.0.1:{port}\r\n"),
        _ => String::new(),
    };
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n{origin}content-type: {kind}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer.split_off(end + 4);
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    match (status, length) {
        (Some(status), Some(length)) if body.len() >= length => Ok((status, body)),
        (Some(status), None) => Ok((status, body)),
        _ => Err(broken()),
    }
}
