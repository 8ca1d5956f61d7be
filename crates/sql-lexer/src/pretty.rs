//! A statement broken into lines for people.

use crate::{Kind, Lexer, Token};

/// Words before which a new line begins, outside of brackets.
const CLAUSES: &[&str] = &[
    "CROSS",
    "EXCEPT",
    "FROM",
    "GROUP",
    "HAVING",
    "INNER",
    "INTERSECT",
    "JOIN",
    "LEFT",
    "LIMIT",
    "OFFSET",
    "ON CONFLICT",
    "ORDER",
    "RETURNING",
    "RIGHT",
    "SELECT",
    "SET",
    "UNION",
    "VALUES",
    "WHERE",
    "WINDOW",
];

/// Longest line that is left alone.
const WIDTH: usize = 64;

/// The statement broken at its clauses, at `AND` and `OR`, and at the commas of long lists.
///
/// Any text may come, cut anywhere. Only white space outside of literals, comments and names in quotes changes.
#[must_use]
pub fn pretty(sql: &str) -> String {
    let tokens: Vec<Token<'_>> = Lexer::guess(sql.trim()).collect();
    let mut lines: Vec<Line<'_>> = vec![Line::default()];
    let mut depth = 0usize;
    let mut previous = "";
    for (i, token) in tokens.iter().enumerate() {
        if depth == 0 && starts_line(&tokens, i, previous) {
            lines.push(Line {
                indent: usize::from(is_and_or(*token)),
                ..Line::default()
            });
        }
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if token.kind == Kind::Space {
            // White space becomes one blank, and none at the beginning of a line.
            line.space = !line.pieces.is_empty();
            continue;
        }
        if std::mem::take(&mut line.space) {
            line.pieces.push((" ", depth));
        }
        line.pieces.push((token.text, depth));
        // The text behind a comment to the end of the line must not join that comment.
        if token.kind == Kind::Comment && !token.text.starts_with("/*") {
            lines.push(Line::default());
        }
        previous = token.text;
    }
    let mut out = String::with_capacity(sql.len() + 32);
    for line in lines.iter().filter(|line| !line.pieces.is_empty()) {
        line.write(&mut out);
    }
    out
}

fn is_and_or(token: Token<'_>) -> bool {
    token.is_word("AND") || token.is_word("OR")
}

fn starts_line(tokens: &[Token<'_>], i: usize, previous: &str) -> bool {
    let token = tokens[i];
    if token.kind != Kind::Word {
        return false;
    }
    let after = |words: &[&str]| words.iter().any(|word| previous.eq_ignore_ascii_case(word));
    match token.text.to_ascii_uppercase().as_str() {
        // DELETE FROM, IS DISTINCT FROM, LEFT OUTER JOIN and the like stay together.
        "FROM" => !after(&["DELETE", "DISTINCT"]),
        "JOIN" => !after(&[
            "LEFT", "RIGHT", "INNER", "OUTER", "CROSS", "FULL", "NATURAL",
        ]),
        "SET" => !after(&["UPDATE", "DO"]),
        "VALUES" => !after(&["DEFAULT"]),
        "AND" | "OR" => {
            // The `AND` of a join stays in its line: only conditions of `WHERE` are broken.
            let before = &tokens[..i];
            before.iter().any(|token| token.is_word("WHERE")) && !between(before)
        }
        word => CLAUSES.contains(&word),
    }
}

/// Whether the last logical word before is `BETWEEN`, whose `AND` is no new condition.
fn between(before: &[Token<'_>]) -> bool {
    let is_logical = |token: &&Token<'_>| {
        ["AND", "OR", "BETWEEN", "WHERE"]
            .iter()
            .any(|word| token.is_word(word))
    };
    let last = before.iter().rev().find(is_logical);
    last.is_some_and(|token| token.is_word("BETWEEN"))
}

#[derive(Debug, Default)]
struct Line<'a> {
    indent: usize,
    space: bool,
    /// Text and the depth of brackets it stands in.
    pieces: Vec<(&'a str, usize)>,
}

impl Line<'_> {
    fn write(&self, out: &mut String) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&"  ".repeat(self.indent));
        let length: usize = self
            .pieces
            .iter()
            .map(|(text, _)| text.chars().count())
            .sum();
        let mut column = 0;
        let mut skip_space = false;
        for (text, depth) in &self.pieces {
            if std::mem::take(&mut skip_space) && *text == " " {
                continue;
            }
            out.push_str(text);
            column += text.chars().count();
            // A list of columns or of rows; arguments in brackets stay on their line unless it grows far too long.
            if *text == ","
                && length > WIDTH
                && ((*depth == 0 && column > 24) || column > 2 * WIDTH)
            {
                out.push('\n');
                out.push_str(&"  ".repeat(self.indent + 1));
                column = 0;
                skip_space = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statements_break_at_their_clauses() {
        for (sql, want) in [
            (
                "SELECT people.city, count(*) AS n FROM people GROUP BY people.city ORDER BY n DESC",
                "SELECT people.city, count(*) AS n\nFROM people\nGROUP BY people.city\nORDER BY n DESC",
            ),
            (
                "DELETE FROM people WHERE id = ? AND age BETWEEN 1 AND 2 OR x",
                "DELETE FROM people\nWHERE id = ?\n  AND age BETWEEN 1 AND 2\n  OR x",
            ),
            (
                "select a from t left outer join u on u.id = t.id",
                "select a\nfrom t\nleft outer join u on u.id = t.id",
            ),
            (
                "INSERT INTO people (name, age) VALUES (?, ?)",
                "INSERT INTO people (name, age)\nVALUES (?, ?)",
            ),
            (
                "SELECT (SELECT max(x) FROM u WHERE a AND b) FROM t",
                "SELECT (SELECT max(x) FROM u WHERE a AND b)\nFROM t",
            ),
            ("BEGIN", "BEGIN"),
            ("", ""),
        ] {
            assert_eq!(pretty(sql), want);
        }
    }

    #[test]
    fn long_lists_break_at_commas() {
        let sql = "SELECT `people`.`id`, `people`.`name`, `people`.`age`, `people`.`surname`, `people`.`city` FROM \
            `people`";
        assert_eq!(
            pretty(sql),
            "SELECT `people`.`id`, `people`.`name`,\n  `people`.`age`, `people`.`surname`,\n  `people`.`city`\nFROM \
                `people`"
        );
    }

    #[test]
    fn a_line_comment_swallows_nothing() {
        assert_eq!(pretty("SELECT 1 -- one\nFROM t"), "SELECT 1 -- one\nFROM t");
        assert_eq!(pretty("SELECT 1 # one\n+ 2"), "SELECT 1 # one\n+ 2");
    }

    proptest! {
        #[test]
        fn pretty_printing_changes_only_white_space(sql in "([a-zA-Z_ ,()?'\"`\\[\\]\\-/*;.0-9]|SELECT |FROM |WHERE | \
            AND |\n){0,60}") {
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&pretty(&sql)), bare(&sql));
        }
    }
}
