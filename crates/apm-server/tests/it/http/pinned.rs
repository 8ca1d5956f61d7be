//! Another process that reads the telemetry file for minutes: told everywhere, and events are refused in time.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::server::{TestServer, eventually};

/// Some hundred transactions as an agent sends them.
fn body(round: u64) -> String {
    let service = r#"{"name":"shop","agent":{"name":"rust","version":"1"}}"#;
    let mut body =
        format!(r#"{{"metadata":{{"service":{service},"process":{{"pid":1}}}}}}"#).to_owned();
    for number in round * 200..round * 200 + 200 {
        body += &format!(
            "\n{{\"transaction\":{{\"id\":\"{number:016x}\",\"trace_id\":\"{number:032x}\",\"name\":\"GET /{}\",\
             \"type\":\"request\",\
             \"duration\":1.5,\"span_count\":{{\"started\":0}},\"context\":{{\"custom\":{{\"n\":{number}}}}}}}}}",
            number % 50
        );
    }
    body
}

#[actix_web::test]
async fn a_reader_of_another_process_is_told_on_every_page_and_intake_is_503_until_it_ends() {
    const LIMIT: u64 = 16 << 20;
    let server = TestServer::with(|config| config.max_size = LIMIT);
    assert_eq!(server.intake(body(0)).await.status, 202);
    let path = server.directory.path().join("apm.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    other
        .batch_execute("BEGIN; SELECT count(*) FROM tx")
        .expect("reads");
    let mut round = 1;
    let refused = loop {
        let answer = server.intake(body(round)).await;
        if answer.status != 202 {
            break answer;
        }
        round += 1;
        assert!(round < 3000, "the log has no bound");
    };
    assert_eq!(refused.status, 503);
    assert!(
        refused.text.contains("another process reads"),
        "{}",
        refused.text
    );
    let status = server.get("/api/v1/status").await.json();
    let store = &status["store"];
    let bytes = |name: &str| store[name].as_u64().expect(name);
    assert!(
        bytes("database_bytes") + bytes("log_bytes") <= LIMIT / 10 * 11,
        "{store}"
    );
    assert!(bytes("log_bytes") <= bytes("log_max_bytes"), "{store}");
    assert!(
        store["log_pinned_seconds"]
            .as_f64()
            .is_some_and(|time| time > 0.0),
        "{store}"
    );
    assert!(
        store["trouble"]
            .as_str()
            .is_some_and(|text| text.contains("another process"))
    );
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("pocket_apm_store_ok 0"), "{metrics}");
    assert!(
        !metrics.contains("pocket_apm_database_log_pinned_seconds 0\n"),
        "{metrics}"
    );
    assert_eq!(server.get("/healthz").await.status, 503);
    let settings = server
        .send("GET", "/settings", &[("Accept", "text/html")], "")
        .await;
    assert_eq!(settings.status, 200, "reads go on");
    assert!(
        settings
            .text
            .contains("Another process has kept it from being emptied")
    );

    other.batch_execute("COMMIT").expect("ends");
    eventually("events are taken again", async || {
        server.intake(body(round)).await.status == 202
    })
    .await;
    assert_eq!(server.get("/healthz").await.status, 200);
    let metrics = server.get("/metrics").await.text;
    assert!(
        metrics.contains("pocket_apm_database_log_pinned_seconds 0\n"),
        "{metrics}"
    );
    server.stop().await;
}
