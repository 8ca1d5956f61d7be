//! The APM server that a command sends to or asks, as its options name it.

use std::path::PathBuf;

use anyhow::Context as _;
use apm_server::remote::{Answer, Remote, Secret, Trust};

use crate::cli::{AccessOptions, ApmOptions};
use crate::service::reachable_name;

/// The server at an address, or the one that this machine's `pocket-apm` starts with the same options.
///
/// # Errors
/// If a file of the options cannot be read, or a value of them cannot be used. Each names its option.
pub fn server(
    url: Option<&str>,
    access: &AccessOptions,
    apm: &ApmOptions,
) -> anyhow::Result<Remote> {
    let secret = match &access.api_key {
        Some(key) => Some(Secret::ApiKey(key.clone())),
        None => apm.secret_token()?.map(Secret::Token),
    };
    open(url, secret.as_ref(), access.server_ca_file.as_ref(), apm)
}

/// The same with a secret of one's own, or none.
///
/// # Errors
/// As for [`server`].
pub(crate) fn open(
    url: Option<&str>,
    secret: Option<&Secret>,
    ca_file: Option<&PathBuf>,
    apm: &ApmOptions,
) -> anyhow::Result<Remote> {
    let trust = match (ca_file, &apm.apm_tls_cert) {
        (Some(file), _) => Trust::Authorities(file.clone()),
        // The name in it is that by which others reach the server.
        (None, Some(own)) if url.is_none() => Trust::Certificate(own.clone()),
        _ => Trust::System,
    };
    let option = match trust {
        Trust::Authorities(_) => "--server-ca-file",
        Trust::Certificate(_) => "--apm-tls-cert",
        Trust::System => "--server",
    };
    let url = url.map_or_else(|| own_url(apm), str::to_owned);
    Remote::new(&url, secret, &trust).with_context(|| format!("cannot use {option}"))
}

/// The address at which this machine reaches a server that was started with these options.
fn own_url(apm: &ApmOptions) -> String {
    let scheme = match apm.apm_tls_cert {
        Some(_) => "https",
        None => "http",
    };
    format!("{scheme}://{}", reachable_name(&apm.apm_listen))
}

/// Asks a server, and returns its answer.
pub(crate) async fn get(
    server: &Remote,
    path: &str,
    query: &[(&str, String)],
) -> anyhow::Result<Vec<u8>> {
    accepted(server, server.get(path, query).await?)
}

/// The body of an answer, if the server did as it was asked.
pub(crate) fn accepted(server: &Remote, answer: Answer) -> anyhow::Result<Vec<u8>> {
    match (200..300).contains(&answer.status) {
        true => Ok(answer.body),
        false => Err(server.refused(&answer).into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse_remote(line: &[&str]) -> anyhow::Result<Remote> {
        let line = ["pocket-apm", "import", "a.ndjson"].iter().chain(line);
        let cli = Cli::try_parse_from(line)?;
        let Some(Command::Import { to, .. }) = cli.command else {
            panic!("another command");
        };
        server(to.server.as_deref(), &to.access, &cli.apm)
    }

    #[test]
    fn the_address_follows_the_options_of_the_server() {
        let own = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/crates/apm-server/tests/it/http/tls/first"
        );
        let (certificate, key) = (format!("{own}.pem"), format!("{own}.key"));
        let encrypted = ["--apm-tls-cert", &certificate, "--apm-tls-key", &key];
        for (line, url) in [
            (&[][..], "http://127.0.0.1:8200"),
            (&["--apm-listen", "0.0.0.0:9000"], "http://127.0.0.1:9000"),
            (&["--apm-listen", "[::]:9000"], "http://[::1]:9000"),
            (&["--apm-listen", "localhost:1"], "http://localhost:1"),
            (&encrypted, "https://127.0.0.1:8200"),
            (
                &[
                    "--server",
                    "https://apm.example/apm/",
                    "--server-ca-file",
                    &certificate,
                ],
                "https://apm.example/apm",
            ),
        ] {
            assert_eq!(parse_remote(line).unwrap().url(), url, "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_option() {
        let server = ["--server", "https://apm.example"];
        for (line, said) in [
            (
                ["--server-ca-file", "/none.pem"],
                ["--server-ca-file", "/none.pem"],
            ),
            (
                ["--apm-secret-token-file", "/none"],
                ["--apm-secret-token-file", "/none"],
            ),
            (["--api-key", "two\nlines"], ["API key", "one line"]),
        ] {
            let error = parse_remote(&[&server[..], &line[..]].concat()).expect_err(line[0]);
            let error = format!("{error:#}");
            assert!(said.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
