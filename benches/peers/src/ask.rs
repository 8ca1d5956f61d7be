//! A number of requests, one after another, on one connection: the same work each time, for what counts instructions.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, ensure};

/// Asks for a path so many times. Each answer has to be 200 with a length.
pub(crate) fn ask(address: SocketAddr, path: &str, requests: u32) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut body = Vec::new();
    for _ in 0..requests {
        stream.write_all(request.as_bytes())?;
        let mut length = None;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        ensure!(line.starts_with("HTTP/1.1 200 "), "{path} answers {line:?}");
        loop {
            line.clear();
            answers.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        body.resize(length.context("an answer has no length")?, 0);
        answers.read_exact(&mut body)?;
    }
    Ok(())
}
