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

/// The commands of a script: the words of each line, without variables before them.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().map(|line| {
        line.split_whitespace()
            .skip_while(|word| word.contains('='))
            .take_while(|word| !word.starts_with('#'))
            .collect::<Vec<&str>>()
    });
    lines
        .filter(|words: &Vec<&str>| !words.is_empty())
        .collect()
}

/// Whether a script builds the project, or needs its history.
pub fn needs_checkout(block: &Block) -> bool {
    block.language == "sh"
        && commands(&block.text).iter().any(|words| {
            matches!(words[0], "cargo" | "git")
                || words[0].starts_with(".ci/")
                || words[0].starts_with("benches/")
        })
}

/// Whether all that a script needs of a checkout is the binary, and git beside it.
pub fn needs_binary_alone(block: &Block) -> bool {
    let commands = commands(&block.text);
    let runs = |words: &Vec<&str>| words[0] == "cargo" && words.get(1) == Some(&"run");
    commands.iter().any(runs)
        && commands.iter().all(|words| {
            !words[0].starts_with(".ci/")
                && !words[0].starts_with("benches/")
                && (words[0] != "cargo" || runs(words))
        })
}

/// Whether the tests, benches and scripts that a script names are there: those of a script that is not run.
pub fn names_what_is_there(block: &Block) -> Result<(), String> {
    let text = block.text.replace("\\\n", " ");
    for words in commands(&text) {
        let after = |option: &str| {
            let at = words.iter().position(|word| *word == option)?;
            words.get(at + 1).copied()
        };
        let is_there = match (words[0], words.get(1).copied()) {
            ("cargo", Some("bench")) => after("--bench").is_none_or(is_bench),
            ("cargo", Some("test")) => {
                let filter = words.iter().rposition(|word| *word == "it");
                let mut rest = words[filter.map_or(words.len(), |at| at + 1)..].iter();
                match rest.find(|word| !word.starts_with('-')) {
                    Some(filter) => is_test(filter),
                    None => true,
                }
            }
            (script, _) if script.starts_with(".ci/") || script.starts_with("benches/") => {
                super::root().join(script).is_file()
            }
            _ => true,
        };
        if !is_there {
            return Err(format!("{}: there is no such thing", words.join(" ")));
        }
    }
    Ok(())
}

/// Whether a package of the workspace has a bench.
fn is_bench(name: &str) -> bool {
    let entry = format!("[[bench]]\nname = \"{name}\"");
    let mut folders = vec![super::root().to_owned()];
    let crates = std::fs::read_dir(super::root().join("crates")).unwrap();
    folders.extend(crates.map(|folder| folder.unwrap().path()));
    folders.iter().any(|folder| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|text| text.contains(&entry))
    })
}

/// Whether some test or some module of tests has a name with this in it, as cargo filters them.
fn is_test(filter: &str) -> bool {
    let last = filter.rsplit("::").next().unwrap_or_default();
    let crates = super::root().join("crates");
    let mut folders: Vec<_> = std::fs::read_dir(crates)
        .unwrap()
        .map(|folder| folder.unwrap().path().join("tests/it"))
        .collect();
    folders.push(super::root().join("tests/it"));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let is_named = path
                .file_stem()
                .is_some_and(|name| name.to_string_lossy().contains(last));
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let mut names = text
                .lines()
                .filter_map(|line| line.trim_start().split_once("fn ")?.1.split('(').next());
            if is_named || names.any(|name| name.contains(last)) {
                return true;
            }
            folders.extend(path.is_dir().then_some(path));
        }
    }
    false
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
