//! Output of commands for the person or script that started them, whatever the log is set to.
//!
//! Nothing here fails the process: a closed pipe or a full disk behind the output is no reason to stop a server.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use apm_server::terminal::plain_lines;

pub(crate) mod words;

/// Prints a line that says where a server listens. If standard output takes nothing, the line goes to the log.
pub fn announce(line: &str) {
    let mut out = io::stdout();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        log::warn!("cannot write to the standard output ({error}): {line}");
    }
}

/// Prints the result of a command. A reader that has read enough, such as `head`, is no error. A terminal gets nothing
/// that it would obey, as rows of CSV hold telemetry; other readers get all of it.
///
/// # Errors
/// If the output takes nothing for another reason.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().is_terminal() {
        true => draw(&plain_lines(text)),
        false => draw(text),
    }
}

/// Prints a text with codes for the terminal, in which telemetry is plain already.
///
/// # Errors
/// As [`print`].
pub(crate) fn draw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints why a command failed.
pub fn error(message: impl Display) {
    complain("error", message);
}

/// Prints what a command could not do as well as it should have been done.
pub fn warning(message: impl Display) {
    complain("warning", message);
}

fn complain(kind: &str, message: impl Display) {
    // A message may repeat what a server answered, or a statement of telemetry.
    let message = plain_lines(&message.to_string());
    // If standard error takes nothing either, the exit code is all that is left.
    let _ = writeln!(io::stderr(), "{kind}: {message}");
}
