//! A connection that asks a service for one path again and again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// The longest time that an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
    request: String,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// Each header is a whole line, without its end.
    pub(crate) fn open(address: SocketAddr, path: &str, headers: &[&str]) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        Ok(Self {
            answers: BufReader::new(stream.try_clone()?),
            stream,
            request,
            line: String::new(),
            body: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self) -> anyhow::Result<()> {
        Ok(self.stream.write_all(self.request.as_bytes())?)
    }

    /// Reads one answer, which has to be 200 with a length.
    pub(crate) fn receive(&mut self) -> anyhow::Result<()> {
        let mut length = None;
        self.read_line()?;
        ensure!(
            self.line.starts_with("HTTP/1.1 200 "),
            "the answer begins with {:?}",
            self.line
        );
        loop {
            self.read_line()?;
            if self.line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = self.line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        self.body
            .resize(length.context("an answer has no length")?, 0);
        Ok(self.answers.read_exact(&mut self.body)?)
    }

    fn read_line(&mut self) -> anyhow::Result<()> {
        self.line.clear();
        ensure!(
            self.answers.read_line(&mut self.line)? > 0,
            "the service closed the connection"
        );
        Ok(())
    }
}
