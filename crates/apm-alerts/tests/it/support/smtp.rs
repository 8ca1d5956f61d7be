//! A mail server on this machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A mail server that takes every mail.
pub(crate) struct Mail {
    pub(crate) url: String,
    got: Receiver<String>,
}

impl Mail {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("bound"));
        let (sender, got) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
                stream.write_all(b"220 here\r\n").expect("greeted");
                let mut mail = String::new();
                while let Some(Ok(line)) = lines.next() {
                    let verb = line
                        .split([' ', ':'])
                        .next()
                        .unwrap_or_default()
                        .to_uppercase();
                    let answer = match &*verb {
                        "DATA" => {
                            stream.write_all(b"354 go on\r\n").expect("asked");
                            for line in lines.by_ref().map_while(Result::ok) {
                                if line == "." {
                                    break;
                                }
                                mail.push_str(&line);
                                mail.push('\n');
                            }
                            "250 taken"
                        }
                        "QUIT" => "221 bye",
                        _ => {
                            mail.push_str(&line);
                            mail.push('\n');
                            "250 ok"
                        }
                    };
                    stream
                        .write_all(format!("{answer}\r\n").as_bytes())
                        .expect("answered");
                    if answer == "250 taken" && sender.send(std::mem::take(&mut mail)).is_err() {
                        return;
                    }
                    if verb == "QUIT" {
                        break;
                    }
                }
            }
        });
        Self { url, got }
    }

    /// The next mail: its envelope and its text.
    pub(crate) fn next(&self) -> String {
        self.got
            .recv_timeout(Duration::from_secs(20))
            .expect("a mail")
    }
}
