//! The list of names of metrics, in pages.

use serde_json::{Value, json};

use super::{MINUTE, base, send};
use crate::support::server::TestServer;

/// A body of gauges of one service in one environment.
fn gauges(environment: &str, names: impl Iterator<Item = String>) -> String {
    let point = json!({"timeUnixNano": ((base() + MINUTE) * 1000).to_string(), "asDouble": 1.0});
    let metrics: Vec<Value> = names
        .map(|name| json!({"name": name, "gauge": {"dataPoints": [point]}}))
        .collect();
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let attributes = [
        attribute("service.name", "shop"),
        attribute("deployment.environment.name", environment),
    ];
    json!({"resourceMetrics": [{
        "resource": {"attributes": attributes},
        "scopeMetrics": [{"scope": {"name": "test"}, "metrics": metrics}],
    }]})
    .to_string()
}

async fn page(server: &TestServer, after: &str) -> Value {
    let path = format!("/api/v1/services/shop/metrics?from=now-15m&names_after={after}");
    let found = server.get(&path).await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json()
}

#[actix_web::test]
async fn names_of_metrics_come_in_pages_that_leave_out_none_and_repeat_none() {
    let server = TestServer::start();
    let name = |number: usize| format!("queue.{number:04}.depth");
    // Each environment is a service of its own in the store; both have every third name.
    let test = (0..800).filter(|number| number % 2 == 0 || number % 3 == 0);
    send(&server, gauges("test", test.map(name))).await;
    let live = (0..800).filter(|number| number % 2 == 1 || number % 3 == 0);
    send(&server, gauges("live", live.map(name))).await;

    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let answer = page(&server, &after).await;
        let names = answer["names"].as_array().expect("a list");
        assert!(names.len() <= 500);
        for listed in names {
            let name = listed["name"].as_str().expect("a name");
            let number: usize = name[6..10].parse().expect("its number");
            assert_eq!(
                listed["series"],
                if number.is_multiple_of(3) { 2 } else { 1 },
                "{name}"
            );
            seen.push(name.to_owned());
        }
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(seen, (0..800).map(name).collect::<Vec<_>>());
    server.stop().await;
}
