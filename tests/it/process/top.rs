//! `pocket-apm top` on a terminal, which `script` of util-linux makes.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Instant;

use super::show::server;
use super::{Ended, succeeds};
use crate::support::DEADLINE;

/// The beginning of a drawing.
const CLEAR: &str = "\x1b[H\x1b[J";

/// A statement that a terminal must not obey.
const HOSTILE: &str = concat!(
    r#"{"metadata":{"service":{"name":"hostile","agent":{"name":"a","version":"1"}}}}"#,
    "\n",
    r#"{"transaction":{"id":"00000000000000a1","trace_id":"0af7651916cd43dd8448eb211c80319c","#,
    r#""name":"GET /","type":"request","duration":900000,"span_count":{"started":1}}}"#,
    "\n",
    r#"{"span":{"id":"00000000000000b1","transaction_id":"00000000000000a1","#,
    r#""parent_id":"00000000000000a1","trace_id":"0af7651916cd43dd8448eb211c80319c","#,
    r#""name":"SELECT","type":"db","subtype":"sqlite","start":1,"duration":800000,"#,
    r#""context":{"db":{"type":"sql","statement":"SELECT \"a\u001bb\" FROM people"}}}}"#,
    "\n"
);

/// The first drawing of `top` on a terminal of some rows.
fn drawn(dir: &tempfile::TempDir, url: &str, rows: u16) -> String {
    let binary = env!("CARGO_BIN_EXE_pocket-apm");
    let line = format!("stty rows {rows} cols 200; exec {binary} top --since 1h --server {url}");
    let script = test_support::tool("script").expect("a Linux has util-linux");
    let mut child = crate::support::command(script.to_str().unwrap(), dir);
    let mut child = Ended::start(
        child
            .args(["-qefc", &line, "/dev/null"])
            .stdin(Stdio::null()),
    );
    let mut output = child.stdout.take().unwrap();
    let started = Instant::now();
    let (mut said, mut part) = (Vec::new(), [0; 4096]);
    // The second drawing begins when the first one is whole.
    loop {
        let read = output.read(&mut part).unwrap();
        said.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&said);
        let mut drawings = text.split(CLEAR).skip(1);
        if let (Some(first), Some(_)) = (drawings.next(), drawings.next()) {
            return first.replace('\r', "");
        }
        assert!(read > 0 && started.elapsed() < DEADLINE, "{text}");
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the `script` of util-linux")]
fn top_draws_services_and_statements_that_fit_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, "apm.db");
    let at = ["--server", &*url];
    let generate = ["generate", "--traces", "200", "--window", "10m"];
    succeeds(&dir, &[&generate[..], &at].concat());
    std::fs::write(dir.path().join("hostile.ndjson"), HOSTILE).unwrap();
    succeeds(&dir, &[&["import", "hostile.ndjson"][..], &at].concat());

    let large = drawn(&dir, &url, 100);
    let head = format!("{url} · since 1h · Ctrl+C ends");
    assert_eq!(large.lines().next(), Some(&*head), "{large}");
    let csv = |list: &str| {
        let line = [&[list, "--since", "1h"][..], &at].concat();
        succeeds(&dir, &line)
    };
    let services = csv("services");
    let names = services
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next());
    let names: Vec<_> = names.collect();
    assert_eq!(names.len(), 5, "{services}");
    for name in names {
        assert!(large.contains(&format!("\n {name} ")), "{name}: {large}");
    }
    for head in ["Service", "Per minute", "Statement"] {
        assert!(large.contains(head), "no {head}: {large}");
    }
    // The most expensive statement is the hostile one, without what a terminal obeys.
    let statements = large.split("Statement").nth(1).unwrap();
    assert!(statements.contains("a�b"), "{large}");
    assert!(!large.contains('\x1b'), "{large:?}");

    // Both lists are there where they have to be cut, with the largest of each.
    let small = drawn(&dir, &url, 12);
    assert!(small.lines().count() < 12, "{small}");
    assert_eq!(small.lines().next(), Some(&*head), "{small}");
    for word in ["Service", "hostile", "Statement", "FROM people"] {
        assert!(small.contains(word), "no {word}: {small}");
    }
}
