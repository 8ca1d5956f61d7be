//! The words and numbers of an output that cannot send.

use serde_json::{Value, json};

use crate::support::server::{TestServer, eventually};

#[actix_web::test]
async fn an_engine_that_is_away_is_told_everywhere_and_does_not_make_the_server_unwell() {
    let server = TestServer::with(|config| {
        let hosts = ["http://127.0.0.1:9".to_owned()];
        config.output = Some(apm_output::Config::new(hosts).expect("an address"));
    });
    let body = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"java","version":"1"}}}}
{"transaction":{"id":"1","trace_id":"2","name":"GET /","type":"request","duration":1,"span_count":{"started":0}}}"#;
    let kind = [("Content-Type", "application/x-ndjson")];
    let stored = server.send("POST", "/intake/v2/events", &kind, body).await;
    assert_eq!(stored.status, 202);
    eventually("it waits", async || {
        let output = &server.get("/healthz").await.json()["output"];
        output["status"] == "waiting" && output["lag_events"] == 1
    })
    .await;
    let health = server.get("/healthz").await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("ok"))
    );
    let output = server.get("/api/v1/status").await.json()["output"].clone();
    let told = [&output["lag_events"], &output["lost"], &output["refused"]];
    assert_eq!(told, [&json!(1), &json!(0), &json!(0)], "{output}");
    assert_eq!(output["engine"], Value::Null);
    let trouble = output["trouble"].as_str().expect("a trouble");
    assert!(trouble.contains("127.0.0.1:9"), "{trouble}");
    let metrics = server.get("/metrics").await.text;
    for line in [
        "pocket_apm_output_ok 0",
        "pocket_apm_output_lag_events 1",
        "pocket_apm_output_lost_total 0",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}: {metrics}");
    }
    let page = server.get("/settings").await.text;
    for said in [
        "not reached yet",
        "Nothing can be sent now: http://127.0.0.1:9",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    server.stop().await;
}
