//! A webhook on this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

/// A request that a webhook got.
#[derive(Debug)]
pub(crate) struct Post {
    /// Its head, in small letters.
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// A webhook that answers with one status after the other, and with 200 when there are no more.
pub(crate) struct Hook {
    pub(crate) url: String,
    got: Receiver<Post>,
}

impl Hook {
    pub(crate) fn start(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/T0/hush", listener.local_addr().expect("bound"));
        let (sender, got) = channel();
        std::thread::spawn(move || {
            let mut statuses = statuses.iter();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let post = read(&stream);
                let status = statuses.next().unwrap_or(&"200 OK");
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).expect("answered");
                if sender.send(post).is_err() {
                    return;
                }
            }
        });
        Self { url, got }
    }

    /// The next request.
    pub(crate) fn next(&self) -> Post {
        self.got
            .recv_timeout(Duration::from_secs(20))
            .expect("a request")
    }

    /// Whether no request comes for a while.
    pub(crate) fn is_quiet(&self) -> bool {
        let next = self.got.recv_timeout(Duration::from_millis(300));
        matches!(next, Err(RecvTimeoutError::Timeout))
    }
}

fn read(stream: &TcpStream) -> Post {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a line") > 0, "no head");
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    reader.read_exact(&mut body).expect("a body");
    Post {
        head,
        body: serde_json::from_slice(&body).expect("JSON"),
    }
}
