//! Numbers the parameters of a statement, so that the order of a tree's nodes does not matter.

use std::collections::HashSet;

use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::{TokenType, Tokenizer};

/// A token with its text.
struct Token<'a> {
    kind: TokenType,
    text: &'a str,
}

/// The statement with `?` as `?1`, `?2`, … as SQLite would number them, and with `LIMIT a, b` as `LIMIT b OFFSET a`,
/// which the parser does not tell from `LIMIT a OFFSET b`.
pub(super) fn parameters(sql: &str) -> Result<String, String> {
    let tokens = tokens(sql)?;
    let mut last = 0_u32;
    let mut names: HashSet<&str> = HashSet::new();
    let mut out: Vec<(TokenType, String)> = Vec::with_capacity(tokens.len());
    for token in &tokens {
        let text = match (token.kind, token.text.strip_prefix('?')) {
            (TokenType::TK_VARIABLE, Some("")) => {
                last += 1;
                format!("?{last}")
            }
            (TokenType::TK_VARIABLE, Some(number)) => {
                last = last.max(number.parse().map_err(|_| {
                    format!(
                        "the parameter {} has no number that SQLite knows",
                        token.text
                    )
                })?);
                token.text.to_owned()
            }
            (TokenType::TK_VARIABLE, None) => {
                if names.insert(token.text) {
                    last += 1;
                }
                token.text.to_owned()
            }
            _ => token.text.to_owned(),
        };
        out.push((token.kind, text));
    }
    // From the last one on, so that one in a subquery of another is done before the other moves it.
    for at in (0..out.len()).rev() {
        if out[at].0 == TokenType::TK_LIMIT {
            swap_limit(&mut out[at + 1..]);
        }
    }
    let texts: Vec<String> = out.into_iter().map(|(_, text)| text).collect();
    Ok(texts.join(" "))
}

/// Parentheses within each other that are looked into, as many as SQLite is allowed to nest.
const DEEPEST: i32 = 200;

/// Writes the `a, b` that follows a LIMIT as `b OFFSET a`.
fn swap_limit(tokens: &mut [(TokenType, String)]) {
    let mut depth = 0;
    let mut comma = None;
    let mut end = tokens.len();
    for (at, (kind, _)) in tokens.iter().enumerate() {
        match kind {
            TokenType::TK_LP => depth += 1,
            TokenType::TK_RP => depth -= 1,
            TokenType::TK_COMMA if depth == 0 && comma.is_none() => comma = Some(at),
            _ => {}
        }
        // An INSERT goes on after its SELECT, and has lists of its own there.
        let is_end = matches!(
            kind,
            TokenType::TK_LIMIT
                | TokenType::TK_OFFSET
                | TokenType::TK_ON
                | TokenType::TK_RETURNING
                | TokenType::TK_SEMI
        );
        if depth < 0 || (depth == 0 && is_end) {
            end = at;
            break;
        }
        if depth > DEEPEST {
            return;
        }
    }
    if let Some(comma) = comma {
        let tokens = &mut tokens[..end];
        // `a , b` becomes `b a ,`, and then `b , a`, in which OFFSET takes the place of the comma.
        tokens.rotate_left(comma + 1);
        let first = &mut tokens[end - comma - 1..];
        first.rotate_right(1);
        first[0] = (TokenType::TK_OFFSET, "OFFSET".to_owned());
    }
}

fn tokens(sql: &str) -> Result<Vec<Token<'_>>, String> {
    let mut scanner = Scanner::new(Tokenizer::new());
    let mut tokens = Vec::new();
    loop {
        match scanner.scan(sql.as_bytes()) {
            Ok((_, None, _)) => return Ok(tokens),
            Ok((start, Some((_, kind)), end)) => tokens.push(Token {
                kind,
                text: sql.get(start..end).unwrap_or_default(),
            }),
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_and_the_two_numbers_of_a_limit_change_places() {
        for (sql, expected) in [
            (
                "SELECT a FROM t LIMIT ?, ?",
                "SELECT a FROM t LIMIT ?2 OFFSET ?1",
            ),
            (
                "SELECT a FROM t WHERE b = ? LIMIT 2 * ?, ? + 1;",
                "SELECT a FROM t WHERE b = ?1 LIMIT ?3 + 1 OFFSET 2 * ?2 ;",
            ),
            (
                "SELECT a FROM t LIMIT max(1, 2), (SELECT b FROM u LIMIT 3, 4)",
                "SELECT a FROM t LIMIT ( SELECT b FROM u LIMIT 4 OFFSET 3 ) OFFSET max ( 1 , 2 )",
            ),
            (
                "SELECT (SELECT a FROM t LIMIT (1)), b FROM t LIMIT ? OFFSET 2",
                "SELECT ( SELECT a FROM t LIMIT ( 1 ) ) , b FROM t LIMIT ?1 OFFSET 2",
            ),
            (
                "INSERT INTO t SELECT a FROM u LIMIT 1 RETURNING a, b",
                "INSERT INTO t SELECT a FROM u LIMIT 1 RETURNING a , b",
            ),
            ("SELECT a FROM t LIMIT ,", "SELECT a FROM t LIMIT OFFSET"),
        ] {
            assert_eq!(parameters(sql).as_deref(), Ok(expected), "{sql}");
        }
    }
}
