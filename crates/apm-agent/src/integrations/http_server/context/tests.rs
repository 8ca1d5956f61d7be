use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::*;
use crate::config::{Config, LocalSources};
use crate::integrations::http_server::remembered::Remembered;

type Pairs = Vec<(String, &'static str)>;

/// A request or a response with its headers.
#[derive(Debug)]
struct Message {
    head: Head<'static>,
    status: u16,
    headers: Pairs,
}

impl Message {
    fn write(&self, settings: &Snapshot, cache: &mut HeaderCache<String>) -> String {
        let headers = || {
            let pairs = self.headers.iter();
            pairs.map(|(name, value)| (name, value.as_bytes()))
        };
        let of = |wanted: &str| self.headers.iter().find(|(name, _)| name == wanted);
        let origin = || {
            let host = of("host").map(|(_, value)| *value).or(self.head.authority);
            (self.head.secure, host.map(Cow::Borrowed))
        };
        let cookies = || of("cookie").map(|(_, value)| value.as_bytes());
        let mut out = b"{".to_vec();
        self.head
            .write(&mut out, settings, cache, headers, origin, cookies);
        let answer = (place(self.head.path), self.status);
        write_response(&mut out, answer, settings, cache, headers);
        out.pop();
        out.push(b'}');
        String::from_utf8(out).unwrap()
    }
}

fn pairs(pairs: &[(&str, &'static str)]) -> Pairs {
    let pairs = pairs.iter().copied();
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn message() -> Message {
    Message {
        head: Head {
            method: "GET",
            version: "1.1",
            secure: false,
            authority: None,
            path: "/people",
            query: None,
            peer: Some(Ipv4Addr::LOCALHOST.into()),
        },
        status: 200,
        headers: pairs(&[
            ("host", "a.example:8"),
            ("accept", "*/*"),
            ("authorization", "Bearer one"),
        ]),
    }
}

/// Settings of a generation of their own.
fn settings(capture_headers: &str) -> Arc<Snapshot> {
    settings_of(&[("capture_headers", capture_headers)])
}

fn settings_of(options: &[(&str, &str)]) -> Arc<Snapshot> {
    let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let sources = LocalSources {
        code: options.iter().map(option).collect(),
        ..LocalSources::default()
    };
    Config::resolve(sources).0.snapshot()
}

#[test]
fn a_message_is_written_alike_whether_another_is_remembered_or_not() {
    let changes: [fn(&mut Message); 18] = [
        |_| {},
        |message| message.head.method = "POST",
        |message| message.head.version = "2.0",
        |message| message.head.secure = true,
        |message| message.head.authority = Some("b.example"),
        |message| message.head.path = "/peoplf",
        // In the same place.
        |message| message.head.path = "/qeople",
        |message| message.head.path = "/people;token=secret",
        |message| message.head.query = Some("page=2"),
        |message| message.head.query = Some(""),
        |message| message.head.peer = Some(Ipv6Addr::LOCALHOST.into()),
        |message| message.head.peer = None,
        |message| message.status = 404,
        |message| message.headers[0].1 = "b.example",
        |message| message.headers.swap(0, 1),
        |message| drop(message.headers.pop()),
        |message| message.headers.extend(pairs(&[("cookie", "theme=dark")])),
        |message| {
            message
                .headers
                .extend(pairs(&[("referer", "https://c.example/?token=1")]))
        },
    ];
    for capture_headers in ["true", "false"] {
        let [settings, others] = [(); 2].map(|()| settings(capture_headers));
        let mut cache = HeaderCache::default();
        // Each after each, and several times, so that it is remembered.
        for (one, other) in changes
            .iter()
            .flat_map(|one| changes.iter().map(move |other| (one, other)))
        {
            for change in [one, one, one, other, one] {
                let mut message = message();
                change(&mut message);
                let expected = message.write(&settings, &mut HeaderCache::default());
                assert_eq!(message.write(&settings, &mut cache), expected);
                serde_json::from_str::<serde_json::Value>(&expected).unwrap();
            }
            let mut message = message();
            one(&mut message);
            let expected = message.write(&others, &mut HeaderCache::default());
            assert_eq!(message.write(&others, &mut cache), expected);
        }
    }
}

#[test]
fn the_value_of_a_secret_header_is_neither_compared_nor_kept() {
    let settings = settings("true");
    let mut cache = HeaderCache::default();
    let mut message = message();
    let first = message.write(&settings, &mut cache);
    assert!(first.contains("[REDACTED]"), "{first}");
    message.headers[2].1 = "Bearer two";
    assert_eq!(message.write(&settings, &mut cache), first);
    let kept = format!("{cache:?}");
    assert!(kept.contains("was_met: true"), "{kept}");
    assert!(!kept.contains("Bearer"), "{kept}");
}

#[test]
fn a_host_whose_header_is_secret_stands_in_the_url_of_its_own_requests() {
    let settings = settings_of(&[("sanitize_field_names", "*host*, authorization")]);
    let mut cache = HeaderCache::default();
    for host in ["a.example", "a.example", "a.example", "b.example"] {
        let mut message = message();
        message.headers[0].1 = host;
        let written = message.write(&settings, &mut cache);
        assert!(
            written.contains(&format!("http://{host}/people")),
            "{written}"
        );
        assert_eq!(
            written,
            message.write(&settings, &mut HeaderCache::default())
        );
    }
}

#[test]
fn what_is_kept_of_a_message_has_a_bound_also_where_no_header_is_recorded() {
    let long: &str = Box::leak("x".repeat(LONGEST + 1).into_boxed_str());
    for (path, value) in [("/people", long), (long, "*/*")] {
        let settings = settings("false");
        let mut cache = HeaderCache::default();
        let mut message = message();
        message.head.path = path;
        message.headers[1].1 = value;
        for _ in 0..100 {
            message.write(&settings, &mut cache);
        }
        let kept = format!("{cache:?}");
        assert!(kept.len() < LONGEST, "{} bytes", kept.len());
    }
}

#[test]
fn messages_that_are_never_alike_are_remembered_ever_less() {
    const MESSAGES: usize = 1_000;
    let mut remembered = Remembered::<u16, String>::default();
    let wanted = (0..MESSAGES)
        .filter(|_| {
            let is_wanted = remembered.is_wanted(0);
            if is_wanted {
                remembered.keep(0, 1, &200, Vec::new(), b"{}");
            }
            is_wanted
        })
        .count();
    assert!((2..MESSAGES / 40).contains(&wanted), "{wanted}");
    // One that is met is remembered again soon.
    let mut out = Vec::new();
    while !remembered.write(&mut out, 0, 1, &200, std::iter::empty()) {
        if remembered.is_wanted(0) {
            remembered.keep(0, 1, &200, Vec::new(), b"{}");
        }
    }
    assert_eq!(out, b"{}");
    let until_wanted = |remembered: &mut Remembered<u16, String>| {
        (0..MESSAGES)
            .take_while(|_| !remembered.is_wanted(0))
            .count()
    };
    until_wanted(&mut remembered);
    assert!(until_wanted(&mut remembered) <= 4);
}
