//! `pocket-apm mcp`: the Model Context Protocol on standard input and output, for editors that start a program.
//!
//! It hands each message to `/mcp` of a running server and prints the answer, so tools and access are those of the
//! server.

use std::io::{BufRead, Read as _};

use actix_web::rt::System;
use apm_server::remote::{Remote, RemoteError};
use serde_json::{Value, json};

use crate::cli::{ApmOptions, McpOptions};
use crate::remote;
use crate::terminal::print;

/// Longest message, bytes.
const LONGEST: u64 = 1 << 20;

/// Answers messages until the input ends.
///
/// # Errors
/// If the options cannot be used, or the input or the output fails.
pub fn run(options: &McpOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let server = remote::server(options.server.as_deref(), &options.access, apm)?;
    System::new().block_on(serve(&server, std::io::stdin().lock(), print))
}

async fn serve(
    server: &Remote,
    mut input: impl BufRead,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer message comes in pieces, which the server refuses as no JSON.
        if (&mut input).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(answer) = asked(server, line.trim_ascii()).await {
            write(&(answer + "\n"))?;
        }
    }
}

/// The answer of the server to a message, on one line; none where the message wants none.
async fn asked(server: &Remote, message: &[u8]) -> Option<String> {
    let answer = server
        .post("/mcp", "application/json", message.to_vec())
        .await;
    let error: RemoteError = match answer {
        Ok(answer) if answer.status == 202 => return None,
        Ok(answer) if answer.status == 200 => {
            let text = String::from_utf8_lossy(&answer.body);
            // Line breaks stand between tokens only, where a blank is as good.
            return Some(text.replace('\n', " "));
        }
        Ok(answer) => server.refused(&answer),
        Err(error) => error,
    };
    let message: Value = serde_json::from_slice(message).unwrap_or_default();
    // A notification is not answered, and the next request says what is wrong.
    let id = message.get("id").filter(|id| !id.is_null())?;
    let fault = json!({"code": -32000, "message": error.to_string()});
    Some(json!({"jsonrpc": "2.0", "id": id, "error": fault}).to_string())
}

#[cfg(test)]
mod tests {
    use apm_server::remote::Trust;

    use super::*;

    #[actix_web::test]
    async fn a_server_that_is_away_is_told_in_the_answer_to_a_request() {
        let server = Remote::new("http://127.0.0.1:1", None, &Trust::System).unwrap();
        let input = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n\n\
            {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n";
        let mut output = Vec::new();
        let write = |text: &str| {
            output.push(text.to_owned());
            Ok(())
        };
        serve(&server, input.as_bytes(), write).await.unwrap();
        assert_eq!(output.len(), 1, "{output:?}");
        let answer: Value = serde_json::from_str(&output[0]).unwrap();
        assert_eq!(answer["id"], 7);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("cannot reach"), "{message}");
    }
}
