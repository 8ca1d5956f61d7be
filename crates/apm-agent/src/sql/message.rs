//! Secrets in messages: of errors, of log lines, in labels. They may hold SQL, from a verb on, and settings such as
//! `password=…`.

use std::borrow::Cow;

use sql_lexer::Dialect;

use super::mask;
use super::secrets::{is_one_of, is_secret_word, is_word, words};

/// Written in capitals, a word that begins SQL.
const VERBS: [&str; 22] = [
    "ALTER",
    "ATTACH",
    "CALL",
    "CHANGE",
    "COPY",
    "CREATE",
    "DELETE",
    "DO",
    "EXECUTE",
    "GRANT",
    "IDENTIFIED",
    "INSERT",
    "MERGE",
    "OPEN",
    "PRAGMA",
    "PREPARE",
    "REPLACE",
    "SELECT",
    "SET",
    "UPDATE",
    "VALUES",
    "WITH",
];

/// In small letters, two words that follow one another only in SQL.
const PAIRS: [(&str, &[&str]); 9] = [
    ("alter", &["role", "server", "table", "user"]),
    ("attach", &["database"]),
    (
        "create",
        &["role", "server", "subscription", "table", "user"],
    ),
    ("delete", &["from"]),
    ("identified", &["as", "by", "with"]),
    ("insert", &["ignore", "into", "or"]),
    (
        "pragma",
        &[
            "activate_extensions",
            "hexkey",
            "hexrekey",
            "key",
            "rekey",
            "textkey",
        ],
    ),
    ("replace", &["into"]),
    ("set", &["password"]),
];
/// Words between `select` and `from`, or `update` and `set`.
const FAR: usize = 64;

/// A message as it may be sent. The literals of SQL in it are masked where one of its words means a secret, or, if
/// `all` is wanted, always; so is the value of a setting whose name means a secret.
pub(crate) fn message(text: &str, all: bool) -> Cow<'_, str> {
    let may_hold = |byte: &u8| matches!(byte, b'\'' | b'"' | b'$' | b'=' | b'(');
    let has_sign = text.as_bytes().iter().any(may_hold);
    // Numbers and words without quotes are literals too, but of SQL only.
    let is_oracle = || words(text).any(|(_, word)| word.eq_ignore_ascii_case("identified"));
    if !has_sign && !all && !is_oracle() {
        return Cow::Borrowed(text);
    }
    let start = sql_start(text).unwrap_or(text.len());
    let (words, sql) = text.split_at(start);
    let words = settings(words);
    let sql = mask::statement(sql, Dialect::Unknown, all);
    match (words, sql) {
        (Cow::Borrowed(_), Cow::Borrowed(sql)) if sql.len() == text.len() - start => {
            Cow::Borrowed(text)
        }
        (words, sql) => Cow::Owned(words.into_owned() + &sql),
    }
}

/// The place where SQL begins in a message.
fn sql_start(text: &str) -> Option<usize> {
    let mut begun: Option<(usize, &str)> = None;
    let mut far: Option<(usize, &str, usize)> = None;
    for (at, word) in words(text) {
        // A word in capitals is enough; a `select` that is still open began before it.
        if VERBS.contains(&word) {
            return Some(far.map_or(at, |(start, ..)| start.min(at)));
        }
        if let Some((start, first)) = begun.take() {
            let is_pair = |(known, next): &(&str, &[&str])| {
                known.eq_ignore_ascii_case(first) && is_one_of(word, next)
            };
            if PAIRS.iter().any(is_pair) {
                return Some(start);
            }
        }
        // `select` and `update` are English words, too: a `from` or `set` soon after them tells.
        far = match far {
            Some((start, end, _)) if word.eq_ignore_ascii_case(end) => return Some(start),
            Some((start, end, left)) if left > 0 => Some((start, end, left - 1)),
            _ if word.eq_ignore_ascii_case("select") => Some((at, "from", FAR)),
            _ if word.eq_ignore_ascii_case("update") => Some((at, "set", FAR)),
            _ => None,
        };
        begun = Some((at, word));
    }
    None
}

/// Masks the values of settings: `password=x`, `secret: "x"`, `"api_key":"x"`.
fn settings(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for (at, word) in words(text) {
        if at < copied || !is_secret_word(word) {
            continue;
        }
        let Some((start, end)) = value(text, at + word.len(), word) else {
            continue;
        };
        out.push_str(&text[copied..start]);
        out.push('?');
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The value of a setting whose name ends at `at`: its begin and its end.
fn value(text: &str, at: usize, name: &str) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let named = rest.trim_start_matches(['"', '\'', '`', '\\']);
    let signs = named.trim_start();
    let after = signs.trim_start_matches([':', '=', '>']);
    let sign = &signs[..signs.len() - after.len()];
    let value = after.trim_start();
    let start = text.len() - value.len();
    let bare = || {
        let ends =
            |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '\'' | '"' | '}');
        let len = value.find(ends).unwrap_or(value.len());
        (len > 0).then_some((start, start + len))
    };
    match value.as_bytes().first()? {
        // A parser that complains of a token tells no secret: `unexpected token '}'`.
        _ if sign != "=" && name.eq_ignore_ascii_case("token") => None,
        quote @ (b'"' | b'\'') if !sign.is_empty() || named.len() == rest.len() => {
            let end = value[1..].find(char::from(*quote));
            Some((start, end.map_or(text.len(), |end| start + end + 2)))
        }
        first if sign == "=" && (is_word(*first) || first.is_ascii_punctuation()) => bare(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_in_a_message_loses_what_comes_after_a_secret_word() {
        for (text, masked) in [
            (
                "cannot open: PRAGMA key='s3cret' failed",
                "cannot open: PRAGMA key=?",
            ),
            (
                "near 'IDENTIFIED BY 's3cret'' at line 1",
                "near 'IDENTIFIED BY ?",
            ),
            (
                "it's no use: create user bob password 's3cret'",
                "it's no use: create user bob password ?",
            ),
            (
                "failed: INSERT INTO users (name, password) VALUES ('bob', \"s3cret\")",
                "failed: INSERT INTO users (name, password) VALUES (?, ?)",
            ),
            (
                "slow: select name from users where token = 's3cret'",
                "slow: select name from users where token = ?",
            ),
            (
                "slow: update users u set pwd = 's3cret'",
                "slow: update users u set pwd = ?",
            ),
            (
                r#"summary="PRAGMA key = …" db.statement="\nPRAGMA key = \"s3cret\"""#,
                "summary=\"PRAGMA key = ?",
            ),
            (
                "ORA-1: alter user bob identified by s3cret",
                "ORA-1: alter user bob identified by ?",
            ),
            (
                "host=h password=s3cret dbname=x",
                "host=h password=? dbname=x",
            ),
            ("Pwd='s3 cret';Server=h", "Pwd=?;Server=h"),
            (
                r#"{"user":"bob","api_key":"s3cret"}"#,
                r#"{"user":"bob","api_key":?}"#,
            ),
            (r"password: 's3cret", "password: ?"),
            ("client_secret => \"s3cret\"!", "client_secret => ?!"),
            ("PASSWORD 's3cret'", "PASSWORD ?"),
        ] {
            assert_eq!(message(text, false), masked);
        }
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        for text in [
            "password authentication failed for user \"postgres\"",
            "unexpected token '}' in 'x'",
            "UNIQUE constraint failed: people.name = 'bob'",
            "SELECT * FROM people WHERE name = 'bob'",
            "please select a name from 'a' to 'z'",
            "the token: `=` was expected, found \"x\"",
            "token expired",
            "secret",
            "",
        ] {
            assert!(
                matches!(message(text, false), Cow::Borrowed(same) if same == text),
                "{text}: {}",
                message(text, false)
            );
        }
    }

    #[test]
    fn all_literals_of_sql_in_a_message_are_masked_on_request() {
        assert_eq!(
            message(
                "it's slow: SELECT * FROM people WHERE name = 'bob' LIMIT 5",
                true
            ),
            "it's slow: SELECT * FROM people WHERE name = ? LIMIT ?"
        );
        assert_eq!(message("retried 5 times", true), "retried 5 times");
    }

    #[test]
    fn no_message_makes_the_scanner_panic() {
        let pieces = [
            "'",
            "\"",
            "password",
            "=",
            " ",
            "é",
            "SELECT ",
            "select ",
            " from ",
            "token",
            ":",
            "\\",
            "s3",
            "pragma key",
            "://",
            "@",
        ];
        fastrand::seed(15);
        for _ in 0..20_000 {
            let text: String = (0..8)
                .map(|_| pieces[fastrand::usize(..pieces.len())])
                .collect();
            assert!(message(&text, false).len() <= text.len() + 8, "{text}");
        }
    }
}
