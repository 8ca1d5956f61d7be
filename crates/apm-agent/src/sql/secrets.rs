//! Statements that hold secrets: those with a word that says so, wherever it stands.

/// Words that mean a secret, as a part of any word: `user_password`, `AES_ENCRYPT`, `secret_access_key`.
const PARTS: [&str; 16] = [
    "access_key",
    "accesskey",
    "api_key",
    "apikey",
    "authorization",
    "credential",
    "crypt",
    "identified",
    "master_key",
    "passphrase",
    "passw",
    "private_key",
    "pwd",
    "secret",
    "signing_key",
    "token",
];

/// Words that mean a secret when they stand alone.
const WHOLE: [&str; 12] = [
    "activate_extensions",
    "cipher_salt",
    "connection",
    "dblink",
    "dblink_connect",
    "dblink_exec",
    "dsn",
    "hexkey",
    "hexrekey",
    "hmac",
    "jwt",
    "rekey",
];

/// Pragmas whose value is a key.
const KEY_PRAGMAS: [&str; 7] = [
    "activate_extensions",
    "hexkey",
    "hexrekey",
    "key",
    "rekey",
    "textkey",
    "textrekey",
];

/// Things that `CREATE` and `ALTER` make, and that have credentials.
const ACCOUNTS: [&str; 9] = [
    "certificate",
    "foreign",
    "link",
    "login",
    "mapping",
    "role",
    "server",
    "subscription",
    "user",
];
/// Words that may stand between `CREATE` and what is made: `CREATE OR REPLACE PUBLIC DATABASE LINK`.
const BETWEEN: usize = 5;

/// Longer words are compared by their beginning.
const LONGEST: usize = 64;

/// Whether a text holds a word after which a literal is a secret. Words count in comments and in quotes too: a
/// statement may hold another one as a string.
pub(super) fn names_secret(sql: &str) -> bool {
    let mut seen = Seen::default();
    words(sql).any(|(at, word)| seen.is_secret(word) || is_key_parameter(sql, at, word))
        || holds_credentials(sql)
}

/// Whether a pragma's value is a key.
pub(super) fn is_key_pragma(name: &str) -> bool {
    is_one_of(name, &KEY_PRAGMAS)
}

/// Whether a word by itself means a secret.
pub(super) fn is_secret_word(word: &str) -> bool {
    let mut lower = [0; LONGEST];
    let lower = lowered(word, &mut lower);
    PARTS.iter().any(|part| contains(lower, part.as_bytes()))
        || WHOLE.iter().any(|whole| lower == whole.as_bytes())
}

/// The things that the words so far have announced.
#[derive(Debug, Default)]
struct Seen {
    pragma: bool,
    attach: bool,
    /// Words left in which `CREATE` or `ALTER` may name what it makes.
    definition: usize,
}

impl Seen {
    fn is_secret(&mut self, word: &str) -> bool {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let announced = (self.pragma && is_key_pragma(word))
            || (self.attach && is("key"))
            || (self.definition > 0 && is_one_of(word, &ACCOUNTS));
        self.definition = self.definition.saturating_sub(1);
        if is("pragma") {
            self.pragma = true;
        } else if is("attach") {
            self.attach = true;
        } else if is("create") || is("alter") {
            self.definition = BETWEEN;
        }
        announced || is_secret_word(word)
    }
}

/// `file:x.db?key=…`: a key in SQLite's URI of a file.
fn is_key_parameter(sql: &str, at: usize, word: &str) -> bool {
    word.eq_ignore_ascii_case("key")
        && sql[..at].ends_with(['?', '&'])
        && sql[at + word.len()..].starts_with('=')
}

/// `postgres://user:password@host`: credentials in a URL.
fn holds_credentials(sql: &str) -> bool {
    sql.match_indices("://").any(|(at, mark)| {
        let rest = &sql[at + mark.len()..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"');
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    })
}

/// The words of a text and where they begin.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        at += bytes.get(at..)?.iter().position(|byte| is_word(*byte))?;
        let start = at;
        let rest = &bytes[start..];
        let len = rest.iter().position(|byte| !is_word(*byte));
        at = start + len.unwrap_or(rest.len());
        Some((start, &text[start..at]))
    })
}

/// Whether a byte belongs to a word; all of a character beyond ASCII do.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(super) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn lowered<'b>(word: &str, buffer: &'b mut [u8; LONGEST]) -> &'b [u8] {
    let len = word.len().min(LONGEST);
    let lower = &mut buffer[..len];
    lower.copy_from_slice(&word.as_bytes()[..len]);
    lower.make_ascii_lowercase();
    lower
}

fn contains(word: &[u8], part: &[u8]) -> bool {
    word.len() >= part.len() && word.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_with_secrets_are_told_from_others() {
        for sql in [
            "PRAGMA key='x'",
            "pragma main.rekey = 'x'",
            "ATTACH DATABASE 'x' AS y KEY 'z'",
            "ATTACH 'file:x.db?cipher=chacha20&key=z' AS y",
            "CREATE ROLE bob LOGIN",
            "create or replace public database link l using 'x'",
            "ALTER USER bob VALID UNTIL 'x'",
            "CREATE USER MAPPING FOR bob SERVER s",
            "GRANT ALL ON *.* TO bob IDENTIFIED BY 'x'",
            "SET PASSWORD = 'x'",
            "SELECT dblink_connect('host=x')",
            "SELECT 'postgres://bob:x@host/db'",
            "DO $$ BEGIN EXECUTE 'ALTER ROLE bob PASSWORD ''x'''; END $$",
            "SELECT crypt('x', gen_salt('bf'))",
            "UPDATE users SET password_hash = 'x'",
            "COPY t FROM 's3://b' CREDENTIALS 'aws_access_key_id=x'",
            "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
        ] {
            assert!(names_secret(sql), "{sql}");
        }
        for sql in [
            "SELECT * FROM people WHERE name = 'x'",
            "PRAGMA foreign_keys = ON",
            "PRAGMA foreign_key_list('t')",
            "SELECT value FROM settings WHERE key = 'theme'",
            "ATTACH DATABASE 'x' AS y",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'x')",
            "SELECT description FROM passengers",
            "SELECT 'https://host/a:b@c'",
            "SELECT user FROM roles WHERE server = 'x'",
            "",
        ] {
            assert!(!names_secret(sql), "{sql}");
        }
    }

    #[test]
    fn words_are_found_in_any_text() {
        let found: Vec<_> = words("  a1 'b_c' — é!x").map(|(_, word)| word).collect();
        assert_eq!(found, ["a1", "b_c", "—", "é", "x"]);
    }
}
