//! Folding of what a program repeats for each of its values: branches of `CASE`, conditions joined by `OR` and `AND`,
//! queries joined by `UNION`, statements of one text. Kept, each number of values would be a statement of its own.
//!
//! Only equal pieces that follow one another fold, and only those with a value in them. Pieces in turn, such as two
//! conditions for each value, fold as well. The first piece stays, so one is told from several.

use std::ops::Range;

use crate::{Kind, Lexer, is_keyword};

/// Pieces that may follow one another in turn.
const IN_TURN: usize = 4;

/// Words that are looked at to find out whether anything repeats.
const LOOKED_AT: usize = 32;

/// The longest nesting in which pieces are told apart: what is deeper stays.
const DEEPEST: usize = 64;

/// The words that pieces of one kind begin with.
struct Chain {
    begins: &'static [&'static str],
    /// Words that end the last of them, and what is not in it.
    ends: &'static [&'static str],
    /// Whether the piece before the first such word is one as well.
    has_first: bool,
}

/// In this order: conditions stand within branches, these within queries, and those within statements.
const CHAINS: [Chain; 4] = [
    Chain {
        begins: &["AND", "OR"],
        ends: &[
            ",",
            ";",
            "WHERE",
            "THEN",
            "WHEN",
            "ELSE",
            "END",
            "GROUP",
            "ORDER",
            "HAVING",
            "LIMIT",
            "OFFSET",
            "FETCH",
            "FOR",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "RETURNING",
            "WINDOW",
            "JOIN",
            "INNER",
            "LEFT",
            "RIGHT",
            "FULL",
            "CROSS",
            "NATURAL",
            "ON",
            "AS",
            "SET",
            "OPTION",
        ],
        has_first: true,
    },
    Chain {
        begins: &["WHEN"],
        ends: &[",", ";", "ELSE", "END"],
        has_first: false,
    },
    Chain {
        begins: &["UNION"],
        ends: &[
            ";",
            "ORDER",
            "LIMIT",
            "OFFSET",
            "FETCH",
            "FOR",
            "INTERSECT",
            "EXCEPT",
            "ON",
            "RETURNING",
        ],
        has_first: true,
    },
    Chain {
        begins: &[";"],
        ends: &[],
        has_first: true,
    },
];

/// Folds repeated pieces of a normalised text.
pub(super) fn fold(mut text: String) -> String {
    for chain in &CHAINS {
        if chain.may_repeat(&text) {
            let folds = chain.folds(&text);
            for Range { start, end } in folds.into_iter().rev() {
                text.replace_range(start..end, "…");
            }
        }
    }
    text
}

/// Neighbouring pieces of one depth.
#[derive(Debug, Default)]
struct Level {
    pieces: Vec<Piece>,
    /// Whether the next `AND` is that of a `BETWEEN`.
    is_between: bool,
}

/// A piece: the place of its first word, the end of that word, and its own end.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    begun: usize,
    end: usize,
}

impl Chain {
    /// A quick look that leaves out most texts: whether what follows such a word stands before it as well.
    fn may_repeat(&self, text: &str) -> bool {
        let repeats = |word: &str| {
            text.match_indices(word).take(LOOKED_AT).any(|(at, _)| {
                let after = text[at + word.len()..].trim_start();
                let after = after.strip_prefix("ALL ").unwrap_or(after);
                let mut ends = after.match_indices(' ').map(|(end, _)| end);
                let end = ends.nth(1).unwrap_or(after.len());
                text[..at].contains(after[..end].trim_end_matches([')', ';', '…']))
            })
        };
        text.contains('?') && self.begins.iter().any(|word| repeats(word))
    }

    /// The ranges of the text that are repetitions of what stands before them.
    fn folds(&self, text: &str) -> Vec<Range<usize>> {
        let mut folds = Vec::new();
        let mut levels = vec![Level::default()];
        let mut last_end = 0;
        for token in Lexer::guess(text).significant() {
            let start = token.text.as_ptr() as usize - text.as_ptr() as usize;
            let is_sign = token.kind == Kind::Punctuation;
            let is_one_of = |words: &[&str]| {
                (is_sign || token.kind == Kind::Word) && words.contains(&token.text)
            };
            let depth = levels.len() - 1;
            match token.text {
                "(" if is_sign && depth < DEEPEST => levels.push(Level::default()),
                ")" if is_sign && depth > 0 => {
                    if let Some(level) = levels.pop() {
                        self.end(text, level, last_end, &mut folds);
                    }
                }
                "BETWEEN" if token.kind == Kind::Word => levels[depth].is_between = true,
                "AND" if levels[depth].is_between => levels[depth].is_between = false,
                _ if is_one_of(self.begins) => {
                    let level = &mut levels[depth];
                    if let Some(piece) = level.pieces.last_mut() {
                        piece.end = last_end;
                    }
                    level.pieces.push(Piece {
                        start,
                        begun: start + token.text.len(),
                        end: start,
                    });
                }
                _ if is_one_of(self.ends) => {
                    let level = std::mem::take(&mut levels[depth]);
                    self.end(text, level, last_end, &mut folds);
                }
                _ => {}
            }
            last_end = start + token.text.len();
        }
        while let Some(level) = levels.pop() {
            self.end(text, level, text.len(), &mut folds);
        }
        folds.sort_unstable_by_key(|fold| fold.start);
        // A fold within another goes with it.
        let mut end = 0;
        folds.retain(|fold| {
            let is_outer = fold.start >= end;
            end = end.max(fold.end);
            is_outer
        });
        folds
    }

    /// Notes the repetitions among neighbours, the last of which ends here.
    fn end(&self, text: &str, level: Level, end: usize, folds: &mut Vec<Range<usize>>) {
        let mut pieces = level.pieces;
        if let Some(piece) = pieces.last_mut() {
            piece.end = end;
        }
        let of = |piece: &Piece| text[piece.start..piece.end].trim_end_matches([' ', '…']);
        let mut at = 0;
        while at < pieces.len() {
            let left = &pieces[at..];
            let in_turn = (1..=IN_TURN.min(left.len())).find_map(|turn| {
                // First, so that pieces without values are not counted again and again.
                if !text[left[0].start..left[turn - 1].end].contains('?') {
                    return None;
                }
                let times = left.chunks_exact(turn);
                let times = times
                    .take_while(|pieces| pieces.iter().map(of).eq(left[..turn].iter().map(of)))
                    .count();
                let follows = turn == 1 && self.has_first && is_after(text, &left[0]);
                (times > 1 || follows).then_some((turn, times))
            });
            let Some((turn, times)) = in_turn else {
                at += 1;
                continue;
            };
            let unit_end = left[turn - 1].start + of(&left[turn - 1]).len();
            folds.push(unit_end..left[turn * times - 1].end.max(unit_end));
            at += turn * times;
        }
    }
}

/// Whether what stands before a piece is the same: `a = ?` before `OR a = ?`.
fn is_after(text: &str, piece: &Piece) -> bool {
    let same = text[piece.begun..piece.end].trim_matches([' ', '…']);
    let same = same.strip_prefix("ALL ").unwrap_or(same);
    let before = text[..piece.start].trim_end_matches([' ', '…']);
    let Some(before) = before.strip_suffix(same).filter(|_| !same.is_empty()) else {
        return false;
    };
    let before = before.trim_end();
    let word = before
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or_default();
    // `SELECT ?` begins where it stands; `a = ?` may be the end of `t.a = ?` or `b + a = ?`.
    let first = same.split(' ').next().unwrap_or_default();
    before.is_empty() || before.ends_with('(') || is_keyword(first) || is_keyword(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_pieces_with_values_fold_and_others_stay() {
        for (text, folded) in [
            ("a = ? OR a = ?", "a = ? OR a = ?…"),
            ("a = ? OR a = ? OR a = ?", "a = ? OR a = ?…"),
            (
                "x WHERE a = ? OR a = ? OR a = ? LIMIT ?",
                "x WHERE a = ? OR a = ?… LIMIT ?",
            ),
            (
                "WHERE (a = ? AND b = ?) OR (a = ? AND b = ?)",
                "WHERE (a = ? AND b = ?) OR (a = ? AND b = ?)…",
            ),
            (
                "WHERE f(a = ? OR a = ? OR a = ?) = ?",
                "WHERE f(a = ? OR a = ?…) = ?",
            ),
            ("WHERE t.a = ? OR a = ?", "WHERE t.a = ? OR a = ?"),
            ("WHERE a = ? OR b = ?", "WHERE a = ? OR b = ?"),
            ("WHERE a = ? OR a > ?", "WHERE a = ? OR a > ?"),
            ("WHERE a OR a OR a", "WHERE a OR a OR a"),
            (
                "WHERE a BETWEEN ? AND ? OR a BETWEEN ? AND ? OR a BETWEEN ? AND ?",
                "WHERE a BETWEEN ? AND ? OR a BETWEEN ? AND ?…",
            ),
            (
                "CASE id WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? ELSE x END",
                "CASE id WHEN ? THEN ?… ELSE x END",
            ),
            (
                "SELECT ? UNION ALL SELECT ? UNION ALL SELECT ?",
                "SELECT ? UNION ALL SELECT ?…",
            ),
            (
                "SELECT ? UNION SELECT ? UNION ALL SELECT ?",
                "SELECT ? UNION SELECT ?… UNION ALL SELECT ?…",
            ),
            (
                "UPDATE t SET a = ?; UPDATE t SET a = ?; UPDATE t SET a = ?",
                "UPDATE t SET a = ?; UPDATE t SET a = ?…",
            ),
            (
                "BEGIN; UPDATE t SET a = ?; COMMIT",
                "BEGIN; UPDATE t SET a = ?; COMMIT",
            ),
        ] {
            assert_eq!(fold(text.to_owned()), folded, "{text}");
        }
    }
}
