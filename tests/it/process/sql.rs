//! `pocket-apm sql`: where a statement comes from, where it is asked, and the forms of its rows.

use std::io::Write as _;
use std::process::{Output, Stdio};

use super::show::server;
use super::{command, fails, succeeds};

/// Runs the binary with a text on its standard input.
fn run_with(dir: &tempfile::TempDir, line: &[&str], input: &str) -> Output {
    let mut child = command(dir)
        .args(line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Dropped at the end of the statement, which ends the input.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    written.unwrap();
    child.wait_with_output().unwrap()
}

/// Rows with a number, a text that a spreadsheet would run, and one that a terminal would obey.
const QUESTION: &str = "SELECT 1 AS n, '=1+1' AS formula, char(27) || '[31m' AS red, NULL AS none";
const ROWS: &str = "n,formula,red,none\r\n1,=1+1,\u{1b}[31m,\r\n";

#[test]
fn a_statement_is_an_argument_or_the_standard_input_and_asks_a_file_or_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, "apm.db");
    for at in [&["--apm-database", "apm.db"][..], &["--server", &url]] {
        let given = succeeds(&dir, &[&["sql", QUESTION][..], at].concat());
        assert_eq!(given, ROWS, "{at:?}");
        for line in [&["sql"][..], &["sql", "-"]] {
            let piped = run_with(&dir, &[line, at].concat(), &format!("{QUESTION};\n"));
            assert_eq!(String::from_utf8(piped.stdout).unwrap(), ROWS, "{at:?}");
        }
        let table = succeeds(
            &dir,
            &[&["sql", QUESTION, "--format", "table"][..], at].concat(),
        );
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 2, "{table}");
        assert!(lines[0].contains("formula") && lines[1].contains("=1+1"));
        assert!(!table.contains('\u{1b}'), "{table}");
        for form in [&["--json"][..], &["--format", "json"]] {
            let json = succeeds(&dir, &[&["sql", QUESTION][..], form, at].concat());
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(
                json["rows"][0],
                serde_json::json!([1, "=1+1", "\u{1b}[31m", null])
            );
        }
        let error = fails(&dir, &[&["sql", "DELETE FROM tx"][..], at].concat());
        assert!(error.contains("error: "), "{error}");
    }
    let empty = run_with(&dir, &["sql"], " \n");
    let error = String::from_utf8(empty.stderr).unwrap();
    assert!(
        !empty.status.success() && error.contains("there is no statement"),
        "{error}"
    );
    let error = fails(&dir, &["sql", "SELECT 1", "--server", "http://127.0.0.1:1"]);
    assert!(error.contains("is a server running there"), "{error}");
}
