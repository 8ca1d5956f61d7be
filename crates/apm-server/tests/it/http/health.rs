//! Whether the server is ready, as a load balancer asks.

use serde_json::json;

use crate::support::server::{TestServer, eventually};

#[actix_web::test]
async fn a_server_is_ready_while_it_takes_events_and_not_while_its_file_is_gone() {
    let server = TestServer::start();
    let answer = server.get("/readyz").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"status": "ready"}))
    );
    let file = server.directory.path().join("apm.db");
    let away = server.directory.path().join("away.db");
    std::fs::rename(&file, &away).expect("moved");
    // The server looks after its files once a second, whether events come or not.
    let mut refused = None;
    eventually("it is not ready", async || {
        let answer = server.get("/readyz").await;
        let is_refused = answer.status == 503;
        refused = Some(answer);
        is_refused
    })
    .await;
    let refused = refused.expect("an answer").json();
    assert_eq!(refused["status"], "unavailable");
    let why = refused["error"].as_str().expect("a reason");
    assert!(why.contains("was deleted, replaced or cut"), "{why}");
    // Reads go on, and the other check says the same.
    assert_eq!(server.get("/services").await.status, 200);
    assert_eq!(server.get("/healthz").await.status, 503);

    std::fs::rename(&away, &file).expect("put back");
    eventually("it is ready again", async || {
        server.get("/readyz").await.status == 200
    })
    .await;
    server.stop().await;
}
