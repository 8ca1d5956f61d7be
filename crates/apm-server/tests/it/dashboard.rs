//! Charts and views that people pin to the dashboard.

use serde_json::{Value, json};

use crate::support::server::{Answer, TestServer};

async fn form(server: &TestServer, path: &str, body: &str) -> Answer {
    let origin = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", &*origin),
    ];
    server.send("POST", path, &headers, body.to_owned()).await
}

async fn pins(server: &TestServer) -> Vec<Value> {
    let found = server.get("/api/v1/dashboard").await.json();
    found["pins"].as_array().expect("pins").clone()
}

#[actix_web::test]
async fn a_chart_is_pinned_and_removed_on_the_page_and_in_the_api() {
    let server = TestServer::start();
    assert!(
        server
            .get("/dashboard")
            .await
            .text
            .contains("Nothing is pinned yet.")
    );
    let sent =
        "title=Latency+%3Cb%3E&address=%2Fservices%2Fshop%3Fq%3Da%26from%3Dnow-1h&chart=latency";
    let done = form(&server, "/dashboard", sent).await;
    assert_eq!((done.status, done.header("location")), (303, "/dashboard"));
    let headers = [("Content-Type", "application/json")];
    let view = json!({"title": "Slow traces", "address": "/traces?sort=-duration"});
    let made = server
        .send("POST", "/api/v1/dashboard", &headers, view.to_string())
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let page = server.get("/dashboard?env=live").await.text;
    assert!(page.contains("1 chart and 1 view are pinned."), "{page}");
    assert!(
        page.contains("data-pin=\"/services/shop?q=a&amp;from=now-1h\""),
        "{page}"
    );
    assert!(
        page.contains("Latency &lt;b&gt;") && page.contains("data-keep=\"env\""),
        "{page}"
    );
    let file = server.get("/api/v1/dashboard?format=csv").await.text;
    assert_eq!(file.lines().count(), 3, "{file}");
    for wrong in [
        "title=x&address=%2F%2Fevil.example",
        "title=&address=%2F",
        "title=x",
    ] {
        assert_eq!(
            form(&server, "/dashboard", wrong).await.status,
            400,
            "{wrong}"
        );
    }
    for pin in pins(&server).await {
        let path = format!("/dashboard/{}/remove", pin["id"]);
        assert_eq!(form(&server, &path, "").await.status, 303);
        assert_eq!(form(&server, &path, "").await.status, 404);
    }
    assert!(pins(&server).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn pins_stay_when_telemetry_is_deleted_and_have_a_bound() {
    let server = TestServer::start();
    for number in 0..50 {
        let body = format!("title=t{number}&address=%2F&chart=");
        assert_eq!(form(&server, "/dashboard", &body).await.status, 303);
    }
    assert_eq!(
        form(&server, "/dashboard", "title=t&address=%2F&chart=")
            .await
            .status,
        400
    );
    assert_eq!(
        form(&server, "/settings/clear", "sure=yes").await.status,
        303
    );
    assert_eq!(pins(&server).await.len(), 50);
    server.stop().await;
}
