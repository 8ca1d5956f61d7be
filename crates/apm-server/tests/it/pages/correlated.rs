//! Correlations: what slow and failed requests have in common, counted exactly.

use serde_json::{Value, json};

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

/// A request to a zone by a customer; every customer is another one.
fn request(number: u64, at: i64, zone: &str, (duration, failed): (f64, bool)) -> String {
    let outcome = if failed { "failure" } else { "success" };
    json!({"transaction": {"id": format!("{number:016x}"), "trace_id": format!("{number:032x}"), "name": "GET /pay",
        "type": "request", "duration": duration, "timestamp": at + number as i64, "outcome": outcome,
        "result": if failed { "HTTP 5xx" } else { "HTTP 2xx" }, "span_count": {"started": 0},
        "context": {"tags": {"zone": zone, "rack": format!("rack of {zone}"), "customer": format!("c{number}"),
            "<b>odd</b> \u{202e}": "same"}}}})
    .to_string()
}

async fn send(server: &TestServer, lines: &[String]) {
    for lines in lines.chunks(500) {
        let body = format!("{}\n{}", metadata("shop"), lines.join("\n"));
        let answer = server.intake(body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
}

fn found(answer: &Value) -> Vec<(&str, &str, u64, u64)> {
    let rows = answer["correlations"].as_array().expect("rows").iter();
    rows.map(|row| {
        let text = |name: &str| row[name].as_str().expect("a text");
        let number = |name: &str| row[name].as_u64().expect("a number");
        (
            text("field"),
            text("value"),
            number("count"),
            number("others"),
        )
    })
    .collect()
}

const PATH: &str = "/services/shop/transactions/correlations?type=request&name=GET+%2Fpay";

/// 1 200 requests. Those of zone c are slow in 50 of 100 cases, and those of zone b fail in 30 of 300.
async fn shop(server: &TestServer) {
    let at = now() - 120_000_000;
    let lines: Vec<String> = (0..1_200_u64)
        .map(|number| {
            let (zone, slow, failed) = match number {
                0..100 => ("c", number % 2 == 0, false),
                100..400 => ("b", false, number % 10 == 0),
                _ => ("a", number % 100 == 0, number % 200 == 0),
            };
            let duration = if slow {
                900.0
            } else {
                10.0 + (number % 7) as f64
            };
            request(number, at, zone, (duration, failed))
        })
        .collect();
    send(server, &lines).await;
}

#[actix_web::test]
async fn values_that_stand_out_are_counted_exactly_and_all_three_forms_agree() {
    let server = TestServer::start();
    shop(&server).await;
    let slow = server.get(&format!("/api/v1{PATH}")).await.json();
    assert_eq!(
        (&slow["requests"], &slow["complete"]),
        (&json!(1200), &json!(true))
    );
    // 58 requests take 900 ms and 60 are the slowest twentieth, which begins below: those of 16 ms are many.
    let min = slow["min"].as_i64().expect("a duration");
    let all = server
        .get(&format!("/api/v1{PATH}&min_us=900000"))
        .await
        .json();
    assert_eq!(all["selected"], 58);
    assert_eq!(found(&all), [("labels.rack", "rack of c", 50, 50)], "{all}");
    assert_eq!(all["correlations"][0]["same"], json!(["labels.zone: c"]));
    assert!(all["correlations"][0]["p_value"].as_f64() < Some(1e-40));
    let lift = all["correlations"][0]["lift"].as_f64().expect("a lift");
    assert!(
        (lift - (50.0 / 58.0) / (50.0 / 1142.0)).abs() < 1e-9,
        "{lift}"
    );
    assert!(
        min <= 900_000 && slow["selected"].as_u64() >= Some(58),
        "{slow}"
    );
    assert_eq!(found(&slow)[0].1, "rack of c", "{slow}");
    let failed = server.get(&format!("/api/v1{PATH}&of=failed")).await.json();
    assert_eq!(failed["selected"], 34);
    assert_eq!(
        found(&failed),
        [("labels.rack", "rack of b", 30, 270)],
        "{failed}"
    );
    assert_eq!(failed["varied"], json!(["labels.customer"]));

    for query in ["&min_us=900000", "&of=failed", ""] {
        let answer = server.get(&format!("/api/v1{PATH}{query}")).await.json();
        let rows = found(&answer);
        let page = server.get(&format!("{PATH}{query}")).await.text;
        assert_eq!(
            page.matches("the same requests have").count(),
            rows.len(),
            "{query}"
        );
        for (field, value, ..) in &rows {
            assert!(
                page.contains(&format!("<code>{field}: {value}</code>")),
                "{page}"
            );
        }
        let file = server
            .get(&format!(
                "/api/v1{PATH}{query}&format=csv&table=correlations"
            ))
            .await
            .text;
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        let lines: Vec<csv::StringRecord> =
            reader.records().map(|line| line.expect("a line")).collect();
        let lines: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    &line[0],
                    &line[1],
                    line[2].parse().expect("n"),
                    line[3].parse().expect("n"),
                )
            })
            .collect();
        assert_eq!(lines, rows, "{query}");
    }
    // A row leads to the requests that it counts: those of the set that have the value.
    for (query, count) in [("&of=failed", 30), ("&min_us=900000", 50)] {
        let page = server.get(&format!("{PATH}{query}")).await.text;
        let href = page
            .split("href=\"/discover?")
            .filter_map(|rest| rest.split('"').next())
            .find(|href| href.contains("rack"));
        let href = href.expect("a link").replace("&amp;", "&");
        let total = server.get(&format!("/api/v1/discover?{href}")).await.json();
        assert_eq!(total["total"], count, "{href}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn nothing_stands_out_where_nothing_does() {
    let server = TestServer::start();
    // Of a service that nobody knows there is no page.
    send(&server, &[transaction(9_999, "GET /other", now())]).await;
    let page = server.get(PATH).await.text;
    assert!(
        page.contains("No request to GET /pay is slow in the last 15 minutes."),
        "{page}"
    );
    let at = now() - 120_000_000;
    let lines: Vec<String> = (0..400_u64)
        .map(|number| {
            let zone = ["a", "b", "c", "d"][number as usize % 4];
            let failed = number % 25 < 4;
            request(number, at, zone, ((number % 97) as f64, failed))
        })
        .collect();
    send(&server, &lines).await;
    for query in ["", "&of=failed"] {
        let answer = server.get(&format!("/api/v1{PATH}{query}")).await.json();
        assert_eq!(found(&answer), [], "{query}: {answer}");
        let page = server.get(&format!("{PATH}{query}")).await.text;
        assert!(page.contains("No field sets "), "{query}: {page}");
    }
    let one = server
        .get("/services/shop/transactions/view?type=request&name=GET+%2Fpay")
        .await
        .text;
    assert!(
        one.contains("transactions/correlations?type=request"),
        "{one}"
    );
    assert!(one.contains("of=failed"));
    server.stop().await;
}
