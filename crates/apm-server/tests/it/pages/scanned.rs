//! Overviews under a query of any field, and charts of short windows: counted from requests, and equal to what rollups
//! say where these can answer.

use serde_json::{Value, json};

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

/// A request of a plan; `ms` before now.
fn request(number: u64, name: &str, plan: &str, ago_ms: i64) -> String {
    let failed = number.is_multiple_of(7);
    let request = json!({"method": "GET",
        "url": {"full": format!("http://shop/{plan}/x"), "pathname": format!("/{plan}/x")}});
    json!({"transaction": {
        "id": format!("{number:016x}"), "trace_id": format!("{number:032x}"), "name": name, "type": "request",
        "duration": 3.0 + (number % 50) as f64, "timestamp": now() - ago_ms * 1000,
        "sample_rate": if number.is_multiple_of(3) { 0.5 } else { 1.0 },
        "result": if failed { "HTTP 5xx" } else { "HTTP 2xx" },
        "outcome": if failed { "failure" } else { "success" },
        "span_count": {"started": 0}, "context": {"tags": {"plan": plan}, "request": request},
    }})
    .to_string()
}

async fn filled(ago_ms: i64) -> TestServer {
    let server = TestServer::start();
    let mut sent = vec![metadata("shop")];
    for number in 1..=400 {
        let name = if number % 2 == 0 { "GET /a" } else { "GET /b" };
        let plan = if number % 4 == 0 { "pro" } else { "free" };
        sent.push(request(number, name, plan, ago_ms + number as i64 * 500));
    }
    assert_eq!(server.intake(sent.join("\n")).await.status, 202);
    server
}

#[actix_web::test]
async fn requests_counted_one_by_one_are_what_rollups_count() {
    // The latest request is more than a minute old.
    let server = filled(61_000).await;
    let plain = server.get("/api/v1/services").await.json();
    assert!(plain["scan"].is_null());
    // A second condition that all requests meet, and that rollups do not know.
    let known = "transaction.name:%22GET%20/a%22";
    let unknown = format!("{known}%20and%20trace.id:*");
    // The last full minute is over. A window is widened to full minutes, and rates divide by the time of it that has
    // passed: with an end in the present minute, the later of two answers would divide by more.
    let end = now() / 60_000_000 * 60_000_000;
    let (from, to) = (
        apm_time::rfc3339(end - 3_600_000_000),
        apm_time::rfc3339(end),
    );
    let range = format!("from={from}&to={to}&cmp=off");
    for (path, of) in [
        ("/services", "services"),
        ("/services/shop", "transactions"),
        ("/services/shop/transactions", "transactions"),
    ] {
        let rolled = server
            .get(&format!("/api/v1{path}?{range}&q={known}"))
            .await
            .json();
        let counted = server
            .get(&format!("/api/v1{path}?{range}&q={unknown}"))
            .await
            .json();
        assert_eq!(counted["scan"]["requests"], 200, "{path}: {counted}");
        assert_eq!(counted["scan"]["complete"], true);
        let (rolled, counted) = (&rolled[of][0], &counted[of][0]);
        for field in [
            "transactions",
            "count",
            "throughput",
            "failed_rate",
            "latency_avg",
            "latency_max",
            "impact",
        ] {
            let (a, b) = (rolled[field].as_f64(), counted[field].as_f64());
            let is_near = match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-9,
                (a, b) => a == b,
            };
            assert!(is_near, "{path} {field}: {a:?} {b:?}");
        }
        assert_eq!(
            rolled["series"]["throughput"], counted["series"]["throughput"],
            "{path}"
        );
    }
    server.stop().await;
}

/// The rows of the statement behind the chart of latency that reads single requests, as the console runs it.
async fn rows_of_requests(server: &TestServer, page: &str) -> usize {
    let (_, shown) = page.split_once("id=\"latency-sql\"").expect("SQL");
    let links = shown.split("href=\"/sql?sql=").skip(1);
    let mut texts = links.map(|link| &link[..link.find(['"', '&']).expect("an end")]);
    let text = texts
        .find(|text| text.contains("t.duration"))
        .expect("a statement");
    let answer = server.get(&format!("/api/v1/sql?sql={text}")).await.json();
    answer["rows"].as_array().expect("rows").len()
}

#[actix_web::test]
async fn an_overview_is_filtered_by_labels_and_addresses() {
    let server = filled(1_000).await;
    for query in ["labels.plan:pro", "url.path:%22/pro/x%22", "%22/pro/x%22"] {
        let list = server
            .get(&format!("/api/v1/services?from=now-1h&q={query}"))
            .await
            .json();
        assert_eq!(list["scan"]["requests"], 100, "{query}: {list}");
        assert_eq!(list["services"][0]["name"], "shop");
        // Errors are not known for single requests.
        assert!(list["services"][0]["errors"].is_null());
        let page = server
            .get(&format!("/services/shop?from=now-1h&q={query}"))
            .await;
        assert_eq!(page.status, 200);
        assert!(
            page.text
                .contains("Counted from 100 requests that match the filter, one by one: exact.")
        );
        assert!(
            !page.text.contains("GET /b"),
            "all of the plan are of the other name"
        );
        assert_eq!(
            rows_of_requests(&server, &page.text).await,
            100,
            "the SQL of the chart reads the requests that match"
        );
        let one = "/services/shop/transactions/view?type=request&name=GET%20/a&from=now-1h";
        let view = server.get(&format!("/api/v1{one}&q={query}")).await.json();
        let bars = view["distribution"]["bars"].as_array().expect("bars");
        let dealt: f64 = bars.iter().filter_map(|bar| bar["count"].as_f64()).sum();
        let total = view["latency"]["total"]["count"].as_f64().expect("a count");
        assert!(
            (dealt - total).abs() < 1e-6 && total > 100.0,
            "{dealt} {total}"
        );
        for sample in view["samples"].as_array().expect("samples") {
            let id = sample["transaction_id"]
                .as_str()
                .or(sample["id"].as_str())
                .expect("an id");
            let number = u64::from_str_radix(id, 16).expect("a number");
            assert_eq!(number % 4, 0, "{query}: {sample}");
        }
        // The file is the same answer.
        let file = server
            .get(&format!(
                "/api/v1/services?from=now-1h&format=csv&q={query}"
            ))
            .await
            .text;
        assert_eq!(file.lines().count(), 2, "{file}");
    }
    let none = server.get("/services?from=now-1h&q=labels.plan:gold").await;
    assert_eq!(none.status, 200);
    // A list that cannot apply the filter still says so.
    assert_eq!(
        server.get("/api/v1/errors?q=labels.plan:pro").await.status,
        400
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_short_window_is_drawn_in_buckets_of_seconds() {
    let server = filled(1_000).await;
    for (range, interval) in [
        ("now-5m", 5),
        ("now-15m", 30),
        ("now-1h", 30),
        ("now-6h", 300),
    ] {
        let answer = server
            .get(&format!("/api/v1/services/shop?from={range}&cmp=off"))
            .await
            .json();
        for chart in ["latency", "throughput"] {
            assert_eq!(
                answer[chart]["axis"]["interval"], interval,
                "{range} {chart}"
            );
        }
        let counts = answer["latency"]["count"].as_array().expect("counts");
        let drawn = counts
            .iter()
            .filter(|count| count.as_f64() > Some(0.0))
            .count();
        // 400 requests in 200 seconds: a curve within minutes.
        let least = if interval < 60 {
            200 / interval as usize
        } else {
            1
        };
        assert!(drawn >= least, "{range}: {drawn} of {}", counts.len());
        let sum: f64 = counts.iter().filter_map(Value::as_f64).sum();
        let total = answer["latency"]["total"]["count"]
            .as_f64()
            .expect("a count");
        let listed: f64 = answer["transactions"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["count"].as_f64())
            .sum();
        assert!(
            (sum - total).abs() < 1e-6 && (sum - listed).abs() < 1e-6,
            "{range}: {sum} {total} {listed}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn errors_of_a_short_window_are_drawn_in_buckets_of_seconds_and_add_up_to_what_the_list_says()
{
    let server = TestServer::start();
    let last = now() - 1_000_000;
    let mut sent = vec![metadata("shop")];
    for number in 0..40_i64 {
        let kind = if number % 4 == 0 { "Parse" } else { "Io" };
        let error = json!({"error": {
            "id": format!("e{number:031x}"), "timestamp": last - number * 5_000_000,
            "exception": {"type": kind, "message": "text"},
        }});
        sent.push(error.to_string());
    }
    assert_eq!(server.intake(sent.join("\n")).await.status, 202);
    for (range, interval) in [
        ("now-5m", 5),
        ("now-15m", 30),
        ("now-1h", 30),
        ("now-6h", 300),
    ] {
        let path = format!("/api/v1/services/shop/errors?from={range}&cmp=off");
        let answer = server.get(&path).await.json();
        assert_eq!(answer["axis"]["interval"], interval, "{range}");
        let sum = |series: &Value| {
            let counts = series.as_array().expect("a series").iter();
            counts.filter_map(Value::as_i64).sum::<i64>()
        };
        assert_eq!(
            (sum(&answer["series"]), answer["occurrences"].as_i64()),
            (40, Some(40)),
            "{range}"
        );
        for group in answer["errors"].as_array().expect("rows") {
            assert_eq!(
                Some(sum(&group["series"])),
                group["occurrences"].as_i64(),
                "{range}: {group}"
            );
        }
    }
    // One group alone, and the groups of one state, are counted from their own events.
    let list = server
        .get("/api/v1/services/shop/errors?from=now-5m")
        .await
        .json();
    let first = &list["errors"][0];
    let key = first["key"].as_str().expect("a key");
    let one = server
        .get(&format!("/api/v1/services/shop/errors/{key}?from=now-5m"))
        .await
        .json();
    assert_eq!(one["axis"]["interval"], 5, "{one}");
    let none = server
        .get("/api/v1/services/shop/errors?from=now-5m&state=resolved")
        .await
        .json();
    assert_eq!(none["total"], 0, "{none}");
    server.stop().await;
}
