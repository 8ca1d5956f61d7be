//! `pocket-apm check --baseline` with a running server, and in each form of its result.

use std::time::Duration;

use serde_json::Value;

use super::{Recorded, failures, text};
use crate::support::DEADLINE;

const FORMS: [&str; 6] = ["text", "json", "junit", "sarif", "github", "markdown"];

/// Writes a baseline of what the server has seen, once all of it and the plans of the agent are there.
async fn written(recorded: &Recorded, baseline: &str, more: &[&str]) -> String {
    let started = std::time::Instant::now();
    loop {
        let mut args = vec![
            "check",
            "--baseline",
            baseline,
            "--update",
            "--server",
            &recorded.apm,
        ];
        args.extend(more);
        let output = recorded.run(&args);
        let file = std::fs::read_to_string(baseline).unwrap_or_default();
        let whole = file.contains("GET /sql-group") && file.contains("GET /sql-write");
        if output.status.success() && whole && !file.contains("\"plan\": null") {
            return file;
        }
        assert!(started.elapsed() < DEADLINE, "{}\n{file}", text(&output));
        actix_web::rt::time::sleep(Duration::from_millis(200)).await;
    }
}

#[actix_web::test]
async fn a_server_is_compared_with_a_baseline_as_a_file_is() {
    let good = Recorded::new("index", 40, 20).await;
    let path = good.dir.path().join("sql-baseline.json");
    let baseline = path.to_str().unwrap();
    let file = written(&good, baseline, &[]).await;
    assert!(
        file.contains("people_city") && file.contains("\"calls_per_request\": 5.0"),
        "{file}"
    );
    let server = ["check", "--server", &good.apm, "--baseline", baseline];
    for form in FORMS {
        let output = good.run(&[&server[..], &["--format", form]].concat());
        assert_eq!(output.status.code(), Some(0), "{form}: {}", text(&output));
    }
    // Bounds that the server judges and those that are judged here are one report.
    let both = [
        "--max-statements-per-request",
        "7",
        "--max-steps",
        "100000",
        "--format",
        "json",
    ];
    let report = good.json(&[&server[..], &both].concat());
    let outcomes = report["outcomes"].as_array().unwrap().iter();
    let checks: Vec<&str> = outcomes
        .map(|outcome| outcome["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        checks,
        [
            "max-statements-per-request",
            "max-steps",
            "max-more-steps",
            "no-new-statements",
            "no-plan-change"
        ],
        "{report:#}"
    );
    assert_eq!(report["verdict"], "passed", "{report:#}");
    for bound in [["--max-steps", "5"], ["--max-rows-scanned", "5"]] {
        let most = good.run(&[&["check", "--server", &good.apm][..], &bound].concat());
        assert_eq!(most.status.code(), Some(1), "{bound:?}: {}", text(&most));
    }

    // With more rows, on a copy of the file that is here.
    let rows = ["--at-rows", "people=20000"];
    let many = good.dir.path().join("many.json");
    let many = many.to_str().unwrap();
    let known: Value = serde_json::from_str(&written(&good, many, &rows).await).unwrap();
    assert_eq!(known["at_rows"]["people"], 20_000);
    let output = good.run(
        &[
            &["check", "--server", &good.apm, "--baseline", many][..],
            &rows,
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    // The index is gone.
    let worse = Recorded::new("scan", 40, 20).await;
    written(
        &worse,
        worse.dir.path().join("its-own.json").to_str().unwrap(),
        &[],
    )
    .await;
    let server = ["check", "--server", &worse.apm, "--baseline", baseline];
    let report = worse.json(&[&server[..], &["--format", "json"]].concat());
    let found = failures(&report);
    let checks: Vec<&str> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(checks, ["max-more-steps", "no-plan-change"], "{found:#?}");
    for (form, words) in [
        ("text", "FAILED  max-more-steps"),
        (
            "junit",
            "<testcase classname=\"pocket-apm\" name=\"no-plan-change\"><failure message=",
        ),
        ("sarif", "\"ruleId\": \"no-plan-change\""),
        ("github", "::error title=max-more-steps::GET /sql-group"),
        ("markdown", "| `max-more-steps` | **failed** |"),
    ] {
        let output = worse.run(&[&server[..], &["--format", form]].concat());
        assert_eq!(output.status.code(), Some(1), "{form}: {}", text(&output));
        assert!(text(&output).contains(words), "{form}: {}", text(&output));
    }
}

#[actix_web::test]
async fn a_server_that_cannot_be_asked_judges_nothing() {
    let recorded = Recorded::new("scan", 1, 1).await;
    let args = [
        "check",
        "--max-steps",
        "5",
        "--server",
        "http://127.0.0.1:1",
    ];
    let output = recorded.run(&args);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("cannot check http://127.0.0.1:1"),
        "{}",
        text(&output)
    );
}

#[actix_web::test]
async fn requests_before_the_moment_of_since_do_not_count_even_in_its_minute() {
    let recorded = Recorded::new("scan", 2, 2).await;
    let early = recorded.dir.path().join("early.json");
    written(&recorded, early.to_str().unwrap(), &[]).await;
    let moment = apm_time::rfc3339(apm_time::now());
    for _ in 0..3 {
        let group = format!("{}/sql-group", recorded.service);
        assert_eq!(crate::support::get(&group).await.status, 200);
    }
    let late = recorded.dir.path().join("late.json");
    let late = late.to_str().unwrap();
    let started = std::time::Instant::now();
    loop {
        let args = [
            "check",
            "--server",
            &recorded.apm,
            "--since",
            &moment,
            "--baseline",
            late,
            "--update",
        ];
        let output = recorded.run(&args);
        let file = std::fs::read_to_string(late).unwrap_or_default();
        assert!(!file.contains("sql-write"), "{file}");
        if output.status.success() && file.contains("GET /sql-group") {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{}", text(&output));
        actix_web::rt::time::sleep(Duration::from_millis(200)).await;
    }
}
