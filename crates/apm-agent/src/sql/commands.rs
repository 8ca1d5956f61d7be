//! Statements of stores that do not speak SQL: commands of Redis, JSON of `MongoDB` and Elasticsearch, Cypher.

use std::borrow::Cow;

use sql_lexer::Dialect;

use super::mask;
use super::secrets::{is_one_of, names_secret, words};

/// Words of Redis's commands that have a credential among their arguments.
const CREDENTIALS: [&str; 5] = ["auth", "auth2", "masterauth", "requirepass", "setuser"];
/// Commands of Redis whose second word belongs to their name.
const CONTAINERS: [&str; 3] = ["ACL", "CONFIG", "SENTINEL"];
/// Longer words are no names of commands.
const LONGEST: usize = 24;

/// A statement as it may be sent: without its values if `all` is wanted or one of its words means a secret.
pub(crate) fn command<'s>(text: &'s str, system: &str, all: bool) -> Cow<'s, str> {
    let is_redis = matches!(system, "redis" | "valkey" | "memcached");
    let is_credential = |(_, word): (usize, &str)| is_one_of(word, &CREDENTIALS);
    if !(all || names_secret(text) || is_redis && words(text).any(is_credential)) {
        return text.into();
    }
    if is_redis {
        return name(text).into();
    }
    // `:5` is a parameter in SQL, and in JSON a number behind its key.
    let text = text.replace(':', ": ").replace(":  ", ": ");
    mask::statement(&text, Dialect::Unknown, true)
        .into_owned()
        .into()
}

/// The name of a command, and `?` for all that follows. Arguments may be any bytes, also line breaks, so nothing after
/// the name is told apart.
fn name(text: &str) -> String {
    let mut parts = text.split_ascii_whitespace();
    let mut name = parts
        .next()
        .filter(|part| is_name(part))
        .unwrap_or_default()
        .to_owned();
    if is_one_of(&name, &CONTAINERS)
        && let Some(second) = parts.next().filter(|part| is_name(part))
    {
        name = format!("{name} {second}");
    }
    if name.is_empty() {
        return "?".to_owned();
    }
    if name.len() < text.trim().len() {
        name.push_str(" ?");
    }
    name
}

fn is_name(part: &str) -> bool {
    part.len() <= LONGEST
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_in_a_command_takes_all_arguments_with_it() {
        for (system, text, sent) in [
            ("redis", "AUTH s3cret", "AUTH ?"),
            ("redis", "auth ada s3cret", "auth ?"),
            ("redis", "HELLO 3 AUTH ada s3cret SETNAME x", "HELLO ?"),
            ("redis", "CONFIG SET requirepass s3cret", "CONFIG SET ?"),
            ("redis", "ACL SETUSER ada on >s3cret", "ACL SETUSER ?"),
            ("redis", "MIGRATE h 1 k 0 9 AUTH2 ada s3cret", "MIGRATE ?"),
            ("valkey", "MULTI\nAUTH \"s3\ncret\"\nEXEC", "MULTI ?"),
            ("redis", "SET session_token:1 s3cret", "SET ?"),
            ("redis", "\"AUTH\" s3cret", "?"),
            (
                "mongodb",
                r#"{"createUser":"ada","pwd":"s3cret"}"#,
                "{?: ?,?: ?}",
            ),
            (
                "elasticsearch",
                r#"POST /_security/user/ada {"password":"s3cret"}"#,
                "POST /_security/user/ada {?: ?}",
            ),
        ] {
            assert_eq!(command(text, system, false), sent, "{text}");
        }
    }

    #[test]
    fn other_commands_stay_unless_all_values_are_masked() {
        for (system, text, masked) in [
            ("redis", "GET cart:42", "GET ?"),
            ("redis", "PING", "PING"),
            ("redis", "", "?"),
            ("memcached", "set k 0 0 1 v", "set ?"),
            ("mongodb", r#"{"find":"people","limit":5}"#, "{?: ?,?: ?}"),
            (
                "neo4j",
                "MATCH (n {name: 'ada'}) RETURN n",
                "MATCH (n {name: ?}) RETURN n",
            ),
        ] {
            assert_eq!(command(text, system, false), text);
            assert_eq!(command(text, system, true), masked, "{text}");
        }
    }
}
