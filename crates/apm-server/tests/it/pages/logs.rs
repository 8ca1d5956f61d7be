//! Log lines: by severity, by words, as they come, and from a line to its trace.

use serde_json::{Value, json};

use super::metadata;
use crate::support::events::now;
use crate::support::otlp;
use crate::support::server::TestServer;

fn line(level: &str, message: &str, at: i64, ids: Option<(&str, &str)>) -> String {
    let mut line = json!({"@timestamp": at, "message": message, "log.level": level, "log.logger": "shop::orders"});
    if let Some((trace, span)) = ids {
        line["trace.id"] = trace.into();
        line["span.id"] = span.into();
        line["transaction.id"] = "00000000000000aa".into();
    }
    json!({"log": line}).to_string()
}

async fn send(server: &TestServer, service: &str, lines: &[String]) {
    let body = format!("{}\n{}", metadata(service), lines.join("\n"));
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

fn messages(answer: &Value) -> Vec<&str> {
    let lines = answer["lines"].as_array().expect("lines").iter();
    lines.filter_map(|line| line["message"].as_str()).collect()
}

const TRACE: &str = "000000000000000000000000000000ee";

/// Eight lines of two services.
async fn shop(server: &TestServer) -> i64 {
    let at = now() - 60_000_000;
    let own = [
        line("INFO", "started", at, None),
        line(
            "error",
            "payment refused\n  at shop::pay",
            at + 1_000_000,
            Some((TRACE, "00000000000000bb")),
        ),
        line("WARNING", "slow <b>disk</b>", at + 2_000_000, None),
        line("", "without a level", at + 3_000_000, None),
        line("Fatal", "out of memory", at + 4_000_000, None),
    ];
    send(server, "shop", &own).await;
    let own = [
        line("debug", "cart 17 opened", at + 5_000_000, None),
        line("info", "cart 17 closed", at + 6_000_000, None),
        line("info", &"long ".repeat(2_000), at + 7_000_000, None),
    ];
    send(server, "cart", &own).await;
    at
}

#[actix_web::test]
async fn lines_are_told_by_severity_word_and_service_and_page_json_and_file_agree() {
    let server = TestServer::start();
    shop(&server).await;
    for (query, total, first) in [
        ("", 8, "long "),
        ("?level=error", 2, "out of memory"),
        ("?level=warn", 1, "slow <b>disk</b>"),
        ("?level=info", 3, "long "),
        ("?level=debug", 1, "cart 17 opened"),
        ("?level=other", 1, "without a level"),
        ("?service=cart", 3, "long "),
        ("?q=refused", 1, "payment refused"),
        ("?q=closed&level=info", 1, "cart 17 closed"),
        ("?q=log.level:error", 1, "payment refused"),
        ("?q=message:cart*&service=shop", 0, ""),
        ("?env=production", 0, ""),
    ] {
        let found = server.get(&format!("/api/v1/logs{query}")).await.json();
        assert_eq!(found["total"], total, "{query}: {found}");
        assert_eq!(found["complete"], true, "{query}");
        let all = messages(&found);
        assert_eq!(all.len(), total, "{query}");
        assert!(
            all.first().unwrap_or(&"").starts_with(first),
            "{query}: {all:?}"
        );
        let counted: u64 = found["levels"]
            .as_array()
            .expect("levels")
            .iter()
            .map(|level| {
                let buckets = level["histogram"].as_array().expect("buckets");
                let sum: u64 = buckets.iter().filter_map(Value::as_u64).sum();
                assert_eq!(level["count"], sum, "{query}: {level}");
                sum
            })
            .sum();
        let without_level = query.contains("level=");
        assert!(counted == total as u64 || without_level, "{query}");
        let page = server.get(&format!("/logs{query}")).await.text;
        let rows = page.matches("<tr id=\"d").count();
        assert_eq!(rows, total, "{query}");
        let file = server
            .get(&format!(
                "/api/v1/logs{query}{}format=csv&table=lines",
                if query.is_empty() { "?" } else { "&" }
            ))
            .await;
        let mut reader = csv::Reader::from_reader(file.text.as_bytes());
        assert_eq!(reader.records().count(), total, "{query}");
    }
    let own = server.get("/api/v1/services/cart/logs").await.json();
    assert_eq!(own["total"], 3);
    let page = server.get("/services/cart/logs").await.text;
    assert!(
        page.contains("3 log lines in the last 15 minutes."),
        "{page}"
    );
    let refused = server.get("/api/v1/logs?level=loud").await;
    assert_eq!(refused.status, 400);
    let page = server.get("/logs").await.text;
    assert!(page.contains("slow &lt;b&gt;disk&lt;/b&gt;") && !page.contains("<b>disk"));
    assert!(
        page.contains("payment refused\n  at shop::pay"),
        "line breaks stay"
    );
    assert!(page.contains("2 errors, 1 warning, 3 info lines"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn a_line_leads_to_its_trace_and_its_span_shows_it() {
    let server = TestServer::start();
    let at = shop(&server).await;
    let transaction = json!({"transaction": {"id": "00000000000000aa", "trace_id": TRACE, "name": "POST /pay",
        "type": "request", "duration": 3000.0, "timestamp": at, "span_count": {"started": 1}}});
    let span = json!({"span": {"id": "00000000000000bb", "trace_id": TRACE, "parent_id": "00000000000000aa",
        "transaction_id": "00000000000000aa", "name": "charge", "type": "app", "duration": 2000.0, "timestamp": at}});
    send(
        &server,
        "shop",
        &[transaction.to_string(), span.to_string()],
    )
    .await;
    let page = server.get("/logs?q=refused&from=now-1h").await.text;
    let filter = "from=now-1h&amp;kept_q=refused";
    let href = format!("href=\"/traces/{TRACE}?{filter}&amp;item=00000000000000bb\"");
    assert!(page.contains(&href), "{page}");
    let trace = server
        .get(&format!("/traces/{TRACE}?item=00000000000000bb"))
        .await
        .text;
    assert!(trace.contains("Events and log lines"), "{trace}");
    assert!(trace.contains("payment refused"));
    assert_eq!(
        trace.matches("<circle class=\"mark\"").count(),
        1,
        "on the bar of the span"
    );
    let tab = server.get(&format!("/traces/{TRACE}?tab=logs")).await.text;
    assert!(tab.contains("payment refused"));
    // Opened, a line shows all of its fields.
    let found = server.get("/api/v1/logs?q=refused").await.json();
    let seq = &found["lines"][0]["seq"];
    let open = server
        .get(&format!("/logs?q=refused&open={seq}"))
        .await
        .text;
    assert!(
        open.contains("log.logger") && open.contains("Lines around this one"),
        "{open}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn older_lines_follow_each_other_to_the_end() {
    let server = TestServer::start();
    let at = now() - 60_000_000;
    let lines: Vec<String> = (0..350)
        .map(|number| line("info", &format!("line {number}"), at + number, None))
        .collect();
    send(&server, "shop", &lines).await;
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let found = server
            .get(&format!("/api/v1/logs?from=now-1h&size=100{after}"))
            .await
            .json();
        assert_eq!(found["total"], 350);
        seen.extend(messages(&found).into_iter().map(str::to_owned));
        match found["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let want: Vec<String> = (0..350)
        .rev()
        .map(|number| format!("line {number}"))
        .collect();
    assert_eq!(seen, want);
    let page = server.get("/logs").await.text;
    assert!(page.contains("Older lines"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn lines_of_opentelemetry_are_lines_and_a_page_can_follow_them() {
    let server = TestServer::start();
    let headers = [("Content-Type", "application/x-protobuf")];
    let sent = otlp::log("otel-shop", "hello from a collector");
    let answer = server.send("POST", "/v1/logs", &headers, sent).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let found = server.get("/api/v1/logs?service=otel-shop").await.json();
    assert_eq!(messages(&found), ["hello from a collector"]);
    let page = server.get("/logs?tail=1").await.text;
    assert!(
        page.contains("data-live=\"/live/stream?feed=logs"),
        "{page}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn lines_of_several_environments_name_theirs() {
    let server = TestServer::start();
    let of = |environment: &str| {
        let mut metadata: Value = serde_json::from_str(&metadata("shop")).expect("JSON");
        metadata["metadata"]["service"]["environment"] = environment.into();
        let line = line(
            "info",
            &format!("from {environment}"),
            now() - 1_000_000,
            None,
        );
        format!("{metadata}\n{line}")
    };
    assert_eq!(server.intake(of("live")).await.status, 202);
    for path in ["/logs", "/services/shop/logs"] {
        let page = server.get(&format!("{path}?tail=1")).await.text;
        let list = page.split("data-table=\"lines\"").nth(1).expect("a list");
        assert!(
            !list.contains("live</span>") && !list.contains(">live<"),
            "{list}"
        );
        assert!(!list.contains("environments=1"), "{list}");
    }
    assert_eq!(server.intake(of("test")).await.status, 202);
    for (path, cell) in [
        ("/logs", "<span class=\"dim\"> · live</span>"),
        (
            "/services/shop/logs",
            "<td class=\"soft\" title=\"live\">live</td>",
        ),
    ] {
        let page = server.get(&format!("{path}?tail=1")).await.text;
        assert!(page.contains(cell), "{path}: {page}");
        assert!(page.contains("environments=1"), "{path}");
        let one = server.get(&format!("{path}?env=live")).await.text;
        assert!(!one.contains(cell), "{path}: {one}");
    }
    let file = server.get("/api/v1/logs?format=csv&table=lines").await.text;
    assert!(file.contains("shop,test,"), "{file}");
    server.stop().await;
}
