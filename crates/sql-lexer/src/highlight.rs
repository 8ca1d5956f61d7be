//! Pieces of a statement, by their meaning for people who read it.

use crate::keywords::is_shown_as_keyword;
use crate::{Kind, Lexer, Token};

/// The style of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Names, operators and white space.
    Plain,
    /// A word of the language.
    Keyword,
    /// The name of a function that is called.
    Function,
    /// A literal in quotes, or a name in double quotes.
    String,
    /// A parameter.
    Placeholder,
    /// A number.
    Number,
    /// A comment.
    Comment,
}

/// The pieces of a statement in order; together they are the statement.
pub fn highlight(sql: &str) -> impl Iterator<Item = (Class, &str)> {
    let mut tokens = Lexer::guess(sql).peekable();
    std::iter::from_fn(move || {
        let token = tokens.next()?;
        Some((class(token, tokens.peek()), token.text))
    })
}

fn class(token: Token<'_>, next: Option<&Token<'_>>) -> Class {
    match token.kind {
        Kind::Word if is_shown_as_keyword(token.text) => Class::Keyword,
        Kind::Word if next.is_some_and(|next| next.text == "(") => Class::Function,
        Kind::String | Kind::DoubleQuoted => Class::String,
        Kind::Parameter => Class::Placeholder,
        Kind::Number => Class::Number,
        Kind::Comment => Class::Comment,
        Kind::Word | Kind::Space | Kind::Cut | Kind::Quoted | Kind::Punctuation => Class::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_classed_by_what_they_are() {
        let sql = "SELECT count(*) AS key_1, 'it''s' FROM `t` WHERE age >= ?1 AND b = 1.5 -- why";
        let coloured: Vec<_> = highlight(sql)
            .filter(|(class, _)| *class != Class::Plain)
            .collect();
        assert_eq!(
            coloured,
            [
                (Class::Keyword, "SELECT"),
                (Class::Function, "count"),
                (Class::Keyword, "AS"),
                (Class::String, "'it''s'"),
                (Class::Keyword, "FROM"),
                (Class::Keyword, "WHERE"),
                (Class::Placeholder, "?1"),
                (Class::Keyword, "AND"),
                (Class::Number, "1.5"),
                (Class::Comment, "-- why"),
            ]
        );
    }

    #[test]
    fn words_of_query_plans_are_words_of_the_language() {
        let plan = "SEARCH t USING COVERING INDEX t_a (a=?)";
        let words: Vec<_> = highlight(plan)
            .filter(|(class, _)| *class == Class::Keyword)
            .map(|(_, word)| word)
            .collect();
        assert_eq!(words, ["SEARCH", "USING", "COVERING", "INDEX"]);
    }
}
