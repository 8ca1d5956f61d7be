//! The process that the agent runs in.

use std::path::Path;

use serde::Serialize;

use super::keyword;
use crate::sanitize::{self, REDACTED};
use crate::util::wildcard::WildcardList;

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
    /// Arguments go without what is recognised as a secret: `--token=…`, `--token …`, and passwords in URLs.
    pub(super) fn current(include_args: bool, secrets: &WildcardList) -> Self {
        let executable = std::env::args_os().next();
        let title = executable
            .as_deref()
            .map(Path::new)
            .and_then(Path::file_name)
            .map(|name| keyword(&name.to_string_lossy()));
        let argv = if include_args {
            let all = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
            shown(all.take(MAX_ARGS), secrets)
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

fn shown(args: impl Iterator<Item = String>, secrets: &WildcardList) -> Vec<String> {
    let mut is_value = false;
    args.map(|arg| {
        let option = arg
            .strip_prefix('-')
            .map(|name| name.trim_start_matches('-'));
        let announced = std::mem::replace(&mut is_value, false);
        match option.map(|option| (option.split_once('='), option)) {
            Some((Some((name, _)), _)) if secrets.matches(name) => {
                let end = arg.find('=').unwrap_or(arg.len());
                format!("{}={REDACTED}", keyword(&arg[..end]))
            }
            // An option without `=` announces its value.
            Some((None, name)) => {
                is_value = secrets.matches(name);
                keyword(&arg)
            }
            None if announced => REDACTED.to_owned(),
            _ => keyword(&sanitize::without_secrets(&arg, secrets)),
        }
    })
    .collect()
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

#[cfg(not(unix))]
fn parent() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_lose_what_is_recognised_as_a_secret() {
        let given = "shop --port 80 --api-token=abc --api-token abc -v --token --other \
             postgres://ann:pw@db/x a=1 x?token=abc";
        let args = shown(
            given.split(' ').map(str::to_owned),
            &WildcardList::parse("*token*"),
        );
        assert_eq!(
            args.join(" "),
            "shop --port 80 --api-token=[REDACTED] --api-token [REDACTED] -v --token --other \
             postgres://[REDACTED]@db/x a=1 x?token=[REDACTED]"
        );
    }
}
