//! Assistants ask by the Model Context Protocol.

use std::process::Command;

use serde_json::{Value, json};

use crate::agents::source;
use crate::support::server::TestServer;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A server with one request that runs a statement, fails and logs.
async fn seeded(server: &TestServer) {
    let metadata = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}"#;
    let now = apm_time::now();
    let transaction = json!({"transaction": {
        "id": "00000000000000a1", "trace_id": TRACE, "type": "request", "name": "GET /cart", "duration": 12.5,
        "timestamp": now - 1_000_000, "outcome": "failure", "span_count": {"started": 1},
    }});
    let span = json!({"span": {
        "id": "00000000000000b1", "trace_id": TRACE, "transaction_id": "00000000000000a1",
        "parent_id": "00000000000000a1", "name": "SELECT FROM people", "type": "db", "subtype": "sqlite",
        "duration": 3.5, "timestamp": now - 999_000,
        "context": {"db": {"type": "sql", "statement": "SELECT * FROM people WHERE city = 'x'", "instance": "p.db"}},
    }});
    let error = json!({"error": {
        "id": "00000000000000c1", "trace_id": TRACE, "transaction_id": "00000000000000a1",
        "parent_id": "00000000000000a1", "timestamp": now - 998_000,
        "exception": {"type": "Overflow", "message": "too much", "handled": false},
    }});
    let log = json!({"log": {
        "message": "shipped", "log.level": "info", "@timestamp": now - 997_000, "trace.id": TRACE,
    }});
    let lines = [transaction, span, error, log].map(|line| line.to_string());
    let body = format!("{metadata}\n{}\n", lines.join("\n"));
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

async fn post(server: &TestServer, message: &Value) -> crate::support::server::Answer {
    let headers = [("Content-Type", "application/json")];
    server
        .send("POST", "/mcp", &headers, message.to_string())
        .await
}

/// The result of a tool: its text, and whether it is an error.
async fn tool(server: &TestServer, name: &str, arguments: Value) -> (String, bool) {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    });
    let answer = post(server, &message).await.json();
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str();
    let text = text
        .unwrap_or_else(|| panic!("no text: {answer}"))
        .to_owned();
    (text, result["isError"] == true)
}

#[actix_web::test]
async fn tools_answer_briefly_with_a_link_to_the_page() {
    let server = TestServer::start();
    seeded(&server).await;
    for (name, arguments, page, part) in [
        ("services", json!({}), "/services", "shop"),
        (
            "slow_transactions",
            json!({"service": "shop"}),
            "/services/shop/transactions",
            "GET /cart",
        ),
        (
            "trace",
            json!({"trace": TRACE}),
            "/traces/0af7651916cd43dd8448eb211c80319c",
            "SELECT FROM people",
        ),
        ("errors", json!({}), "/errors", "too much"),
        (
            "statements",
            json!({"service": "shop"}),
            "/queries?service=shop",
            "FROM people",
        ),
        ("insights", json!({}), "/insights", "insights (0 rows)"),
        (
            "compare",
            json!({"service": "shop"}),
            "/compare?service=shop",
            "transactions (",
        ),
        (
            "check",
            json!({"no_repeats": true}),
            "/check?no_repeats=1",
            "\"requests\"",
        ),
        (
            "sql",
            json!({"sql": "SELECT 1 AS one"}),
            "/sql?sql=SELECT%201%20AS%20one",
            "one\r\n1",
        ),
        (
            "logs",
            json!({"q": "message: shipped"}),
            "/discover?q=message%3A%20shipped&filter=data_stream.type%3A%20logs",
            "shipped",
        ),
    ] {
        let (text, is_error) = tool(&server, name, arguments).await;
        assert!(!is_error, "{name}: {text}");
        let page = format!("Page: {}{page}", server.running.url());
        assert!(text.starts_with(&page), "{name}: {text}");
        assert!(text.contains(part), "{name} lacks {part}: {text}");
        assert!(text.len() < 20_000, "{name} has {} bytes", text.len());
    }
    server.stop().await;
}

#[actix_web::test]
async fn one_error_and_one_statement_are_found_by_the_ids_of_the_lists() {
    let server = TestServer::start();
    seeded(&server).await;
    let (errors, _) = tool(&server, "errors", json!({})).await;
    let key = field(&errors, "key");
    let (text, is_error) = tool(&server, "error", json!({"service": "shop", "key": key})).await;
    assert!(!is_error && text.contains("Overflow"), "{text}");
    let (statements, _) = tool(&server, "statements", json!({})).await;
    let fingerprint = field(&statements, "fingerprint");
    let (text, is_error) = tool(&server, "statement", json!({"fingerprint": fingerprint})).await;
    assert!(!is_error && text.contains("\"growth\""), "{text}");
    assert!(
        text.contains("--explain"),
        "it says why there is no plan: {text}"
    );
    server.stop().await;
}

/// The value of a column in the first row of a tool's table.
fn field(text: &str, column: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.contains(column));
    let head = lines
        .next()
        .unwrap_or_else(|| panic!("no {column}: {text}"));
    let at = head
        .split(',')
        .position(|name| name.trim() == column)
        .expect("a column");
    let row = lines.next().expect("a row");
    row.split(',').nth(at).expect("a value").trim().to_owned()
}

#[actix_web::test]
async fn what_a_tool_refuses_is_told_to_the_assistant() {
    let server = TestServer::start();
    for (name, arguments, part) in [
        ("trace", json!({"trace": "none"}), "no trace"),
        ("sql", json!({"sql": "DELETE FROM tx"}), "only reading"),
        (
            "sql",
            json!({"sql": "SELECT document FROM alert_receiver"}),
            "refused",
        ),
        ("services", json!({"from": "someday"}), "from"),
        ("services", json!({"size": 5}), "has no `size`"),
        ("check", json!({}), "nothing to check"),
    ] {
        let (text, is_error) = tool(&server, name, arguments).await;
        assert!(is_error && text.contains(part), "{name}: {text}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_protocol_is_answered_as_it_says() {
    let server = TestServer::start();
    let hello = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    });
    let answer = post(&server, &hello).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-06-18");
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = post(&server, &notice).await;
    assert_eq!((answer.status, &*answer.text), (202, ""));
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
    assert_eq!(
        post(&server, &unknown).await.json()["error"]["code"],
        -32601
    );
    assert_eq!(server.get("/mcp").await.status, 405);
    let read = json!({
        "jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": "pocket-apm://schema/views"},
    });
    let views = post(&server, &read).await.json();
    let views = views["result"]["contents"][0]["text"]
        .as_str()
        .expect("a text");
    assert!(
        views.contains("\nv_transactions: seq, service, environment"),
        "{views}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn the_token_is_needed_as_for_the_pages() {
    let server = TestServer::with(|config| {
        config.secret_token = apm_server::SecretToken::new("hush");
    });
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let json = ("Content-Type", "application/json");
    let answer = server.send("POST", "/mcp", &[json], ping.clone()).await;
    assert_eq!(answer.status, 401);
    let token = ("Authorization", "Bearer hush");
    let answer = server
        .send("POST", "/mcp", &[json, token], ping.clone())
        .await;
    assert_eq!(
        answer.json(),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
    let elsewhere = ("Origin", "https://evil.example");
    let answer = server
        .send("POST", "/mcp", &[json, token, elsewhere], ping)
        .await;
    assert_eq!(answer.status, 403);
    server.stop().await;
}

#[actix_web::test]
async fn the_python_client_finds_and_calls_the_tools() {
    let Some(python) = test_support::installed("mcp-python/bin/python") else {
        return;
    };
    let server = TestServer::start();
    seeded(&server).await;
    let mut program = Command::new(python);
    program
        .arg(source("mcp-python/app.py"))
        .arg(server.url("/mcp"));
    let ended = actix_web::rt::task::spawn_blocking(move || program.output());
    let ended = ended.await.expect("no panic").expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    let got: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!(got["tools"].as_array().expect("tools").len(), 12);
    assert!(
        got["views"]
            .as_str()
            .expect("a text")
            .contains("v_statements")
    );
    let answers = got["answers"].as_array().expect("answers");
    let failed: Vec<&Value> = answers.iter().filter(|answer| answer[1] == true).collect();
    assert_eq!(failed.len(), 2, "only what is refused: {failed:#?}");
    server.stop().await;
}
