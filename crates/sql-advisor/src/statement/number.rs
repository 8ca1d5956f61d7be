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
    let mut texts: Vec<String> = Vec::with_capacity(tokens.len());
    for token in &tokens {
        if token.kind != TokenType::TK_VARIABLE {
            texts.push(token.text.to_owned());
            continue;
        }
        match token.text.strip_prefix('?') {
            Some("") => {
                last += 1;
                texts.push(format!("?{last}"));
            }
            Some(number) => {
                last = last.max(number.parse().map_err(|_| {
                    format!(
                        "the parameter {} has no number that SQLite knows",
                        token.text
                    )
                })?);
                texts.push(token.text.to_owned());
            }
            None => {
                if names.insert(token.text) {
                    last += 1;
                }
                texts.push(token.text.to_owned());
            }
        }
    }
    for at in 0..tokens.len().saturating_sub(3) {
        if tokens[at].kind == TokenType::TK_LIMIT && tokens[at + 2].kind == TokenType::TK_COMMA {
            texts.swap(at + 1, at + 3);
            "OFFSET".clone_into(&mut texts[at + 2]);
        }
    }
    Ok(texts.join(" "))
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
