//! Quantiles of summaries and instances of gauges, as lines of their own.

use serde_json::{Value, json};

use super::{MINUTE, attributes, base, chart, export, numbers, send};
use crate::support::server::TestServer;

#[actix_web::test]
async fn the_quantiles_of_a_summary_are_charted_and_listed_once() {
    let server = TestServer::start();
    let start = base();
    for minute in 1..=3 {
        let at = start + minute * MINUTE;
        let quantile = |share: f64, value: f64| json!({"quantile": share, "value": value});
        let point = json!({"timeUnixNano": (at * 1000).to_string(), "count": (10 * minute).to_string(),
            "sum": 5.0 * minute as f64, "attributes": attributes(&[("route", "/orders")]),
            "quantileValues": [quantile(0.5, 0.25), quantile(0.99, minute as f64), quantile(1.0, 9.0)]});
        let metrics =
            json!([{"name": "rpc.latency", "unit": "s", "summary": {"dataPoints": [point]}}]);
        send(&server, export("shop", "a", &metrics)).await;
    }
    let found = chart(&server, "shop", "metric=rpc.latency").await;
    assert_eq!(found["kind"], "summary", "{found}");
    assert_eq!(found["series"], 1);
    assert_eq!(found["labels"][0]["name"], "route");
    assert_eq!(found["labels"].as_array().map(Vec::len), Some(1), "{found}");
    let quantiles = found["quantiles"].as_array().expect("quantiles");
    let shares: Vec<f64> = quantiles
        .iter()
        .filter_map(|one| one["quantile"].as_f64())
        .collect();
    assert_eq!(shares, [1.0, 0.99, 0.5]);
    assert_eq!(numbers(&quantiles[1]["values"]), [1.0, 2.0, 3.0]);
    assert_eq!(numbers(&quantiles[2]["values"]), [0.25, 0.25, 0.25]);
    let other = chart(&server, "shop", "metric=rpc.latency&label=route%3D/none").await;
    assert_eq!(other["quantiles"], Value::Null);
    let all = server
        .get("/api/v1/services/shop/metrics?from=now-15m")
        .await
        .json();
    assert_eq!(
        all["names"].as_array().map(Vec::len),
        Some(1),
        "{}",
        all["names"]
    );
    assert_eq!(all["names"][0]["series"], 1);
    let page = server
        .get("/services/shop/metrics?from=now-15m&metric=rpc.latency")
        .await
        .text;
    for said in ["p99", "p50", "greatest"] {
        assert!(page.contains(said), "{said}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_gauge_has_a_line_for_each_instance_and_a_restart_is_the_same_one() {
    let server = TestServer::start();
    let start = base();
    for minute in 1..=3 {
        let at = start + minute * MINUTE;
        for (instance, used, version) in [("one", 10.0, minute), ("two", 30.0, 0)] {
            let point = |pool: &str, value: f64| {
                json!({"timeUnixNano": (at * 1000).to_string(), "asDouble": value,
                    "attributes": attributes(&[("pool", pool)])})
            };
            let metrics = json!([{"name": "heap.used", "unit": "By",
                "gauge": {"dataPoints": [point("eden", used), point("old", 2.0 * used)]}}]);
            let mut body: Value =
                serde_json::from_str(&export("shop", instance, &metrics)).expect("JSON");
            // Another version is another sender of the same instance.
            let more =
                json!({"key": "service.version", "value": {"stringValue": version.to_string()}});
            let of = &mut body["resourceMetrics"][0]["resource"]["attributes"];
            of.as_array_mut().expect("a list").push(more);
            send(&server, body.to_string()).await;
        }
    }
    let found = chart(
        &server,
        "shop",
        "metric=heap.used&split=@instance&together=sum",
    )
    .await;
    let lines = found["lines"].as_array().expect("lines");
    let of: Vec<_> = lines
        .iter()
        .map(|line| (line["labels"].clone(), numbers(&line["values"])))
        .collect();
    assert_eq!(
        of,
        [
            (json!({"instance": "two"}), vec![90.0; 3]),
            (json!({"instance": "one"}), vec![30.0; 3]),
        ]
    );
    let mean = chart(&server, "shop", "metric=heap.used&split=@instance").await;
    assert_eq!(numbers(&mean["lines"][1]["values"]), [15.0; 3]);
    let refused = server
        .get("/api/v1/services/shop/metrics?metric=heap.used&split=@instance&label=pool%3Dold")
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let page = server
        .get("/services/shop/metrics?from=now-15m&metric=heap.used&split=@instance")
        .await;
    assert!(page.text.contains("instance=two"), "{}", page.text);
    server.stop().await;
}
