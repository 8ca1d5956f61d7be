//! The dashboard of deploy/ that asks the API: each of its questions is asked, and has the columns that it shows.

use std::time::{Duration, Instant};

use csv::StringRecord;
use serde_json::Value;

use super::root;
use super::sandbox::Sandbox;
use crate::support::get;

/// Panels of what the server finds out in its own time: they may be empty, or have rows with little in them.
const LATE: [&str; 2] = ["Insights", "Alerts that fire"];

fn board() -> Value {
    let file = root().join("deploy/grafana/pocket-apm-api.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The questions of the dashboard, each with the place where it stands: those of its panels and of its variables.
fn questions(board: &Value) -> Vec<(&str, &Value)> {
    let list = |value: &'static str| board.pointer(value).and_then(Value::as_array).unwrap();
    let mut found = Vec::new();
    for panel in list("/panels") {
        for target in panel["targets"].as_array().expect("targets") {
            found.push((panel["title"].as_str().expect("a title"), target));
        }
    }
    for variable in list("/templating/list") {
        if let Some(question) = variable.pointer("/query/infinityQuery") {
            found.push((variable["name"].as_str().expect("a name"), question));
        }
    }
    found
}

/// An address with the values that Grafana puts in the place of its variables.
fn address(url: &str, service: &str) -> String {
    let now = apm_time::now();
    let hour = 3_600 * apm_time::SECOND;
    let mut address = url.to_owned();
    for (variable, value) in [
        ("${__from:date:iso}", apm_time::rfc3339(now - hour)),
        ("${__to:date:iso}", apm_time::rfc3339(now)),
        ("${service:percentencode}", service.to_owned()),
    ] {
        address = address.replace(variable, &value);
    }
    assert!(!address.contains("${"), "a variable of nobody: {address}");
    address
}

/// Whether a value is of the type that a column has in the dashboard.
fn is_of(kind: &str, value: &str) -> bool {
    match kind {
        "string" => true,
        "number" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "timestamp" => humantime::parse_rfc3339(value).is_ok(),
        other => panic!("no type of a column: {other}"),
    }
}

/// Looks at what a question finds; fails where a column is not there or holds something else. The error says what it
/// does not find yet: some columns follow a few seconds behind the events.
async fn ask(apm: &str, place: &str, question: &Value, service: &str) -> Result<(), String> {
    assert_eq!(question["type"], "csv", "{place}");
    assert_eq!(question["parser"], "backend", "{place}");
    let url = question["url"].as_str().expect("an address");
    let path = url.strip_prefix("${server}").expect("of the server");
    let answer = get(&format!("{apm}{}", address(path, service))).await;
    assert_eq!(answer.status, 200, "{place}: {}", answer.body);
    let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<StringRecord> = reader.records().map(Result::unwrap).collect();
    let columns = question["columns"].as_array().expect("columns");
    assert!(!columns.is_empty(), "{place}");
    for column in columns {
        let [selector, kind] = ["selector", "type"].map(|key| column[key].as_str().expect(key));
        let at = heads.iter().position(|head| head == selector);
        let at = at.unwrap_or_else(|| panic!("{place}: no column {selector} in {heads:?}"));
        let mut values = rows
            .iter()
            .map(|row| &row[at])
            .filter(|value| !value.is_empty());
        assert!(
            values.clone().all(|value| is_of(kind, value)),
            "{place}: {selector} is no {kind}"
        );
        if values.next().is_none() && !LATE.contains(&place) {
            return Err(format!("{place}: {selector} has no value"));
        }
    }
    Ok(())
}

#[actix_web::test]
#[cfg_attr(not(target_os = "linux"), ignore = "the sandbox uses GNU's programs")]
async fn each_question_of_the_dashboard_over_the_api_finds_the_columns_that_it_shows() {
    let sandbox = Sandbox::start().await;
    let board = board();
    let questions = questions(&board);
    assert!(questions.len() > 8, "{questions:?}");
    for (place, question) in questions {
        // The article's service has statements with steps; errors are those of `generate`.
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(missing) = ask(sandbox.apm(), place, question, "my-app-01").await {
            assert!(Instant::now() < deadline, "{missing}");
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[test]
fn links_of_the_dashboard_lead_to_pages_that_there_are() {
    let text = board().to_string();
    let links: Vec<&str> = text
        .split("${server}")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with('/'))
        .collect();
    let (questions, links): (Vec<&str>, Vec<&str>) = links
        .into_iter()
        .partition(|link| link.starts_with("/api/v1/"));
    assert!(questions.len() > 8, "{questions:?}");
    assert_eq!(links.len(), 3, "{links:?}");
    for link in links {
        let pages = [
            "/services/${__value.raw",
            "/queries/${__value.raw",
            "/traces/${__value.raw",
        ];
        assert!(pages.iter().any(|page| link.starts_with(page)), "{link}");
    }
}
