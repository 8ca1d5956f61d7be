//! Commands of the configuration file. They get the message as JSON on their standard input; no shell reads anything.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Failure;
use crate::message::Message;

/// Runs a program with a message. `url`: of the pages.
pub(super) async fn run(command: &[String], message: &Message, url: &str) -> Result<(), Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::for_good("it names no program"));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env("POCKET_APM_ALERT_CHANGE", message.change.as_str())
        .env("POCKET_APM_ALERT_TITLE", message.title.replace('\0', " "))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // One that takes too long is ended.
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::again(format!("it cannot be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read its input decides with its exit status.
        let _ = input
            .write_all(message.json(url).to_string().as_bytes())
            .await;
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::again(format!("it ended with {status}"))),
        Err(error) => Err(Failure::again(error.to_string())),
    }
}
