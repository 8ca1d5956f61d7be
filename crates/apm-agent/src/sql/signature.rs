//! The verb of a statement and the table that it is mainly about.

use super::token::{Kind, Token, Tokens};

/// Names `sql`: `SELECT FROM people`, `INSERT INTO app.people`, `CALL refresh`, or just its first word in upper case.
///
/// Comments are skipped, which includes the ` -- binds: […]` that Diesel appends to a printed query.
pub(crate) fn signature(sql: &str) -> String {
    let mut tokens = Words(Tokens::new(sql));
    let Some(first) = tokens.next() else {
        return String::new();
    };
    let start = sql.len() - tokens.0.rest().len() - first.text.len();
    let is_word = first
        .text
        .starts_with(|c: char| c.is_alphabetic() || c == '_');
    let named = match first.kind {
        Kind::Call => tokens
            .find(|token| token.kind == Kind::Ident)
            .map(|procedure| format!("CALL {}", procedure.text)),
        Kind::Delete => tokens
            .table_after(Kind::From)
            .map(|table| format!("DELETE FROM {table}")),
        Kind::Insert => tokens
            .table_after(Kind::Into)
            .map(|table| format!("INSERT INTO {table}")),
        Kind::Replace => tokens
            .table_after(Kind::Into)
            .map(|table| format!("REPLACE INTO {table}")),
        Kind::Select => Some(match tokens.outermost_from() {
            Some(table) => format!("SELECT FROM {table}"),
            None => "SELECT".to_owned(),
        }),
        Kind::Update => tokens
            .updated_table()
            .map(|table| format!("UPDATE {table}")),
        _ => None,
    };
    named.unwrap_or_else(|| match is_word {
        // A word may hold `$`, and `DO$$…$$` is one.
        true => first
            .text
            .split('$')
            .next()
            .unwrap_or_default()
            .to_uppercase(),
        false => first_signs(&sql[start..]),
    })
}

/// What stands up to the next blank, in upper case, of a statement that begins with no word: `(SELECT`. It ends before
/// a literal: `DO$$…$$` and `('secret')` must not become names.
fn first_signs(statement: &str) -> String {
    let signs = statement.split_whitespace().next().unwrap_or_default();
    let is_literal = |c: char| matches!(c, '\'' | '"' | '$') || c.is_ascii_digit();
    let first = signs.chars().next().map_or(0, char::len_utf8);
    let end = match signs.starts_with(is_literal) {
        true => first,
        false => signs.find(is_literal).unwrap_or(signs.len()),
    };
    signs[..end].trim_end_matches(';').to_uppercase()
}

/// The tokens without the comments.
struct Words<'s>(Tokens<'s>);

impl<'s> Iterator for Words<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.0.by_ref().find(|token| token.kind != Kind::Comment)
    }
}

impl<'s> Words<'s> {
    fn next_if(&mut self, kind: Kind) -> Option<&'s str> {
        let mut ahead = Words(self.0.clone());
        let token = ahead.next().filter(|token| token.kind == kind)?;
        self.0 = ahead.0;
        Some(token.text)
    }

    /// An identifier and the `.identifier`s that follow it.
    fn qualified_name(&mut self) -> Option<String> {
        let mut name = self.next_if(Kind::Ident)?.to_owned();
        self.extend_qualified(&mut name);
        Some(name)
    }

    fn extend_qualified(&mut self, name: &mut String) {
        while self.next_if(Kind::Period).is_some() {
            let Some(part) = self.next_if(Kind::Ident) else {
                return;
            };
            name.push('.');
            name.push_str(part);
        }
    }

    fn table_after(&mut self, keyword: Kind) -> Option<String> {
        self.find(|token| token.kind == keyword)?;
        self.qualified_name()
    }

    fn outermost_from(&mut self) -> Option<String> {
        let mut depth = 0_i64;
        while let Some(token) = self.next() {
            match token.kind {
                Kind::LeftParen => depth += 1,
                Kind::RightParen => depth -= 1,
                Kind::From if depth == 0 => return self.qualified_name(),
                _ => {}
            }
        }
        None
    }

    /// The table of an `UPDATE`, past modifiers such as `ONLY`, `IGNORE` and SQLite's `OR REPLACE`.
    fn updated_table(&mut self) -> Option<String> {
        if self.next_if(Kind::Or).is_some() {
            self.next()?;
        }
        let mut name = self.next_if(Kind::Ident)?.to_owned();
        while let Some(latest) = self.next_if(Kind::Ident) {
            name = latest.to_owned();
        }
        self.extend_qualified(&mut name);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::fixtures;

    #[derive(Deserialize)]
    struct Case {
        input: String,
        output: String,
    }

    #[test]
    fn elastics_shared_cases_are_named_as_published() {
        let Some(cases) = fixtures::json::<Vec<Case>>("json-specs/sql_signature_examples.json")
        else {
            return;
        };
        assert_eq!(cases.len(), 35);
        for case in cases {
            assert_eq!(signature(&case.input), case.output, "{}", case.input);
        }
    }

    #[test]
    fn what_diesel_and_sqlite_say_is_named() {
        let table = [
            (
                "SELECT `users`.`id` FROM `users` WHERE (`users`.`id` = ?) LIMIT ? -- binds: [1, 1]",
                "SELECT FROM users",
            ),
            (
                "INSERT INTO `people` (`name`) VALUES (?) -- binds: [\"x\"]",
                "INSERT INTO people",
            ),
            ("INSERT OR REPLACE INTO kv VALUES (1, 2)", "INSERT INTO kv"),
            ("UPDATE OR IGNORE t SET a = 1", "UPDATE t"),
            (
                "UPDATE `people` SET `age` = ? WHERE `people`.`id` = ?",
                "UPDATE people",
            ),
            ("DELETE  FROM `people`", "DELETE FROM people"),
            ("PRAGMA busy_timeout = 5000;", "PRAGMA"),
            ("WITH t AS (SELECT 1) SELECT * FROM t", "WITH"),
            ("SAVEPOINT diesel_savepoint_1", "SAVEPOINT"),
            ("SELECT last_insert_rowid()", "SELECT"),
            ("begin immediate", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("-- only a comment", ""),
            ("/* hint */ commit;", "COMMIT"),
            (
                "select count(*), city from people group by city",
                "SELECT FROM people",
            ),
            ("SELECT 1", "SELECT"),
            ("'", "'"),
            ("'s3cret'", "'"),
            ("PRAGMA/**/key='s3cret'", "PRAGMA"),
            ("DO$$s3cret$$", "DO"),
            ("EXECUTE('s3cret')", "EXECUTE"),
            ("SET@@x='s3cret'", "SET"),
            ("(select's3cret')", "(SELECT"),
        ];
        for (sql, name) in table {
            assert_eq!(signature(sql), name, "{sql}");
        }
    }
}
