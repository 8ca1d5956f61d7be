//! `pocket-apm apikey`: the file of API keys.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use apm_server::api_keys::{ApiKeys, NewKey, Privilege};
use apm_store::text_file;

use crate::cli::{ApiKeyCommand, ApmOptions};

/// Does what is asked, and prints what there is to know.
///
/// # Errors
/// If there is no file, or it cannot be read or written.
pub fn run(command: &ApiKeyCommand, apm: &ApmOptions) -> anyhow::Result<()> {
    let Some(file) = &apm.apm_api_key_file else {
        bail!(
            "name the file of the keys with --apm-api-key-file (APM_API_KEY_FILE), as for the server"
        );
    };
    match command {
        ApiKeyCommand::Create { name, privileges } => {
            let encoded = create(file, name, privileges)?;
            log::info!("agents take this as ELASTIC_APM_API_KEY; it is not shown again");
            print(&format!("{encoded}\n"))
        }
        ApiKeyCommand::List => {
            let keys = parse(file, &text(file)?)?;
            let line = |key: &apm_server::api_keys::ApiKey| {
                let names: Vec<_> = key.privileges.iter().map(Privilege::to_string).collect();
                format!("{} {}\n", key.name, names.join(","))
            };
            let lines: String = keys.list().into_iter().map(line).collect();
            Ok(crate::terminal::print(&lines)?)
        }
        ApiKeyCommand::Revoke { name } => revoke(file, name),
    }
}

/// Adds a key; what its holder presents.
fn create(file: &Path, name: &str, privileges: &[Privilege]) -> anyhow::Result<String> {
    let before = match text_file::read(file, ApiKeys::LARGEST_FILE) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("cannot read {}", file.display()))?,
    };
    if parse(file, &before)?
        .list()
        .iter()
        .any(|key| key.name == name)
    {
        bail!(
            "there is a key with the name `{name}` in {}: revoke it first, or take another name",
            file.display()
        );
    }
    let key = NewKey::make(name, privileges).map_err(anyhow::Error::msg)?;
    // The last line of a file that somebody wrote may lack its end.
    let start = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut opened = private().append(true).create(true).open(file);
    let written = opened
        .as_mut()
        .map_err(|error| std::io::Error::new(error.kind(), error.to_string()))
        .and_then(|opened| writeln!(opened, "{start}{}", key.line));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key.encoded)
}

/// Takes a key out. A server that reads the file meanwhile gets it with the key or without it, and never a part.
fn revoke(file: &Path, name: &str) -> anyhow::Result<()> {
    let before = text(file)?;
    parse(file, &before)?;
    let is_it = |line: &&str| line.split_whitespace().next() == Some(name);
    if !before.lines().any(|line| is_it(&line)) {
        bail!(
            "there is no key with the name `{name}` in {}",
            file.display()
        );
    }
    let mut after: String = before
        .lines()
        .filter(|line| !is_it(line))
        .collect::<Vec<_>>()
        .join("\n");
    if !after.is_empty() {
        after.push('\n');
    }
    replace(file, &after).with_context(|| format!("cannot write {}", file.display()))
}

/// Puts a new file in the place of a file. Its name is another one each time, so that one that a crash has left is not
/// in the way; its owner alone reads it.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // A name alone lies in the current directory.
    let directory = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut new = tempfile::Builder::new()
        .prefix(".apm-keys-")
        .tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

/// A file that its owner alone reads, where it is made.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn text(file: &Path) -> anyhow::Result<String> {
    text_file::read(file, ApiKeys::LARGEST_FILE)
        .with_context(|| format!("cannot read {}", file.display()))
}

fn parse(file: &Path, text: &str) -> anyhow::Result<ApiKeys> {
    ApiKeys::parse(text).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot print")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_listed_and_revoked_and_the_rest_of_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        let first = create(&file, "shop", &[Privilege::Intake]).unwrap();
        let with_note = text(&file).unwrap() + "# people";
        std::fs::write(&file, with_note).unwrap();
        let second = create(&file, "ana", &[Privilege::Read]).unwrap();
        assert_ne!(first, second);
        let names = |file: &Path| -> Vec<String> {
            let keys = parse(file, &text(file).unwrap()).unwrap();
            keys.list().iter().map(|key| key.name.clone()).collect()
        };
        assert_eq!(names(&file), ["ana", "shop"]);
        let error = create(&file, "shop", &[Privilege::Read])
            .unwrap_err()
            .to_string();
        assert!(error.contains("revoke it first"), "{error}");
        // As a crash of an earlier version left it.
        std::fs::write(file.with_extension("new"), "half").unwrap();
        revoke(&file, "shop").unwrap();
        assert_eq!(names(&file), ["ana"]);
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 2, "nothing is left but the file and what was there");
        assert!(text(&file).unwrap().starts_with("# people\n"));
        assert!(
            revoke(&file, "shop").is_err() && revoke(&directory.path().join("none"), "x").is_err()
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_no_file_of_keys_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("notes");
        std::fs::write(&file, "my notes").unwrap();
        let error = create(&file, "shop", &[Privilege::Intake])
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 1"), "{error}");
        assert_eq!(text(&file).unwrap(), "my notes");
    }
}
