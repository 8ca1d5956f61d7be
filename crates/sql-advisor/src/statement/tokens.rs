//! Writes an expression as an index would: without the names of tables.

use sqlite3_parser::ast::fmt::{ToTokens, TokenStream};
use sqlite3_parser::lexer::sql::TokenType;

/// Collects the tokens of an expression.
#[derive(Default)]
struct Tokens(Vec<(TokenType, String)>);

impl TokenStream for Tokens {
    type Error = std::convert::Infallible;

    fn append(&mut self, kind: TokenType, value: Option<&str>) -> Result<(), Self::Error> {
        let text = match (kind, value) {
            (TokenType::TK_BLOB, Some(value)) => format!("X'{value}'"),
            (_, Some(value)) => value.to_owned(),
            (kind, None) => kind.as_str().unwrap_or_default().to_owned(),
        };
        self.0.push((kind, text));
        Ok(())
    }
}

fn tokens(node: &impl ToTokens) -> Vec<(TokenType, String)> {
    let mut tokens = Tokens::default();
    let Ok(()) = node.to_tokens(&mut tokens);
    tokens.0
}

/// An expression without the names of tables: `p.age + 1` becomes `age + 1`.
pub(super) fn bare(node: &impl ToTokens) -> String {
    let mut kept: Vec<(TokenType, String)> = Vec::new();
    for token in tokens(node) {
        if token.0 == TokenType::TK_DOT {
            // The token before the point names the table.
            kept.pop();
        } else {
            kept.push(token);
        }
    }
    join(&kept)
}

/// An expression as it stands.
pub(super) fn text(node: &impl ToTokens) -> String {
    join(&tokens(node))
}

fn join(tokens: &[(TokenType, String)]) -> String {
    let mut out = String::new();
    let mut is_tight = true;
    for (kind, text) in tokens {
        let closes = matches!(
            kind,
            TokenType::TK_RP | TokenType::TK_COMMA | TokenType::TK_DOT
        );
        // The name of a function stands before its parenthesis without a space.
        let opens =
            *kind == TokenType::TK_LP && out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_call = opens && !ends_with_keyword(&out);
        if !is_tight && !closes && !is_call {
            out.push(' ');
        }
        out.push_str(text);
        is_tight = matches!(kind, TokenType::TK_LP | TokenType::TK_DOT);
    }
    out
}

fn ends_with_keyword(text: &str) -> bool {
    let word = text
        .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
        .next();
    let word = word.unwrap_or_default().to_ascii_uppercase();
    [
        "IN", "AND", "OR", "NOT", "IS", "LIKE", "GLOB", "BETWEEN", "WHEN", "THEN", "ELSE", "AS",
    ]
    .contains(&word.as_str())
}

/// A name without its quotes.
pub(super) fn unquote(name: &str) -> String {
    let inner = |open: char, close: char| {
        let text = name.strip_prefix(open)?.strip_suffix(close)?;
        Some(text.replace(&format!("{close}{close}"), &close.to_string()))
    };
    inner('"', '"')
        .or_else(|| inner('`', '`'))
        .or_else(|| inner('[', ']'))
        .or_else(|| inner('\'', '\''))
        .unwrap_or_else(|| name.to_owned())
}
