//! `pocket-apm advise`, `migrate-check` and `check --baseline` on the article's own service, as a user starts them.

mod noise;
mod served;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, Ended, addresses, get, signal};

const GROUP: &str = "CREATE INDEX people_city ON people (city)";

fn command(dir: &TempDir, args: &[&str]) -> Command {
    let mut command = support::command(env!("CARGO_BIN_EXE_pocket-apm"), dir);
    command.args(args);
    command
}

/// A service with its APM server in a directory, which answered some requests.
struct Recorded {
    dir: TempDir,
    child: Ended,
    service: String,
    apm: String,
}

impl Recorded {
    /// `writes` times /sql-write, then `groups` times /sql-group.
    async fn new(strategy: &str, writes: usize, groups: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Ended::start(&mut command(
            &dir,
            &[
                "--listen",
                "127.0.0.1:0",
                "--apm-listen",
                "127.0.0.1:0",
                "--sql-group",
                strategy,
            ],
        ));
        let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
        for (path, times) in [("sql-write", writes), ("sql-group", groups)] {
            for _ in 0..times {
                assert_eq!(get(&format!("{service}/{path}")).await.status, 200);
            }
        }
        Self {
            dir,
            child,
            service,
            apm,
        }
    }

    /// Stops it: what was recorded is in the file.
    fn stop(&mut self) {
        signal(&self.child, "TERM");
        assert!(self.child.wait().unwrap().success());
    }

    fn run(&self, args: &[&str]) -> Output {
        command(&self.dir, args).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[actix_web::test]
async fn the_articles_service_gets_its_index_where_it_is_read_often_and_not_where_it_is_written_more()
 {
    let mut often = Recorded::new("scan", 40, 200).await;
    often.stop();
    let before = std::fs::read(often.dir.path().join("database.db")).unwrap();
    let advice = often.json(&["advise", "--json"]);
    assert_eq!(
        advice["advice"]["recommended"][0]["change"], GROUP,
        "{advice:#}"
    );
    assert!(
        advice["advice"]["recommended"][0]["writes"][0]["after"]["entries"] == 1.0,
        "{advice:#}"
    );
    assert_eq!(
        advice["advice"]["not_judged"].as_array().unwrap().len(),
        0,
        "{advice:#}"
    );
    let shown = often.run(&["advise"]);
    assert!(shown.status.success());
    let shown = text(&shown);
    for words in [
        GROUP,
        "USING COVERING INDEX people_city",
        "1 more index entry per call",
        "INSERT INTO",
    ] {
        assert!(shown.contains(words), "no {words}: {shown}");
    }
    assert_eq!(
        std::fs::read(often.dir.path().join("database.db")).unwrap(),
        before
    );

    let mut rarely = Recorded::new("scan", 40, 2).await;
    rarely.stop();
    let advice = rarely.json(&["advise", "--json"]);
    assert_eq!(
        advice["advice"]["recommended"].as_array().unwrap().len(),
        0,
        "{advice:#}"
    );
    let refused = advice["advice"]["refused"].as_array().unwrap();
    let refused = refused
        .iter()
        .find(|refused| refused["change"] == GROUP)
        .unwrap();
    assert!(
        refused["why"].as_str().unwrap().contains("of writing"),
        "{refused:#}"
    );
}

#[actix_web::test]
async fn a_running_server_is_asked_for_the_statements_and_a_migration_is_judged() {
    let recorded = Recorded::new("scan", 10, 20).await;
    // The agent sends once a second.
    let started = std::time::Instant::now();
    let advice = loop {
        let output = recorded.run(&["advise", "--json", "--server", &recorded.apm]);
        let advice: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let calls = |statement: &Value| statement["calls"].as_f64().unwrap_or_default();
        let statements = advice["advice"]["statements"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if statements.iter().map(calls).sum::<f64>() == 70.0 {
            break advice;
        }
        assert!(started.elapsed() < crate::support::DEADLINE, "{output:?}");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert_eq!(advice["service"], "my-app-01");

    for (sql, code, words) in [
        (
            "CREATE TABLE other (id INTEGER PRIMARY KEY);",
            0,
            "ok: no statement loses",
        ),
        // It is read too rarely for what it costs, as `advise` says as well.
        (
            "CREATE INDEX people_city ON people (city);",
            1,
            "the entries of indexes cost more than the indexes save",
        ),
        (
            "ALTER TABLE people RENAME COLUMN city TO town;",
            1,
            "no such column",
        ),
        ("ALTER TABLE people ADD COLUMN;", 2, "migration fails"),
    ] {
        std::fs::write(recorded.dir.path().join("up.sql"), sql).unwrap();
        let output = recorded.run(&["migrate-check", "up.sql", "--server", &recorded.apm]);
        assert_eq!(output.status.code(), Some(code), "{sql}: {}", text(&output));
        assert!(text(&output).contains(words), "{sql}: {}", text(&output));
    }
    for (args, words) in [
        (&["advise", "--service", "nobody"][..], "--service"),
        (&["advise", "--database", "none.db"], "none.db"),
        (
            &["advise", "--statement", "0000", "--database", "database.db"],
            "fingerprint",
        ),
        (&["migrate-check", "none.sql"], "none.sql"),
    ] {
        let output = recorded.run(args);
        assert!(
            !output.status.success() && text(&output).contains(words),
            "{args:?}: {}",
            text(&output)
        );
    }
}

/// Each bound that was broken, with what broke it.
fn failures(report: &Value) -> Vec<(String, String)> {
    let outcomes = report["outcomes"].as_array().unwrap().iter();
    let all = outcomes.flat_map(|outcome| {
        let check = outcome["check"].as_str().unwrap().to_owned();
        let failures = outcome["failures"].as_array().unwrap().iter();
        failures.map(move |failure| (check.clone(), failure.as_str().unwrap().to_owned()))
    });
    all.collect()
}

#[actix_web::test]
async fn a_seeded_regression_breaks_the_baseline_and_the_same_requests_do_not() {
    let mut good = Recorded::new("index", 40, 30).await;
    good.stop();
    let baseline = good.dir.path().join("sql-baseline.json");
    let baseline = baseline.to_str().unwrap();
    let written = good.run(&["check", "--baseline", baseline, "--update"]);
    assert!(written.status.success(), "{}", text(&written));
    let first = std::fs::read_to_string(baseline).unwrap();
    for words in [
        "\"caller\": \"GET /sql-group\"",
        "\"steps_per_call\": ",
        "people_city",
        "\"calls_per_request\": 5.0",
    ] {
        assert!(first.contains(words), "no {words}: {first}");
    }

    // Noise: other random people, other times.
    let mut again = Recorded::new("index", 40, 25).await;
    again.stop();
    let report = again.json(&["check", "--baseline", baseline, "--format", "json"]);
    assert_eq!(report["verdict"], "passed", "{report:#}");

    // The index is gone.
    let mut worse = Recorded::new("scan", 40, 30).await;
    worse.stop();
    let output = worse.run(&["check", "--baseline", baseline, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let found = failures(&serde_json::from_slice(&output.stdout).unwrap());
    let checks: Vec<&str> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(checks, ["max-more-steps", "no-plan-change"], "{found:#?}");
    assert!(
        found
            .iter()
            .all(|(_, words)| words.starts_with("GET /sql-group: SELECT")),
        "{found:#?}"
    );
    for (format, words) in [
        ("github", "::error title=max-more-steps::"),
        ("markdown", "| `no-plan-change` | **failed** |"),
        ("sarif", "\"ruleId\": \"max-more-steps\""),
    ] {
        let output = worse.run(&["check", "--baseline", baseline, "--format", format]);
        assert!(text(&output).contains(words), "{format}: {}", text(&output));
    }
    let most = worse.run(&["check", "--max-steps", "100"]);
    assert_eq!(most.status.code(), Some(1), "{}", text(&most));
    let none = ["check", "--max-rows-scanned", "0"];
    let most = worse.run(&none);
    assert_eq!(most.status.code(), Some(1), "{}", text(&most));
    assert!(
        text(&most).contains("scanned 199 rows in one call, more than 0"),
        "{}",
        text(&most)
    );

    // A service that was not asked for its groups is not judged.
    let mut less = Recorded::new("index", 2, 0).await;
    less.stop();
    let output = less.run(&["check", "--baseline", baseline, "--no-new-statements"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("was not seen"), "{}", text(&output));
}

#[actix_web::test]
async fn a_baseline_at_many_rows_shows_what_few_rows_hide() {
    let mut good = Recorded::new("rollup", 5, 10).await;
    good.stop();
    let rows = ["--at-rows", "people=20000"];
    let write = |recorded: &Recorded, file: &Path, more: &[&str]| {
        let file = file.to_str().unwrap().to_owned();
        let mut args = vec!["check", "--baseline", &file];
        args.extend(rows);
        args.extend(more);
        recorded.run(&args)
    };
    let baseline = good.dir.path().join("sql-baseline.json");
    let written = write(&good, &baseline, &["--update"]);
    assert!(written.status.success(), "{}", text(&written));
    let known: Value = serde_json::from_str(&std::fs::read_to_string(&baseline).unwrap()).unwrap();
    assert_eq!(known["at_rows"]["people"], 20_000);

    let passed = write(&good, &baseline, &["--max-more-steps", "10%"]);
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed));
    let other = good.run(&["check", "--baseline", baseline.to_str().unwrap()]);
    assert_eq!(other.status.code(), Some(2), "{}", text(&other));
    assert!(text(&other).contains("--at-rows"), "{}", text(&other));

    // Its statement is another one: of people, not of the counts.
    let mut worse = Recorded::new("scan", 5, 10).await;
    worse.stop();
    let output = write(
        &worse,
        &baseline,
        &[
            "--no-new-statements",
            "--max-steps",
            "50000",
            "--format",
            "json",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let found = failures(&serde_json::from_slice(&output.stdout).unwrap());
    assert!(
        found
            .iter()
            .any(|(check, words)| check == "max-steps" && words.contains("GROUP BY")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|(check, _)| check == "no-new-statements"),
        "{found:#?}"
    );
}
