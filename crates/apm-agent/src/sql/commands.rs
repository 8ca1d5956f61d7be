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

/// Whether statements of a system are SQL, which has names and literals.
pub(crate) fn is_sql(system: &str) -> bool {
    !matches!(
        system,
        "redis"
            | "valkey"
            | "memcached"
            | "mongodb"
            | "dynamodb"
            | "elasticsearch"
            | "opensearch"
            | "neo4j"
            | "couchdb"
            | "couchbase"
            | "hbase"
            | "geode"
    )
}

/// A span's name for a command: `GET`, `CONFIG SET`, and the system's own name where a command has none.
pub(crate) fn command_name(text: &str, system: &str) -> String {
    let name = if is_redis(system) { name(text) } else { None };
    name.unwrap_or_else(|| system.to_owned())
}

/// Systems whose commands are words, one after another.
fn is_redis(system: &str) -> bool {
    matches!(system, "redis" | "valkey" | "memcached")
}

/// A statement as it may be sent: without its values if `all` is wanted or one of its words means a secret.
pub(crate) fn command<'s>(text: &'s str, system: &str, all: bool) -> Cow<'s, str> {
    let is_redis = is_redis(system);
    let is_credential = |(_, word): (usize, &str)| is_one_of(word, &CREDENTIALS);
    if !(all || names_secret(text) || is_redis && words(text).any(is_credential)) {
        return text.into();
    }
    if is_redis {
        return name_only(text).into();
    }
    // `:5` is a parameter in SQL, and in JSON a number behind its key.
    let text = text.replace(':', ": ").replace(":  ", ": ");
    mask::statement(&text, Dialect::Unknown, true)
        .into_owned()
        .into()
}

/// The name of a command, and `?` for all that follows. Arguments may be any bytes, also line breaks, so nothing after
/// the name is told apart.
fn name_only(text: &str) -> String {
    match name(text) {
        None => "?".to_owned(),
        Some(name) if name.len() < text.trim().len() => format!("{name} ?"),
        Some(name) => name,
    }
}

/// The name of a command, with its second word where that belongs to it.
fn name(text: &str) -> Option<String> {
    let mut parts = text.split_ascii_whitespace();
    let name = parts.next().filter(|part| is_name(part))?;
    let second = is_one_of(name, &CONTAINERS).then(|| parts.next()).flatten();
    Some(match second.filter(|part| is_name(part)) {
        Some(second) => format!("{name} {second}"),
        None => name.to_owned(),
    })
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
    fn spans_of_commands_are_named_without_their_arguments() {
        for (system, text, name) in [
            ("redis", "GET cart:42", "GET"),
            ("redis", "config set requirepass s3cret", "config set"),
            ("redis", "\"AUTH\" s3cret", "redis"),
            ("memcached", "", "memcached"),
            ("mongodb", r#"{"find":"people"}"#, "mongodb"),
        ] {
            assert_eq!(command_name(text, system), name, "{text}");
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
