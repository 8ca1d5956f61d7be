//! The verb of a statement and the table that it is mainly about.

use crate::{Kind, Lexer, Syntax, Token};

/// Words that the published examples of Elastic's agents tell from names.
const KEYWORDS: [&str; 14] = [
    "ALTER", "AS", "CALL", "DELETE", "FROM", "INSERT", "INTO", "OR", "REPLACE", "SELECT", "SET",
    "TABLE", "TRUNCATE", "UPDATE",
];

/// Names `sql`: `SELECT FROM people`, `INSERT INTO app.people`, `CALL refresh`, or just its first word in upper case.
///
/// Comments are skipped, which includes the ` -- binds: […]` that Diesel appends to a printed query. Nothing of a
/// literal becomes part of the name.
#[must_use]
pub fn signature(sql: &str) -> String {
    let mut tokens = Tokens(Lexer::new(sql, Syntax::SIGNATURE));
    let Some(first) = tokens.next() else {
        return String::new();
    };
    let start = sql.len() - tokens.0.rest().len() - first.text.len();
    if first.kind != Kind::Word {
        return first_signs(&sql[start..]);
    }
    tokens.after(first).unwrap_or_else(|| {
        // A word may hold `$`, and `DO$$…$$` is one.
        let word = first.text.split('$').next().unwrap_or_default();
        word.to_uppercase()
    })
}

/// The text up to the next blank, in upper case, of a statement that begins with no word: `(SELECT`. It ends before
/// a literal: `('secret')` must not become a name.
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

/// The tokens without white space and comments. A comment without an end stays.
struct Tokens<'s>(Lexer<'s>);

impl<'s> Iterator for Tokens<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.0.by_ref().find(|token| match token.kind {
            Kind::Space => false,
            Kind::Comment => !token.closed,
            _ => true,
        })
    }
}

impl<'s> Tokens<'s> {
    /// The signature of a statement whose first word has been read, if it tells more than that word.
    fn after(&mut self, first: Token<'s>) -> Option<String> {
        let (verb, table) = match first {
            word if word.is_word("SELECT") => {
                return Some(match self.outermost_from() {
                    Some(table) => format!("SELECT FROM {table}"),
                    None => "SELECT".to_owned(),
                });
            }
            word if word.is_word("INSERT") => ("INSERT INTO ", self.name_after("INTO")),
            word if word.is_word("UPDATE") => ("UPDATE ", self.updated_table()),
            word if word.is_word("DELETE") => ("DELETE FROM ", self.name_after("FROM")),
            word if word.is_word("REPLACE") => ("REPLACE INTO ", self.name_after("INTO")),
            word if word.is_word("CALL") => {
                let procedure = self.find(is_name).map(|name| name.inner().to_owned());
                ("CALL ", procedure)
            }
            _ => return None,
        };
        table.map(|table| verb.to_owned() + &table)
    }

    fn next_if(&mut self, is: impl Fn(&Token<'s>) -> bool) -> Option<Token<'s>> {
        let mut ahead = Tokens(self.0.clone());
        let token = ahead.next().filter(is)?;
        self.0 = ahead.0;
        Some(token)
    }

    /// A name and the `.name`s that follow it.
    fn qualified_name(&mut self) -> Option<String> {
        let mut name = self.next_if(is_name)?.inner().to_owned();
        self.extend_qualified(&mut name);
        Some(name)
    }

    fn extend_qualified(&mut self, name: &mut String) {
        while self.next_if(|token| token.text == ".").is_some() {
            let Some(part) = self.next_if(is_name) else {
                return;
            };
            name.push('.');
            name.push_str(part.inner());
        }
    }

    fn name_after(&mut self, keyword: &str) -> Option<String> {
        self.find(|token| token.is_word(keyword))?;
        self.qualified_name()
    }

    fn outermost_from(&mut self) -> Option<String> {
        let mut depth = 0_i64;
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Punctuation if token.text == "(" => depth += 1,
                Kind::Punctuation if token.text == ")" => depth -= 1,
                Kind::Word if depth == 0 && token.is_word("FROM") => return self.qualified_name(),
                _ => {}
            }
        }
        None
    }

    /// The table of an `UPDATE`, past modifiers such as `ONLY`, `IGNORE` and SQLite's `OR REPLACE`.
    fn updated_table(&mut self) -> Option<String> {
        if self.next_if(|token| token.is_word("OR")).is_some() {
            self.next()?;
        }
        let mut name = self.next_if(is_name)?.inner();
        // The last word before SET is the table; those before it are modifiers.
        while let Some(latest) = self.next_if(is_name) {
            name = latest.inner();
        }
        let mut name = name.to_owned();
        self.extend_qualified(&mut name);
        Some(name)
    }
}

/// Whether a token names something: any word but a few, or a whole name in quotes.
fn is_name(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => !KEYWORDS.iter().any(|keyword| token.is_word(keyword)),
        Kind::Quoted | Kind::DoubleQuoted => token.closed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("x's3cret'", "X"),
            ("\"s3cret\"", "\""),
            ("/* SELECT 1", "/*"),
            ("[½a.b] x", "[½A.B]"),
        ];
        for (sql, name) in table {
            assert_eq!(signature(sql), name, "{sql}");
        }
    }
}
