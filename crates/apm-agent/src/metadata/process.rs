//! The process that the agent runs in.

use std::path::Path;

use serde::Serialize;

use super::keyword;

/// Longer command lines are cut: the whole metadata is sent with every request.
const MAX_ARGS: usize = 64;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Process {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ppid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    argv: Vec<String>,
}

impl Process {
    pub(super) fn current(include_args: bool) -> Self {
        let arg = |arg: std::ffi::OsString| keyword(&arg.to_string_lossy());
        let executable = std::env::args_os().next();
        let title = executable
            .as_deref()
            .map(Path::new)
            .and_then(Path::file_name)
            .map(|name| keyword(&name.to_string_lossy()));
        let argv = if include_args {
            std::env::args_os().take(MAX_ARGS).map(arg).collect()
        } else {
            Vec::new()
        };
        Self {
            pid: std::process::id(),
            ppid: parent(),
            title,
            argv,
        }
    }
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

#[cfg(not(unix))]
fn parent() -> Option<u32> {
    None
}
