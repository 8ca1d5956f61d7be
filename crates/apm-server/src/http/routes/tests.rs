//! Every route of the table, in every spelling that a router may take for it, on a server with a token.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use actix_web::http::Method;

use super::*;
use crate::config::SecretToken;
use crate::route::Access::{self, Admin};
use crate::server::{Running, Server};

/// Routes that anyone may ask. Whatever else is open is a mistake.
const OPEN: &[&str] = &[
    "/",
    "/healthz",
    "/readyz",
    // These are on terms of their own, where browsers are taken at all.
    "/intake/v2/rum/events",
    "/intake/v3/rum/events",
    "/config/v1/rum/agents",
    "/login",
    "/logout",
    "/assets/{version}/{name}",
];

#[test]
fn only_the_listed_routes_are_open() {
    let mut open = Vec::new();
    for route in table() {
        let path = route.rules.path;
        assert!(!route.rules.methods.is_empty(), "{path} answers nothing");
        if route
            .rules
            .methods
            .iter()
            .any(|(_, access)| *access == Open)
        {
            open.push(path);
        }
    }
    assert_eq!(open, OPEN);
}

#[test]
fn what_changes_something_needs_more_than_reading() {
    for route in table() {
        for (method, access) in &route.rules.methods {
            let path = route.rules.path;
            let reads = ["/api/v1/sql", "/mcp", "/login", "/logout"].contains(&path);
            if *method == Some(Method::POST) && !reads {
                assert_eq!(*access, Admin, "{path}");
            }
        }
    }
}

/// A path that the pattern matches.
fn filled(pattern: &str) -> String {
    let mut path = String::new();
    for segment in pattern.split('/').skip(1) {
        path.push('/');
        path.push_str(if segment.starts_with('{') {
            "dark"
        } else {
            segment
        });
    }
    path
}

/// All the ways in which a path may be spelled that some part of a server might take for the same.
fn spellings(path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for (at, character) in path.char_indices() {
        let rest = &path[at + 1..];
        let hex = format!("%{:02x}", u32::from(character));
        let twice = format!("%25{:02x}", u32::from(character));
        for instead in [hex.to_uppercase(), hex, twice] {
            all.push(format!("{}{instead}{rest}", &path[..at]));
        }
        if character == '/' {
            for instead in ["//", "///", "/./", "/x/../", "/%2e/", "\\", "/;x/"] {
                all.push(format!("{}{instead}{rest}", &path[..at]));
            }
        }
    }
    let upper: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
    all.extend([format!("/{}", upper.trim_start_matches("%2F")), upper]);
    for end in [
        "/",
        "//",
        "/.",
        "/..",
        ";x",
        ";x=1",
        "?",
        "?a=/login",
        "#",
        "%00",
        "%20",
        ".json",
    ] {
        all.push(format!("{path}{end}"));
    }
    all.push(format!("http://localhost{path}"));
    all.push(format!(
        "http://localhost//{}",
        path.trim_start_matches('/')
    ));
    all.push(format!("/login/..{path}"));
    all.push(format!("/assets/x/..{path}"));
    all.push(path.to_uppercase());
    all.retain(|one| one.starts_with('/') || one.starts_with("http:") || one.starts_with('%'));
    all.sort();
    all.dedup();
    all
}

fn start(token: Option<&str>) -> (Running, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let config = crate::Config {
        listen: "127.0.0.1:0".to_owned(),
        database: directory.path().join("apm.db"),
        secret_token: token.and_then(SecretToken::new),
        workers: 1,
        max_connections: 64,
        ..crate::Config::default()
    };
    (Server::start(config).unwrap(), directory)
}

/// Sends requests and reads the status of each answer; a new connection follows an answer that ends its own.
struct Asker {
    addr: SocketAddr,
    stream: Option<TcpStream>,
}

impl Asker {
    fn status(&mut self, request: &str) -> u16 {
        for _ in 0..2 {
            let mut stream = self.stream.take().unwrap_or_else(|| {
                let stream = TcpStream::connect(self.addr).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(20)))
                    .unwrap();
                stream.set_nodelay(true).unwrap();
                stream
            });
            if stream.write_all(request.as_bytes()).is_err() {
                continue;
            }
            if let Some((status, stays)) = answer(&mut stream, request) {
                self.stream = stays.then_some(stream);
                return status;
            }
        }
        panic!("no answer to {request}");
    }
}

/// The status of an answer, and whether its connection goes on.
fn answer(stream: &mut TcpStream, request: &str) -> Option<(u16, bool)> {
    let mut bytes = Vec::new();
    let mut portion = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(head) = text.find("\r\n\r\n") {
            let (status, head) = (text[9..12].parse().unwrap(), text[..head].to_lowercase());
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            let (whole, length) = match length {
                _ if request.starts_with("HEAD") || status == 304 || status == 204 => (true, 0),
                Some(length) => (bytes.len() >= head.len() + 4 + length, length),
                None => (
                    head.contains("event-stream") || bytes.ends_with(b"0\r\n\r\n"),
                    0,
                ),
            };
            if whole {
                let stays = !head.contains("connection: close") && !head.contains("event-stream");
                return Some((status, stays && bytes.len() <= head.len() + 4 + length));
            }
        }
        match stream.read(&mut portion) {
            Ok(0) => return None,
            Ok(read) => bytes.extend_from_slice(&portion[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}: {request}"),
        }
    }
}

#[actix_web::test]
async fn no_spelling_of_a_guarded_address_opens_it() {
    let (running, directory) = start(Some("hush"));
    let addr = running.addr();
    let seen = actix_web::rt::task::spawn_blocking(move || {
        let mut asker = Asker { addr, stream: None };
        let mut seen = BTreeMap::<u16, u32>::new();
        for route in table() {
            let open = OPEN.contains(&route.rules.path);
            let path = filled(route.rules.path);
            for spelled in spellings(&path).into_iter().filter(|_| !open) {
                for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT"] {
                    let request = format!(
                        "{method} {spelled} HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\n\
                         Content-Length: 0\r\n\r\n"
                    );
                    let status = asker.status(&request);
                    let refused = matches!(status, 400 | 401 | 403 | 404);
                    // The open address of the pages' files has one handler, which reads.
                    let unread = status == 405 && spelled.starts_with("/assets/");
                    assert!(refused || unread, "{status}: {method} {spelled}");
                    // 400 comes from the parser, for what is no address. The intake must not get to say it.
                    if status == 400 {
                        assert!(
                            !spelled.starts_with('/') || spelled.contains('\\'),
                            "{method} {spelled}"
                        );
                    }
                    *seen.entry(status).or_default() += 1;
                }
            }
            // As it stands, a guarded address says that it is guarded, and is no 404.
            for (method, access) in &route.rules.methods {
                let method = method.clone().unwrap_or(Method::GET);
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\n\
                     Content-Length: 0\r\n\r\n"
                );
                let status = asker.status(&request);
                assert_eq!(
                    status == 401,
                    *access != Access::Open,
                    "{status}: {method} {path}"
                );
            }
        }
        seen
    });
    let seen = seen.await.unwrap();
    assert!(seen[&401] > 5_000 && seen[&404] > 5_000, "{seen:?}");
    running.stop(true).await;
    drop(directory);
}

#[actix_web::test]
async fn no_spelling_takes_what_another_site_sends() {
    // Without a token, as it is started by default.
    let (running, directory) = start(None);
    let addr = running.addr();
    let checked = actix_web::rt::task::spawn_blocking(move || {
        let mut asker = Asker { addr, stream: None };
        for route in table() {
            for spelled in spellings(&filled(route.rules.path)) {
                let origins = match route.rules.caller {
                    Caller::Page => {
                        &["Origin: https://evil.example\r\n", "Origin: null\r\n", ""][..]
                    }
                    Caller::Program => &["Origin: https://evil.example\r\n", "Origin: null\r\n"],
                };
                for origin in origins {
                    for method in ["POST", "PUT"] {
                        let request = format!(
                            "{method} {spelled} HTTP/1.1\r\nHost: {addr}\r\n{origin}Content-Length: 0\r\n\r\n"
                        );
                        let status = asker.status(&request);
                        assert!(matches!(status, 400 | 403 | 404), "{status}: {request}");
                    }
                }
                let request = format!("GET {spelled} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
                let status = asker.status(&request);
                assert!(matches!(status, 400 | 403 | 404), "{status}: {request}");
            }
        }
    });
    checked.await.unwrap();
    running.stop(true).await;
    drop(directory);
}
