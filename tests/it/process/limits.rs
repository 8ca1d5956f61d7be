//! The binary in a shell that gives it little: signals, a closed output, few files, small files.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{WRITES, command, start, stored_writes};
use crate::support::{self, DEADLINE, Ended, addresses, get, signal};

/// Runs the binary in a shell, after `prelude`.
pub(super) fn shell(dir: &tempfile::TempDir, prelude: &str, arguments: &str) -> Command {
    let line = format!(
        "{prelude} exec {} {arguments}",
        env!("CARGO_BIN_EXE_pocket-apm")
    );
    let mut command = support::command("sh", dir);
    command.args(["-c", &line]);
    command
}

pub(super) const FREE_PORTS: &str = "--listen 127.0.0.1:0 --apm-listen 127.0.0.1:0";

/// The status of a process that ends within a time.
pub(super) async fn exit(child: &mut Child, within: Duration) -> Option<std::process::ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if started.elapsed() > within {
            return None;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks it to stop, and waits until it has ended well.
pub(super) async fn stop(child: &mut Child) {
    signal(child, "TERM");
    let status = exit(child, DEADLINE).await.expect("it stops");
    assert!(status.success(), "{status}");
}

#[actix_web::test]
async fn a_closed_terminal_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    // Tests that `nohup` started ignore the signal, and a program takes that over.
    let mut program = support::command("env", &dir);
    program.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_pocket-apm")]);
    let mut child = Ended::start(program.args(FREE_PORTS.split(' ')));
    let [service, _] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    for _ in 0..50 {
        assert_eq!(get(&format!("{service}/sql-write")).await.status, 200);
    }
    signal(&child, "HUP");
    let status = exit(&mut child, DEADLINE).await.expect("it stops");
    assert!(status.success(), "{status}");
    assert_eq!(stored_writes(&dir).await, 50);
}

#[actix_web::test]
async fn what_nohup_started_goes_on_after_a_hangup() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Ended::start(&mut shell(&dir, "trap '' HUP;", FREE_PORTS));
    let [service, _] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    signal(&child, "HUP");
    assert_eq!(get(&service).await.status, 200);
    assert!(exit(&mut child, Duration::from_millis(300)).await.is_none());
    stop(&mut child).await;
}

#[actix_web::test]
async fn an_output_that_takes_nothing_is_logged_and_the_service_runs() {
    for redirection in ["> /dev/full", "| true"] {
        let dir = tempfile::tempdir().unwrap();
        // Of a pipeline, only this process writes to standard error.
        let mut child = match redirection {
            "| true" => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                let mut child = shell(&dir, "", FREE_PORTS);
                Ended::start(child.stdout(writer))
            }
            redirection => {
                let arguments = format!("{FREE_PORTS} {redirection}");
                Ended::start(&mut shell(&dir, "", &arguments))
            }
        };
        let [service, apm] = addresses(child.stderr.take().unwrap(), ["service  ", "APM  "]);
        assert_eq!(get(&service).await.status, 200, "{redirection}");
        assert_eq!(
            get(&format!("{apm}/healthz")).await.status,
            200,
            "{redirection}"
        );
        stop(&mut child).await;
    }
}

#[actix_web::test]
async fn too_few_open_files_are_an_error_that_names_the_remedy() {
    for (limit, subcommand) in [
        (24, ""),
        (24, "server"),
        (128, "server --apm-listen 127.0.0.1:0"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let prelude = format!("ulimit -n {limit};");
        let mut child = Ended::start(&mut shell(&dir, &prelude, subcommand));
        let status = exit(&mut child, DEADLINE).await.expect("no hang");
        let error = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(status.code(), Some(1), "{error}");
        assert!(error.contains("ulimit -n 1024"), "{error}");
        assert!(
            error.contains(&format!("may open {limit} files")),
            "{error}"
        );
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            0,
            "files are left"
        );
    }
}

#[actix_web::test]
async fn the_fewest_files_that_are_taken_are_enough() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = format!("{FREE_PORTS} --workers 2");
    let mut child = Ended::start(&mut shell(&dir, "ulimit -n 180;", &arguments));
    let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    let mut asked = Vec::new();
    for number in 0..100 {
        let path = ["/sql-write", "/sql-read", "/upstream"][number % 3];
        asked.push(get(&format!("{service}{path}")).await.status);
    }
    assert!(
        asked.iter().all(|status| [200, 404, 502].contains(status)),
        "{asked:?}"
    );
    // More connections than there are files.
    let address = apm.trim_start_matches("http://").to_owned();
    let held: Vec<_> = (0..300)
        .map(|_| std::net::TcpStream::connect(&address).unwrap())
        .collect();
    assert_eq!(get(&format!("{apm}/healthz")).await.status, 200);
    drop(held);
    let url = format!("{apm}{WRITES}");
    let started = Instant::now();
    while get(&url).await.json()["total"] != 34 {
        assert!(started.elapsed() < DEADLINE, "{}", get(&url).await.body);
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    stop(&mut child).await;
}

#[actix_web::test]
async fn files_that_may_not_grow_are_a_503_and_no_death() {
    let dir = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes: 2 MiB. While the schema is made, its log takes more than one.
    let mut child = Ended::start(&mut shell(&dir, "ulimit -f 4096;", FREE_PORTS));
    let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    let started = Instant::now();
    let refused = loop {
        let answer = get(&format!("{service}/sql-write")).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the files still grow"
        );
    };
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(get(&service).await.status, 200);
    assert!(get(&format!("{service}/sql-read")).await.status == 200);
    // The server's own file is as small. It answers one or the other, and lives.
    let health = get(&format!("{apm}/healthz")).await.status;
    assert!([200, 503].contains(&health), "{health}");
    stop(&mut child).await;
}

#[test]
fn errors_are_printed_whatever_the_log_is_set_to() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (vec!["sql", "DELETE FROM tx"], "error: "),
        (vec!["import", "none.ndjson"], "cannot open none.ndjson"),
        (vec!["check", "--no-repeats"], "cannot check"),
        (
            vec!["--listen", "127.0.0.1:0", "--apm-database", "."],
            "error: ",
        ),
    ] {
        let output = command(&dir)
            .args(&arguments)
            .env("RUST_LOG", "off")
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_refused_whatever_it_is_named_for() {
    let dir = tempfile::tempdir().expect("a directory");
    for arguments in [
        "server --apm-listen 127.0.0.1:0 --apm-secret-token-file /dev/zero",
        "server --apm-listen 127.0.0.1:0 --apm-api-key-file /dev/zero",
        "apikey list --apm-api-key-file /dev/zero",
        "apikey create x --privileges read --apm-api-key-file /dev/zero",
        "sourcemap upload /dev/zero --service-name x --service-version 1 --bundle-path /a.js",
    ] {
        let done = command(&dir)
            .args(arguments.split(' '))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success(), "{arguments}");
        assert!(said.contains("/dev/zero"), "{arguments}: {said}");
        assert!(said.contains("has more than"), "{arguments}: {said}");
    }
}

#[test]
fn a_path_that_is_no_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "these are notes").unwrap();
    for path in ["folder", "notes.txt", ".", "/tmp"] {
        let output = command(&dir)
            .args([
                "server",
                "--apm-listen",
                "127.0.0.1:0",
                "--apm-database",
                path,
            ])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(path), "{error}");
    }
    let mut left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["folder", "notes.txt"]);
    assert!(!std::path::Path::new("/tmp.lock").exists());
}

#[test]
fn an_import_without_events_says_so_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let metadata = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
    for (text, said) in [
        (String::new(), "is empty"),
        ("\n \n".to_owned(), "is empty"),
        (format!("{metadata}\n"), "no events"),
        (format!("{metadata}\n\n{metadata}\n"), "no events"),
    ] {
        let path = dir.path().join("recorded.ndjson");
        std::fs::write(&path, &text).unwrap();
        // Nobody listens there: nothing has to be sent to say so.
        let output = command(&dir)
            .args([
                "import",
                "recorded.ndjson",
                "--server",
                "http://127.0.0.1:1",
            ])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text:?}: {error}");
        assert!(error.contains(said), "{text:?}: {error}");
    }
}

#[actix_web::test]
async fn the_service_speaks_no_http_2_and_answers_requests_for_other_protocols() {
    use std::io::{Read as _, Write as _};
    let dir = tempfile::tempdir().unwrap();
    let (_child, service, _) = start(&dir);
    let address = service.trim_start_matches("http://").to_owned();
    for (request, answer) in [
        (
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
            "HTTP/1.1 4",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \
                AAMAAABk\r\n\r\n",
            "HTTP/1.1 200",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 200",
        ),
    ] {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = [0; 256];
        let length = stream.read(&mut said).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[..length]);
        assert!(said.starts_with(answer), "{request:?}: {said:?}");
    }
}
