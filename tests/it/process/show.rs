//! Commands that print what a running server knows, and the backup of its file.

use super::{Ended, command, fails, succeeds};

/// Starts the APM server alone, and returns it with its URL.
pub(super) fn server(dir: &tempfile::TempDir, database: &str) -> (Ended, String) {
    let line = [
        "server",
        "--apm-listen",
        "127.0.0.1:0",
        "--apm-database",
        database,
    ];
    let mut server = Ended::start(command(dir).args(line));
    let said = server.lines().next().unwrap();
    (server, said.split_whitespace().last().unwrap().to_owned())
}

/// A service's name that a terminal must not obey.
const HOSTILE: &str = r#"{"metadata":{"service":{"name":"evil","agent":{"name":"a","version":"1"}}}}
{"log":{"message":"red\u001b[31m\u202e\nline","log.level":"warn","trace.id":"0af7651916cd43dd8448eb211c80319c"}}
{"log":{"message":"second","log.level":"info"}}
"#;

#[test]
fn lists_show_the_numbers_of_the_api_as_a_table_as_csv_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, "apm.db");
    let at = ["--server", &url];
    succeeds(
        &dir,
        &[
            &["generate", "--traces", "1000", "--window", "10m"][..],
            &at,
        ]
        .concat(),
    );

    for (list, some, heads) in [
        ("services", &[][..], &["Per minute"][..]),
        ("queries", &["--service", "demo-app"], &["Statement"]),
        ("traces", &["-q", "transaction.duration.us > 1"], &["Trace"]),
        ("errors", &["--since", "1h"], &["Raised in"]),
        ("dependencies", &["-n", "3"], &["Dependency"]),
        ("transactions", &["--service", "demo-app"], &["Requests"]),
        // The server may look for them before or after this.
        ("insights", &[], &["No issues found.", "Remedy"]),
    ] {
        let line = [&[list][..], some, &at].concat();
        // The output of a test is a pipe.
        let csv = succeeds(&dir, &line);
        assert!(csv.lines().next().unwrap().contains(','), "{list}: {csv}");
        let table = succeeds(&dir, &[&line[..], &["--format", "table"]].concat());
        let has_head = heads.iter().any(|head| table.contains(head));
        assert!(has_head, "{list}: {table}");
        assert!(
            table.lines().count() >= csv.lines().count().min(2),
            "{list}: {table}"
        );
        let json = succeeds(&dir, &[&line[..], &["--format", "json"]].concat());
        assert!(
            serde_json::from_str::<serde_json::Value>(&json).is_ok(),
            "{json}"
        );
    }
    let csv = succeeds(&dir, &[&["services", "--since", "1h"][..], &at].concat());
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let place = heads
        .iter()
        .position(|name| name == "transactions")
        .unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let table = succeeds(
        &dir,
        &[&["services", "--since", "1h", "--format", "table"][..], &at].concat(),
    );
    for row in &rows {
        let line = table
            .lines()
            .find(|line| line.contains(&row[0]))
            .expect(&table);
        assert!(
            line.split_whitespace().any(|word| word == &row[place]),
            "{line}"
        );
    }
    assert_eq!(rows.len(), 4, "{csv}");

    let csv = succeeds(&dir, &[&["traces", "-n", "1"][..], &at].concat());
    let id = csv.lines().nth(1).unwrap().split(',').next().unwrap();
    let trace = succeeds(&dir, &[&["trace", id][..], &at].concat());
    assert!(
        trace.starts_with(&format!("trace {id}")) && trace.contains('█'),
        "{trace}"
    );

    for (line, said) in [
        (&["transactions"][..], "--service"),
        (&["traces", "-q", "a: ("], "expected a value"),
        (&["traces", "--since", "yesteryear"], "yesteryear"),
        (&["trace", "ffffffffffffffffffffffffffffffff"], "404"),
        (&["top"], "terminal"),
    ] {
        let error = fails(&dir, &[line, &at].concat());
        assert!(error.contains(said), "{line:?}: {error}");
    }
    let error = fails(&dir, &["services", "--server", "http://127.0.0.1:1"]);
    assert!(error.contains("is a server running there"), "{error}");
}

#[test]
fn logs_are_printed_in_their_order_without_what_a_terminal_would_obey() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, "apm.db");
    let at = ["--server", &url];
    std::fs::write(dir.path().join("logs.ndjson"), HOSTILE).unwrap();
    succeeds(&dir, &[&["import", "logs.ndjson"][..], &at].concat());
    let logs = succeeds(&dir, &[&["logs", "--service", "evil"][..], &at].concat());
    let lines: Vec<&str> = logs.lines().collect();
    assert_eq!(lines.len(), 2, "{logs}");
    assert!(
        !logs.contains('\u{1b}') && !logs.contains('\u{202e}'),
        "{logs}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("WARN") && line.contains("trace=0af7")),
        "{logs}"
    );
    let json = succeeds(&dir, &[&["logs", "--format", "json"][..], &at].concat());
    assert_eq!(json.lines().count(), 2, "{json}");

    let line = [&["logs", "--follow"][..], &at].concat();
    let mut follow = Ended::start(command(&dir).args(line));
    let mut lines = follow.lines();
    for _ in 0..2 {
        lines.next().unwrap();
    }
    let third = HOSTILE.replace("second", "third").replace("red", "blue");
    std::fs::write(dir.path().join("logs.ndjson"), third).unwrap();
    succeeds(&dir, &[&["import", "logs.ndjson"][..], &at].concat());
    let next = [lines.next().unwrap(), lines.next().unwrap()].concat();
    assert!(next.contains("third") && next.contains("blue"), "{next}");
    // More at once than `--limit` names for the beginning.
    let head = HOSTILE.lines().next().unwrap();
    let many: String = (0..70)
        .map(|number| format!("{{\"log\":{{\"message\":\"one of many {number}.\"}}}}\n"))
        .collect();
    std::fs::write(dir.path().join("logs.ndjson"), format!("{head}\n{many}")).unwrap();
    succeeds(&dir, &[&["import", "logs.ndjson"][..], &at].concat());
    let next: Vec<String> = lines.by_ref().take(70).collect();
    for number in 0..70 {
        let line = format!("one of many {number}.");
        let times = next.iter().filter(|next| next.contains(&line)).count();
        assert_eq!(times, 1, "{line}");
    }
}

#[test]
fn a_backup_of_a_running_server_is_checked_and_can_be_served() {
    let dir = tempfile::tempdir().unwrap();
    let (running, url) = server(&dir, "apm.db");
    let generate = [
        "generate", "--traces", "300", "--window", "10m", "--server", &url,
    ];
    succeeds(&dir, &generate);
    let count = |url: &str| {
        let line = [
            "traces", "--format", "json", "-n", "1000", "--since", "1h", "--server", url,
        ];
        let said: serde_json::Value = serde_json::from_str(&succeeds(&dir, &line)).unwrap();
        assert_eq!(said["traces"].as_array().unwrap().len(), 300);
        said["traces"].clone()
    };
    let before = count(&url);
    let said = succeeds(&dir, &["backup", "copy.db"]);
    assert!(said.contains("all of them checked"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = dir
            .path()
            .join("copy.db")
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!dir.path().join("copy.db.partial").exists());
    drop(running);
    let (_server, url) = server(&dir, "copy.db");
    assert_eq!(count(&url), before);

    for (line, said) in [
        (&["backup", "copy.db"][..], "copy.db exists already"),
        (&["backup", "b.db", "--apm-database", "none.db"], "none.db"),
        (&["backup", "no/such/b.db"], "no/such/b.db"),
    ] {
        let error = fails(&dir, line);
        assert!(error.contains(said), "{line:?}: {error}");
    }
    std::fs::write(dir.path().join("text.db"), "no database").unwrap();
    let error = fails(&dir, &["backup", "b.db", "--apm-database", "text.db"]);
    assert!(error.contains("not a database of pocket-apm"), "{error}");
    assert!(!dir.path().join("b.db").exists() && !dir.path().join("none.db").exists());
}

#[test]
fn a_damaged_block_makes_no_backup() {
    let dir = tempfile::tempdir().unwrap();
    let (running, url) = server(&dir, "apm.db");
    succeeds(
        &dir,
        &[
            "generate", "--traces", "100", "--window", "10m", "--server", &url,
        ],
    );
    drop(running);
    let path = dir.path().join("apm.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    let changed = conn
        .execute(
            "UPDATE block SET data = substr(data, 1, length(data) - 9) || zeroblob(9)",
            (),
        )
        .unwrap();
    assert!(changed > 0);
    drop(conn);
    let error = fails(&dir, &["backup", "copy.db"]);
    assert!(error.contains("damaged"), "{error}");
    assert!(!dir.path().join("copy.db").exists() && !dir.path().join("copy.db.partial").exists());
}

#[test]
fn completions_and_the_manual_page_name_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeds(&dir, &["completions", shell]);
        assert!(
            script.contains("migrate-check") && script.contains("apm-listen"),
            "{shell}"
        );
    }
    let page = succeeds(&dir, &["man"]);
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(page.contains("backup"), "{page}");
}
