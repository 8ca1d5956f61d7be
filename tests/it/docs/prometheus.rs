//! The files of deploy/ for Prometheus and Grafana: whether the server tells what they ask for.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Instant;

use yaml_rust2::{Yaml, YamlLoader};

use super::root;
use crate::support::{DEADLINE, TestApp, get};

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(name)).unwrap()
}

fn yaml(name: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of metrics in an expression of Prometheus.
fn metrics(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("pocket_apm_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

/// The names of the metrics that a server tells of, after some requests.
async fn told() -> BTreeSet<String> {
    let app = TestApp::start().await;
    let deadline = Instant::now() + DEADLINE;
    loop {
        // Requests of the service itself, so that there is a service to tell of.
        get(&format!("{}/", app.url)).await;
        let mut names = BTreeSet::new();
        for path in ["/metrics", "/metrics/services"] {
            let answer = get(&format!("{}{path}", app.apm_url)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let types = answer
                .body
                .lines()
                .filter_map(|line| line.strip_prefix("# TYPE "));
            names.extend(types.filter_map(|line| Some(line.split(' ').next()?.to_owned())));
        }
        if names.contains("pocket_apm_store_ok") && names.len() > 40 {
            return names;
        }
        assert!(Instant::now() < deadline, "{names:?}");
    }
}

/// Expressions, each with the place where it stands.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let rules = &yaml("prometheus/pocket-apm.rules.yml")[0];
    for group in rules["groups"].as_vec().expect("groups") {
        for rule in group["rules"].as_vec().expect("rules") {
            let text = |key: &str| {
                rule[key]
                    .as_str()
                    .unwrap_or_else(|| panic!("no {key}: {rule:?}"))
            };
            assert!(
                rule["annotations"]["summary"].as_str().is_some(),
                "{rule:?}"
            );
            found.push((text("alert").to_owned(), text("expr").to_owned()));
        }
    }
    let board: serde_json::Value = serde_json::from_str(&text("grafana/pocket-apm.json")).unwrap();
    for panel in board["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().expect("targets") {
            found.push((
                title.to_owned(),
                target["expr"].as_str().expect("a query").to_owned(),
            ));
        }
    }
    found
}

#[actix_web::test]
async fn rules_and_dashboard_ask_for_metrics_that_the_server_tells() {
    let told = told().await;
    // Those of the output are told where there is one. A test of the server compares the page with what it tells.
    let page = std::fs::read_to_string(root().join("docs/server.md")).unwrap();
    for (place, expression) in expressions() {
        for name in metrics(&expression) {
            let family = name.trim_end_matches("_bucket");
            let is_documented = ["`", "{"]
                .iter()
                .any(|end| page.contains(&format!("`{family}{end}")));
            let known = told.contains(family) || is_documented;
            assert!(known, "{place}: {name} is not among {told:?}");
        }
    }
}

#[test]
fn each_rule_is_documented_with_what_to_do() {
    let page = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let rules = &yaml("prometheus/pocket-apm.rules.yml")[0];
    for group in rules["groups"].as_vec().expect("groups") {
        for rule in group["rules"].as_vec().expect("rules") {
            let name = rule["alert"].as_str().expect("a name");
            assert!(page.contains(&format!("\n| {name} | ")), "{name}");
        }
    }
}

#[test]
fn prometheus_reads_its_files_where_promtool_is_installed() {
    let Some(promtool) = test_support::tool("promtool") else {
        return;
    };
    let version = Command::new(&promtool).arg("--version").output().unwrap();
    assert!(version.status.success());
    let folder = root().join("deploy/prometheus");
    for arguments in [
        ["check", "rules", "pocket-apm.rules.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let mut command = Command::new(&promtool);
        command.args(arguments).current_dir(&folder);
        if arguments[1] == "config" {
            // The file of the token is not on this machine.
            command.arg("--syntax-only");
        }
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned()
            + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
    }
}
