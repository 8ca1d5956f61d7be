//! Calls that know the service that answered them: in lists, on pages and on the service map.

use serde_json::{Value, json};

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

/// A request of a service in a trace; it was called by span `parent`.
fn request(id: u64, trace: u64, parent: Option<u64>, at: i64) -> String {
    let parent = parent.map(|parent| format!("{parent:016x}"));
    json!({"transaction": {"id": format!("{id:016x}"), "trace_id": format!("{trace:032x}"), "parent_id": parent,
        "name": "GET /", "type": "request", "duration": 40.0, "timestamp": at, "outcome": "success",
        "span_count": {"started": 1}}})
    .to_string()
}

/// A call of a request.
fn call(id: u64, trace: u64, of: u64, at: i64, (kind, resource): (&str, &str), ok: bool) -> String {
    let outcome = if ok { "success" } else { "failure" };
    let mut context = json!({"destination": {"service": {"resource": resource}}});
    if kind == "db" {
        context["db"] = json!({"type": "sql", "statement": "SELECT name FROM item"});
    }
    json!({"span": {"id": format!("{id:016x}"), "trace_id": format!("{trace:032x}"), "name": "call",
        "parent_id": format!("{of:016x}"), "transaction_id": format!("{of:016x}"), "type": kind,
        "duration": 20.0, "timestamp": at, "outcome": outcome,
        "context": context}})
    .to_string()
}

async fn send(server: &TestServer, service: &str, events: &[String]) {
    let body = format!("{}\n{}", metadata(service), events.join("\n"));
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

/// Edges of a map: caller, callee, calls, share of failures.
fn edges(map: &Value) -> Vec<(String, String, f64, f64)> {
    let name = |edge: &Value, end: &str| {
        let place = edge[end].as_u64().expect("a place") as usize;
        map["nodes"][place]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    let edges = map["calls"].as_array().expect("calls").iter();
    let mut edges: Vec<_> = edges
        .map(|edge| {
            let failed = edge["failed_rate"].as_f64().unwrap_or(-1.0);
            let count = edge["count"].as_f64().expect("a count");
            (name(edge, "from"), name(edge, "to"), count, failed)
        })
        .collect();
    edges.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    edges
}

/// A shop: `shop` calls `cart` by its address, `cart` calls back, both use one database, `stock` reads a queue.
async fn shop(server: &TestServer) {
    let at = now() - 5_000_000;
    // The callee's transaction comes before the span of the call, from another sender.
    send(server, "cart", &[request(20, 1, Some(11), at + 100)]).await;
    let external = ("external", "127.0.0.1:8081");
    let own = [
        request(10, 1, None, at),
        call(11, 1, 10, at, external, true),
        // A call that never got there.
        call(12, 1, 10, at, external, false),
        call(13, 1, 10, at, ("db", "sqlite/shop.db"), true),
        call(14, 1, 10, at, ("messaging", "kafka/orders"), true),
        call(15, 1, 10, at, ("external", "mail.example.com:25"), true),
    ];
    send(server, "shop", &own).await;
    // And after it.
    let own = [
        call(21, 1, 20, at, ("external", "shop:80"), true),
        call(22, 1, 20, at, ("db", "sqlite/shop.db"), true),
    ];
    send(server, "cart", &own).await;
    send(server, "shop", &[request(16, 1, Some(21), at + 200)]).await;
    send(server, "stock", &[request(30, 1, Some(14), at + 900)]).await;
    send(server, "quiet", &[request(40, 2, None, at)]).await;
}

#[actix_web::test]
async fn the_numbers_of_a_service_are_on_the_map_also_where_a_thousand_others_have_more_time() {
    let server = TestServer::with(|config| config.max_names = 8_000);
    let at = now() - 5_000_000;
    let of = |number: u64, event: String, kind: &str| {
        let mut event: Value = serde_json::from_str(&event).expect("an event");
        let service =
            json!({"name": format!("s{number:04}"), "agent": {"name": "go", "version": "1"}});
        event[kind]["context"]["service"] = service;
        event.to_string()
    };
    let mut events = Vec::new();
    for number in 1..=1_100 {
        let mut sent: Value =
            serde_json::from_str(&request(number, number, None, at)).expect("a request");
        sent["transaction"]["duration"] = json!(2_000 - number);
        events.push(of(number, sent.to_string(), "transaction"));
    }
    let last = call(5_000, 1_100, 1_100, at, ("db", "sqlite/shop.db"), true);
    events.push(of(1_100, last, "span"));
    send(&server, "shop", &events).await;
    let map = server.get("/api/v1/services/s1100/map").await.json();
    let nodes = map["nodes"].as_array().expect("nodes");
    let own = nodes.iter().find(|node| node["name"] == "s1100");
    let own = own.unwrap_or_else(|| panic!("its node: {map}"));
    assert_eq!(own["latency_avg"], json!(900_000.0), "{own}");
    // Its span names the service only: the agent is that of the request or of the stream.
    assert!(
        ["go", "rust"].map(Into::into).contains(&own["subtype"]),
        "{own}"
    );
    assert!(own["throughput"].as_f64() > Some(0.0), "{own}");
    // Those without calls are counted, beyond the ones that are told.
    let all = server.get("/api/v1/map").await.json();
    assert_eq!(all["alone"].as_array().map(Vec::len), Some(200));
    assert_eq!(all["left_out"], json!(899), "1 099 are alone");
    server.stop().await;
}

#[actix_web::test]
async fn a_call_leads_to_the_service_that_answered_it_whichever_came_first() {
    let server = TestServer::start();
    shop(&server).await;
    let map = server.get("/api/v1/map").await.json();
    let edge = |from: &str, to: &str, count: f64, failed: f64| {
        (from.to_owned(), to.to_owned(), count, failed)
    };
    let all = [
        edge("cart", "shop", 1.0, 0.0),
        edge("cart", "sqlite/shop.db", 1.0, 0.0),
        edge("kafka/orders", "stock", 1.0, 0.0),
        // One service answers at that address, so that the call that failed before it got there is one of it.
        edge("shop", "cart", 2.0, 0.5),
        edge("shop", "kafka/orders", 1.0, 0.0),
        edge("shop", "mail.example.com:25", 1.0, 0.0),
        edge("shop", "sqlite/shop.db", 1.0, 0.0),
    ];
    assert_eq!(edges(&map), all);
    assert_eq!(map["alone"][0]["name"], "quiet", "{map}");
    let kinds: Vec<&str> = map["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["type"].as_str())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "service").count(), 3);
    // A service with its neighbours, by its tab and by the filter.
    let own = server.get("/api/v1/services/stock/map").await.json();
    assert_eq!(
        edges(&own),
        [
            edge("kafka/orders", "stock", 1.0, 0.0),
            edge("shop", "kafka/orders", 1.0, 0.0)
        ]
    );
    let chosen = server.get("/api/v1/map?service=stock").await.json();
    assert_eq!(edges(&chosen), edges(&own));
    let elsewhere = server.get("/api/v1/map?env=production").await.json();
    assert_eq!(elsewhere["nodes"], json!([]));
    // The list, and the page of the dependency.
    let list = server
        .get("/api/v1/services/shop/dependencies")
        .await
        .json();
    let rows = list["dependencies"].as_array().expect("rows").iter();
    for row in rows {
        let behind = match row["name"].as_str() {
            Some("127.0.0.1:8081") => json!([{"service": "cart", "count": 1.0}]),
            Some("kafka/orders") => json!([{"service": "stock", "count": 1.0}]),
            _ => json!([]),
        };
        assert_eq!(row["services"], behind, "{row}");
    }
    let page = server.get("/dependencies").await.text;
    assert!(page.contains("answered by <a class=\"plain\" href=\"/services/cart\""));
    let page = server.get("/dependencies/127.0.0.1:8081").await.text;
    assert!(page.contains("href=\"/services/cart\""), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn page_json_and_file_of_the_map_have_equal_numbers() {
    let server = TestServer::start();
    shop(&server).await;
    let map = server.get("/api/v1/map").await.json();
    let file = server.get("/api/v1/map?format=csv&table=calls").await.text;
    let rows: Vec<Vec<&str>> = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            let number = |text: &str| text.parse().expect("a number");
            (
                row[0].to_owned(),
                row[1].to_owned(),
                number(row[3]),
                number(row[7]),
            )
        })
        .collect();
    told.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    assert_eq!(told, edges(&map), "{file}");
    for path in ["/map", "/services/shop/map"] {
        let page = server.get(path).await.text;
        let shown = page.matches("<path class=\"way\"").count();
        let own = server.get(&format!("/api/v1{path}")).await.json();
        assert_eq!(shown, edges(&own).len(), "{path}");
        for (from, to, ..) in edges(&own) {
            assert!(
                page.contains(&format!("{from} calls {to}: ")),
                "{from} {to}"
            );
        }
        let rows = page.split("data-table=\"calls\"").nth(1).expect("a table");
        assert_eq!(rows.matches("<tr>").count(), shown + 1, "{path}");
    }
    // The share of SQL is on the service, and on the way to its database.
    let shares: Vec<(&str, Option<f64>)> = map["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter(|node| !node["db_share"].is_null())
        .map(|node| {
            (
                node["name"].as_str().expect("a name"),
                node["db_share"].as_f64(),
            )
        })
        .collect();
    for (service, share) in [("shop", 0.25), ("cart", 0.5)] {
        assert!(shares.contains(&(service, Some(share))), "{shares:?}");
    }
    let page = server.get("/map").await.text;
    for share in ["DB 25\u{202f}%", "DB 50\u{202f}%"] {
        assert!(page.matches(share).count() >= 2, "{share}: {page}");
    }
    assert!(
        page.contains("aria-current=\"page\"><svg"),
        "in the navigation"
    );
    assert!(page.contains("50\u{202f}% fail"), "what stands out: {page}");
    server.stop().await;
}

#[actix_web::test]
async fn a_map_of_a_hundred_services_is_drawn_with_long_and_odd_names() {
    let server = TestServer::start();
    let at = now() - 5_000_000;
    let name = |number: u64| match number {
        7 => "n".repeat(1000),
        _ => format!("service-{number}"),
    };
    let host = |number: u64, child: u64| match number {
        8 => "שלום".to_owned(),
        9 => format!("🦀 <script>{child}"),
        10 => "h".repeat(1000),
        _ => format!("host-{number}-{child}:80"),
    };
    for number in 0..110_u64 {
        let (id, trace) = (1000 + number, 500);
        let parent = (number > 0).then(|| 10_000 + 100 * ((number - 1) / 3) + (number - 1) % 3);
        let mut events = vec![request(id, trace, parent, at)];
        for child in 0..3 {
            let span = 10_000 + 100 * number + child;
            let resource = host(number, child);
            events.push(call(
                span,
                trace,
                id,
                at,
                ("external", &resource),
                child != 2,
            ));
        }
        send(&server, &name(number), &events).await;
    }
    let map = server.get("/api/v1/map").await.json();
    let nodes = map["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 200, "the bound of a map");
    assert!(map["left_out"].as_u64() > Some(0), "{}", map["left_out"]);
    let services = nodes.iter().filter(|node| node["type"] == "service");
    assert_eq!(services.count(), 110, "services have most calls");
    let page = server.get("/map").await.text;
    assert!(page.len() < 600_000, "{}", page.len());
    assert_eq!(page.matches("<a class=\"node").count(), 200);
    for number in [0, 8, 9, 10, 50] {
        let own = server.get(&format!("/services/service-{number}/map")).await;
        assert_eq!(own.status, 200);
        assert!(!own.text.contains("<script>0"), "escaped");
        let words = own
            .text
            .contains("calls 3 others and is called by 1 other.");
        let words = words || own.text.contains("calls 1 other and is called by 1 other.");
        assert!(words || number == 0, "{number}: {}", own.text);
    }
    server.stop().await;
}

#[actix_web::test]
async fn calls_of_a_sample_count_for_all_and_survive_a_restart() {
    let mut server = TestServer::start();
    let at = now() - 90_000_000;
    let sampled = |line: String| line.replace("\"outcome\"", "\"sample_rate\":0.25,\"outcome\"");
    let own = [
        sampled(request(1, 1, None, at)),
        sampled(call(2, 1, 1, at, ("external", "b:80"), true)),
    ];
    send(&server, "a", &own).await;
    send(&server, "b", &[request(3, 1, Some(2), at)]).await;
    // The same transaction again is the same call.
    send(&server, "b", &[request(3, 1, Some(2), at)]).await;
    let path = server.directory.path().join("apm.db");
    let want = [("a".to_owned(), "b".to_owned(), 4.0, 0.0)];
    for range in ["now-15m", "now-24h"] {
        let map = server
            .get(&format!("/api/v1/map?from={range}"))
            .await
            .json();
        assert_eq!(edges(&map), want, "{range}: {map}");
    }
    server.running.stop(true).await;
    let again = TestServer::with(|config| config.database = path);
    server.running = again.running;
    for range in ["now-15m", "now-24h"] {
        let map = server
            .get(&format!("/api/v1/map?from={range}"))
            .await
            .json();
        assert_eq!(edges(&map), want, "{range}: {map}");
    }
    let metrics = server.get("/metrics").await.text;
    for reason in ["full", "callees"] {
        let line = format!("pocket_apm_calls_unresolved_total{{reason=\"{reason}\"}} 0\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_sentence_of_the_map_names_the_kinds_of_what_is_called_and_claims_no_calls_between_services()
 {
    let server = TestServer::start();
    let at = now() - 5_000_000;
    let sentence = async || {
        let page = server.get("/map").await.text;
        let (_, rest) = page
            .split_once("<h1 class=\"answer\">")
            .expect("a headline");
        let (text, _) = rest.split_once("</h1>").expect("its end");
        text.to_owned()
    };
    let (a, b) = (("db", "a.db"), ("db", "b.db"));
    let calls = [
        request(120, 101, None, at),
        call(121, 101, 120, at, a, true),
        call(122, 101, 120, at, b, true),
    ];
    send(&server, "shop", &calls).await;
    assert_eq!(sentence().await, "One service calls 2 databases.");
    let calls = [
        request(130, 102, None, at),
        call(131, 102, 130, at, a, true),
    ];
    send(&server, "cart", &calls).await;
    assert_eq!(sentence().await, "2 services call 2 databases.");
    let own = server.get("/services/cart/map").await.text;
    assert!(
        own.contains("cart calls 1 other and is called by none."),
        "{own}"
    );
    let calls = [
        request(140, 103, None, at),
        call(141, 103, 140, at, ("messaging", "orders"), true),
    ];
    send(&server, "cart", &calls).await;
    assert_eq!(sentence().await, "2 services call 3 databases and queues.");
    shop(&server).await;
    let all = sentence().await;
    assert!(all.contains(" services call each other and "), "{all}");
    server.stop().await;
}
