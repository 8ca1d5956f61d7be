//! The log of the binary as JSON.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use super::{Ended, command, get, start_with};

/// Fields that each line has, and fields that a line may have, as docs/operating.md lists them.
fn documented() -> [BTreeSet<String>; 2] {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    ["| every line | ", "| some lines | "].map(|start| {
        let row = page.lines().find_map(|line| line.strip_prefix(start));
        let names = row.unwrap_or_else(|| panic!("no row {start}"));
        names
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    })
}

/// The fields of a line, which has to be an object of JSON.
fn fields(line: &str) -> serde_json::Map<String, Value> {
    let read = serde_json::from_str(line);
    read.unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn check(lines: &[String]) {
    let [every, some] = documented();
    for line in lines {
        let fields = fields(line);
        let names: BTreeSet<String> = fields.keys().cloned().collect();
        assert!(names.is_superset(&every), "{line}");
        let others: Vec<_> = names.difference(&every).collect();
        assert!(others.iter().all(|name| some.contains(*name)), "{line}");
        assert!(
            ["error", "warn", "info", "debug", "trace"]
                .contains(&fields["log.level"].as_str().unwrap()),
            "{line}"
        );
        let time = fields["@timestamp"].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z'), "{line}");
    }
}

#[actix_web::test]
async fn each_line_of_the_log_is_json_with_the_fields_of_the_documentation() {
    let dir = tempfile::tempdir().unwrap();
    let json = ["--log-format", "json"];
    let (mut child, service, _) = start_with(
        &dir,
        &[&json[..], &["--upstream-url", "http://127.0.0.1:1/a"]].concat(),
    );
    get(&format!("{service}/upstream")).await;
    get(&format!("{service}/5xx")).await;
    let output = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = Vec::new();
    // The panic of the second request is logged after the first one's trouble.
    for line in output.map(Result::unwrap) {
        let is_last = line.contains("panicked at");
        lines.push(line);
        if is_last {
            break;
        }
    }
    check(&lines);
    let inside = lines
        .iter()
        .find(|line| line.contains("could not be reached"));
    let inside = fields(inside.expect("the line"));
    for (name, length) in [("trace.id", 32), ("transaction.id", 16)] {
        assert_eq!(inside[name].as_str().unwrap().len(), length, "{inside:?}");
    }
    assert_eq!(inside["service.name"], "my-app-01");
}

#[test]
fn the_server_alone_writes_its_log_as_json_too() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let mut child = Ended::start(
        command(&dir)
            .args([
                "server",
                "--apm-listen",
                "127.0.0.1:0",
                "--log-format",
                "json",
            ])
            .args(["--apm-otlp-listen", &addr]),
    );
    let said = child.lines().next().unwrap();
    assert!(said.starts_with("APM"), "{said}");
    let log = child.kill();
    let lines: Vec<String> = log.lines().map(str::to_owned).collect();
    check(&lines);
    let refused = lines.iter().find(|line| line.contains(&addr));
    let refused = fields(refused.unwrap_or_else(|| panic!("{log}")));
    let level = refused["log.level"].as_str().unwrap();
    assert!(["warn", "error"].contains(&level), "{refused:?}");
}
