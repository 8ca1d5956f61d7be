//! `pocket-apm mcp`: the protocol for assistants on standard input and output.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::command;
use super::show::server;

#[test]
fn an_editor_starts_the_command_and_asks_the_tools_of_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, "apm.db");
    let mut child = command(&dir)
        .args(["mcp", "--server", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
            "clientInfo":{"name":"test","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"sql","arguments":{
            "sql":"SELECT count(*) AS requests FROM v_transactions"}}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"no/such"}"#,
    ];
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        // One message a line.
        writeln!(input, "{}", message.replace('\n', " ")).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    // A notification has no answer.
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3), Some(4)]);
    assert!(answers[0]["result"]["serverInfo"]["name"].is_string());
    let tools = answers[1]["result"]["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "slow_transactions"));
    let text = answers[2]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("requests"), "{text}");
    assert!(answers[3]["error"]["code"].is_i64());
}
