//! Statements that change rows.

use sql_lexer::{Dialect, Kind, Lexer, Syntax, Token};

/// The verbs of statements that change rows.
const VERBS: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "REPLACE"];

/// Whether a statement is an INSERT, UPDATE, DELETE or REPLACE, also behind comments and a `WITH`.
pub(crate) fn changes_rows(sql: &str, dialect: Dialect) -> bool {
    let mut tokens = Lexer::new(sql, Syntax::cautious(dialect)).significant();
    match tokens.next() {
        Some(first) if is_word(&first, "WITH") => behind_with(tokens),
        Some(first) => is_verb(&first),
        None => false,
    }
}

/// The same of what follows `WITH`: names, each with a query in parentheses, and then the statement.
fn behind_with<'s>(tokens: impl Iterator<Item = Token<'s>>) -> bool {
    let mut depth = 0_usize;
    // A name may be any word, such as `replace`.
    let mut is_name = true;
    for token in tokens {
        match (token.kind, token.text) {
            (Kind::Punctuation, "(") => depth += 1,
            (Kind::Punctuation, ")") => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            (Kind::Punctuation, ",") => is_name = true,
            _ if is_name => is_name = is_word(&token, "RECURSIVE"),
            _ if is_word(&token, "SELECT") || is_word(&token, "VALUES") => return false,
            _ if is_verb(&token) => return true,
            _ => {}
        }
    }
    false
}

fn is_verb(token: &Token<'_>) -> bool {
    VERBS.iter().any(|verb| is_word(token, verb))
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_change_rows_are_told_by_their_verbs() {
        for sql in [
            "INSERT INTO a VALUES (1)",
            " update a SET b = 1",
            "/* from the cart */ Delete FROM a",
            "-- SELECT\nREPLACE INTO a VALUES (1)",
            "WITH b AS (SELECT 1) INSERT INTO a SELECT * FROM b",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n), m AS NOT MATERIALIZED (SELECT 1) \
             /* all */ DELETE FROM a WHERE id IN (SELECT i FROM n)",
            "with \"select\" as (select 1) update a set b = 1",
        ] {
            assert!(changes_rows(sql, Dialect::Sqlite), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "BEGIN",
            "ROLLBACK",
            "DETACH a",
            "INS",
            "",
            " ",
            "-- INSERT INTO a",
            "WITH a AS (SELECT 1) SELECT 1",
            "WITH replace AS (SELECT 1), delete_ AS (SELECT 2) SELECT * FROM replace",
            "WITH a AS (DELETE FROM b RETURNING id) SELECT * FROM a",
            "WITH a AS (SELECT replace('a', 'b', 'c')) VALUES (1)",
            "WITH",
        ] {
            assert!(!changes_rows(sql, Dialect::Sqlite), "{sql}");
        }
    }
}
