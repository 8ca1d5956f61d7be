//! Discover and errors, joined by a server with what other servers have.

use std::collections::BTreeSet;

use serde_json::Value;

use super::http::call;
use super::server::Server;
use super::together::wait;
use crate::support::now;

pub(super) const RANGE: &str = "from=now-1h&to=now%2B2m";

/// Sends an error of a service, with a message of several words.
pub(super) fn send_error(server: &Server, service: &str) {
    let body = format!(
        r#"{{"metadata":{{"service":{{"name":"{service}","agent":{{"name":"rust","version":"1"}}}}}}}}
{{"error":{{"id":"{:032x}","timestamp":{},"exception":{{"message":"the shelf is empty","type":"Shelf"}}}}}}"#,
        7,
        now()
    );
    let kind = "application/x-ndjson";
    let path = "/intake/v2/events";
    let answer = call(server.port(), "POST", path, kind, body.as_bytes());
    assert_eq!(answer.expect("an answer").0, 202);
}

/// The ids of all documents that match, page by page, and what the first page says of all.
fn all(server: &Server, query: &str, size: usize) -> (BTreeSet<String>, Value) {
    let query = percent(query);
    let mut found = BTreeSet::new();
    let mut first = Value::Null;
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/discover?q={query}&{RANGE}&size={size}{after}");
        let answer = server.get(&path);
        assert_eq!(answer["elsewhere"]["trouble"], Value::Null, "{query}");
        for hit in answer["hits"].as_array().expect("hits") {
            let of = |pointer: &str| hit.pointer(pointer).and_then(Value::as_str);
            let ids = ["/span/id", "/error/id", "/transaction/id"];
            let id = ids.into_iter().find_map(of).expect("an id");
            assert!(found.insert(id.to_owned()), "{id} comes twice: {query}");
        }
        if first.is_null() {
            first = answer.clone();
        }
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (found, first),
        }
    }
}

pub(super) fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Both servers find the same documents, of which each has a half. `traces`: of two halves with a transaction and a
/// span each, and one error.
pub(super) fn look(servers: &[Server; 2], traces: usize) {
    for (query, wanted, is_counted) in [
        ("", 4 * traces + 1, true),
        (
            "service.name: stock and processor.event: span",
            traces,
            true,
        ),
        ("service.name: s*k", 2 * traces + 1, true),
        ("not service.name: shop", 2 * traces + 1, true),
        // The engine has statements cut, so it cannot count all that match.
        ("span.db.statement: item", traces, false),
        (
            "transaction.duration.us >= 20ms and not parent.id: *",
            traces,
            true,
        ),
        (
            "parent.id: * and processor.event: transaction",
            traces,
            true,
        ),
        ("error.exception.message: \"shelf is\"", 1, false),
        ("\"the shelf is empty\"", 1, false),
        ("service.name: nobody", 0, true),
    ] {
        for server in servers {
            // The newest documents are in the engine, and not to be found yet.
            let mut last = 0;
            wait(&format!("{query}: {wanted} documents"), || {
                last = all(server, query, 100).0.len();
                last == wanted
            });
            let (_, first) = all(server, query, 1000);
            if is_counted {
                assert_eq!(first["total"], wanted, "{query}: {first}");
                assert_eq!(first["complete"], true, "{query}");
                let histogram = first["histogram"].as_array().expect("counts").iter();
                let sum: u64 = histogram.filter_map(Value::as_u64).sum();
                assert_eq!(sum, wanted as u64, "{query}");
                // All of them are newer than a list that was made before.
                let hold = now() - 50 * 60 * 1_000_000;
                let asked = percent(query);
                let path = format!("/api/v1/discover?q={asked}&{RANGE}&size=0&hold={hold},0");
                assert_eq!(server.get(&path)["newer"], wanted, "{query}");
            } else {
                assert!(first["elsewhere"]["remark"].is_string(), "{query}: {first}");
            }
        }
    }
    for server in servers {
        let path = format!("/api/v1/discover?{RANGE}&size=1&group=service.name");
        let answer = server.get(&path);
        let groups = answer["groups"]["groups"]
            .as_array()
            .expect("groups")
            .iter();
        let groups: Vec<_> = groups
            .map(|group| (group["value"].clone(), group["count"].clone()))
            .collect();
        let wanted = [("stock", 2 * traces + 1), ("shop", 2 * traces)];
        let wanted = wanted.map(|(name, count)| (name.into(), count.into()));
        assert_eq!(groups, wanted, "{answer}");
        // An index does not group by the words of a text.
        let path = format!("/api/v1/discover?{RANGE}&size=1&group=message");
        let remark = server.get(&path)["elsewhere"]["remark"].to_string();
        assert!(remark.contains("Groups count"), "{remark}");
    }
    look_at_lines(servers);
    look_at_pages(servers);
    for server in servers {
        let errors = server.get(&format!("/api/v1/services/stock/errors?{RANGE}"));
        let key = errors["errors"][0]["key"]
            .as_str()
            .expect("a key")
            .to_owned();
        let path = format!("/api/v1/services/stock/errors/{key}?{RANGE}");
        let error = server.get(&path);
        let message = error.pointer("/document/error/exception/0/message");
        assert_eq!(
            message.and_then(Value::as_str),
            Some("the shelf is empty"),
            "{error}"
        );
    }
}

/// Instances and versions are those of all servers. Under a filter they are made of events of one server, and say so.
fn look_at_pages(servers: &[Server; 2]) {
    for server in servers {
        for page in ["instances", "versions"] {
            for (filter, is_part) in [("", false), ("?q=transaction.type%3A+request", true)] {
                let path = format!("/services/shop/{page}{filter}");
                let answer = call(server.port(), "GET", &path, "text/html", b"");
                let (status, page) = answer.expect("an answer");
                assert_eq!(status, 200, "{path}");
                let page = String::from_utf8_lossy(&page);
                let says = page.contains("events that this server got");
                assert_eq!(says, is_part, "{path}");
            }
        }
    }
}

/// Both servers list the lines of both, with the counts of their levels, and lead from a line to its trace.
fn look_at_lines(servers: &[Server; 2]) {
    const EACH: usize = 30;
    for (at, server) in servers.iter().enumerate() {
        let service = ["shop", "stock"][at];
        let mut body = format!(
            r#"{{"metadata":{{"service":{{"name":"{service}","agent":{{"name":"rust","version":"1"}}}}}}}}"#
        );
        for n in 0..EACH {
            let level = if n % 3 == 0 { "ERROR" } else { "info" };
            let time = now() - n as i64 * 1000;
            body += &format!(
                r#"
{{"log":{{"log.level":"{level}","message":"line {n} of {service}","trace.id":"{:032x}","@timestamp":{time}}}}}"#,
                1
            );
        }
        let kind = "application/x-ndjson";
        let path = "/intake/v2/events";
        let answer = call(server.port(), "POST", path, kind, body.as_bytes());
        assert_eq!(answer.expect("an answer").0, 202);
        server.wait_until_sent();
    }
    for server in servers {
        for (filter, wanted, errors) in [
            ("", 2 * EACH, 2 * EACH / 3),
            ("&level=error", 2 * EACH / 3, 2 * EACH / 3),
            ("&service=stock", EACH, EACH / 3),
            ("&q=message:+stock+and+log.level:+info", 2 * EACH / 3, 0),
        ] {
            let path = format!("/api/v1/logs?{RANGE}{filter}&size=1000");
            let mut answer = Value::Null;
            wait(&format!("{wanted} lines: {filter}"), || {
                answer = server.get(&path);
                answer["lines"].as_array().expect("lines").len() == wanted
                    && answer["total"] == wanted
            });
            let level = &answer["levels"][0];
            let wanted_errors = if filter.contains("q=") { 0 } else { errors };
            assert_eq!(
                (&level["severity"], &level["count"]),
                (&"error".into(), &wanted_errors.into()),
                "{filter}"
            );
            assert_eq!(answer["elsewhere"]["trouble"], Value::Null, "{filter}");
        }
        // Page by page each comes once.
        let mut seen = BTreeSet::new();
        let mut after = String::new();
        loop {
            let answer = server.get(&format!("/api/v1/logs?{RANGE}&size=7{after}"));
            for line in answer["lines"].as_array().expect("lines") {
                let message = line["message"].as_str().expect("a message").to_owned();
                assert!(seen.insert(message), "{line} comes twice");
            }
            match answer["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 2 * EACH);
        let trace = server.get(&format!("/api/v1/traces/{:032x}", 1));
        let lines = trace["logs"].as_array().map(Vec::len);
        assert_eq!(lines, Some(2 * EACH), "{trace}");
    }
}
