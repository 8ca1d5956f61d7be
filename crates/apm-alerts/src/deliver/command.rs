//! Commands of the configuration file. They get the message as JSON on their standard input; no shell reads anything.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::Failure;
use crate::message::Message;

/// Runs a program with a message. `url`: of the pages.
pub(super) async fn run(command: &[String], message: &Message, url: &str) -> Result<(), Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::for_good("it names no program"));
    };
    let mut command = Command::new(program);
    // A group of its own, with the processes that it starts.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
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
    #[cfg(unix)]
    let group = Group::of(&child);
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read its input decides with its exit status.
        let _ = input
            .write_all(message.json(url).to_string().as_bytes())
            .await;
    }
    let ended = child.wait().await;
    // Processes that it left running on purpose stay.
    #[cfg(unix)]
    group.leave();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::again(format!("it ended with {status}"))),
        Err(error) => Err(Failure::again(error.to_string())),
    }
}

/// The processes of a command. They are ended where it is dropped before the command has ended: with a program, which
/// may be a script, what it waits for would stay.
#[cfg(unix)]
struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(rustix::process::Pid::from_raw))
    }

    fn leave(mut self) {
        self.0 = None;
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of them may have ended by themselves.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
