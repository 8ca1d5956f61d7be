//! Plans come from the agent: the server reads no file of the service, and tells of a plan that changed.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::Value;

use super::{Client, SOON, start_agent, text};
use crate::support::start_service;

#[actix_web::test]
async fn a_plan_comes_without_its_file_and_its_change_is_a_finding_and_a_marker() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = apm_server::Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = dir.path().join("apm.db");
    let server = apm_server::Server::start(config).unwrap();
    let agent = start_agent("planned", &server);
    let file = dir.path().join("people.db");
    let service = start_service(&file, &agent, &[]);
    let client = Client::new();
    let url = format!("http://{}", service.addr);
    let round = async || {
        for path in ["/sql-write", "/sql-group"] {
            client.get(&format!("{url}{path}")).await;
        }
    };
    // The statement of /sql-group is the only one that groups.
    let queries = format!("{}/api/v1/queries?service=planned", server.url());
    let grouping = async || -> Option<String> {
        let found = client.json(&queries).await;
        let statements = found["statements"].as_array()?.clone();
        let groups = |row: &&Value| text(&row["normalized"]).contains("GROUP BY");
        Some(text(&statements.iter().find(groups)?["fingerprint"]).to_owned())
    };
    let plans = async || -> Vec<String> {
        round().await;
        let Some(fingerprint) = grouping().await else {
            return Vec::new();
        };
        let found = client
            .json(&format!("{}/api/v1/queries/{fingerprint}", server.url()))
            .await;
        assert!(found["plan"].is_null(), "no file is known");
        let runs = found["plans"].as_array().unwrap();
        runs.iter()
            .map(|run| text(&run["plan"]["steps"][0]["detail"]).to_owned())
            .collect()
    };
    let wanted = |list: &[&str]| {
        list.iter()
            .map(|plan| (*plan).to_owned())
            .collect::<Vec<_>>()
    };
    let scan = wanted(&["SCAN people"]);
    until(&plans, &scan).await;

    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection
        .batch_execute("PRAGMA busy_timeout = 5000; CREATE INDEX people_city ON people (city)")
        .unwrap();
    // A statement that is new has the agent look at the schema before the minute is over.
    client.get(&format!("{url}/sql-read")).await;
    let both = wanted(&[
        "SCAN people USING COVERING INDEX people_city",
        "SCAN people",
    ]);
    until(&plans, &both).await;
    let fingerprint = grouping().await.unwrap();
    let address = format!("{}/api/v1/queries/{fingerprint}/plan", server.url());
    let plan = client.json(&address).await;
    assert_eq!(plan["plan"]["steps"][0]["detail"], both[0], "{plan:#}");
    assert!(plan["proposal"].is_null(), "{plan:#}");

    let finding = client
        .until(&server, ("plan_change", ""), |_| true, &round)
        .await;
    assert!(
        text(&finding["title"]).ends_with("SELECT FROM people uses people_city."),
        "{finding:#}"
    );
    assert!(
        text(&finding["cause"]).contains("SCAN people USING COVERING INDEX people_city"),
        "{finding:#}"
    );
    let markers = client
        .json(&format!("{}/api/v1/markers", server.url()))
        .await;
    let markers = markers["markers"].as_array().unwrap();
    let marker = markers.iter().find(|marker| marker["kind"] == "plan");
    assert_eq!(
        marker.unwrap()["name"],
        "SELECT FROM people",
        "{markers:#?}"
    );
    let shown = client
        .get(&format!(
            "{}/queries/{}",
            server.url(),
            grouping().await.unwrap()
        ))
        .await;
    let shown = String::from_utf8(shown).unwrap();
    for words in ["as agents sent it", "Sent last", "Before"] {
        assert!(shown.contains(words), "no {words}");
    }

    assert!(agent.shutdown(SOON));
    service.stop().await;
    server.stop(true).await;
}

/// Asks until the plans are those that are wanted, newest first.
async fn until(plans: &impl AsyncFn() -> Vec<String>, wanted: &[String]) {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let found = plans().await;
        if found == wanted {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{found:#?}");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
