//! Scripts: their syntax, and the command lines in them.

use std::process::{Command, Stdio};

use clap::Parser as _;
use clap::error::ErrorKind;
use pocket_apm::cli::Cli;

use super::blocks::Block;

/// Whether the shell can read a block.
pub fn can_be_read(block: &Block) -> Result<(), String> {
    let output = Command::new("sh")
        .args(["-n", "-c", &block.text])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(())
}

/// Whether the shell can read a block, and the binary's options in it are those that there are.
pub fn is_well_formed(block: &Block) -> Result<(), String> {
    can_be_read(block)?;
    command_lines(&block.text).try_for_each(|line| is_known(&line))
}

/// Whether a script builds the project, or needs its history.
pub fn needs_checkout(block: &Block) -> bool {
    block.language == "sh"
        && block.text.lines().any(|line| {
            let mut words = line
                .split_whitespace()
                .skip_while(|word| word.contains('='));
            words.next().is_some_and(|word| {
                matches!(word, "cargo" | "git")
                    || word.starts_with(".ci/")
                    || word.starts_with("benches/")
            })
        })
}

/// The lines of a text that begin with the binary's name, also after a variable, a `-` of YAML or `cargo run --`.
pub fn command_lines(text: &str) -> impl Iterator<Item = String> {
    let joined = text.replace("\\\n", " ");
    let lines: Vec<_> = joined
        .lines()
        .map(|line| line.trim_start_matches(['-', ' ']).to_owned())
        .collect();
    lines.into_iter().filter_map(|line| {
        let mut rest = line.as_str();
        // `NAME=value` in front of a command.
        while let Some((first, after)) = rest.split_once(' ')
            && first.contains('=')
            && !first.starts_with('-')
        {
            rest = after;
        }
        for name in ["pocket-apm ", "cargo run --release -- ", "cargo run -- "] {
            if let Some(arguments) = rest.strip_prefix(name) {
                return Some(format!("pocket-apm {arguments}"));
            }
        }
        (rest == "pocket-apm").then(|| rest.to_owned())
    })
}

/// Whether each option of a command line is one of the binary's. Values may be missing or be placeholders.
pub fn is_known(line: &str) -> Result<(), String> {
    let words = shlex::split(line).ok_or_else(|| format!("{line}: a quote is not closed"))?;
    let end = words.iter().position(|word| {
        matches!(
            word.as_str(),
            "&" | "|" | ">" | ">>" | "&&" | "||" | "2>&1" | ";"
        )
    });
    let words = &words[..end.unwrap_or(words.len())];
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
                Err(format!("{line}: {error}"))
            }
            _ => Ok(()),
        },
    }
}
