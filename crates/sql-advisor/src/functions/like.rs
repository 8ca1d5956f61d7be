//! `LIKE` and `GLOB` in a form that looks at the clock.
//!
//! SQLite's own takes up to 100 ms for a text of 250 KB, and up to a second for one of 2 MB, in which nothing ends it.
//! Only its own can search an index, and nothing brings them back to a connection on which they were replaced.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use rusqlite::functions::Context;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, Result};

use super::{Clock, define, look, text};

/// Comparisons of a program that may be SQLite's own, with the longest patterns and without a look at the clock.
pub const BUILT_IN_LIKES: usize = 2;

/// Steps of a comparison between two looks at the clock.
const STEPS: u32 = 1 << 16;

/// The functions behind `LIKE` and `GLOB`, with the numbers of their arguments.
const NAMES: [(&str, i32); 3] = [("like", 2), ("like", 3), ("glob", 2)];

/// The comparisons by `LIKE` and `GLOB` in the program that SQLite makes of a statement. A text may name one and use it
/// thousands of times, as a column of a subquery is copied for each use.
///
/// # Errors
/// Those of SQLite.
pub fn likes(conn: &Connection, sql: &str) -> Result<usize> {
    let mut statement = conn.prepare(&format!("EXPLAIN {sql}"))?;
    let mut rows = statement.raw_query();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        // The columns are the address, the opcode, p1 to p3, and p4: the name of a function with its arguments.
        let is_call = matches!(row.get_ref(1)?.as_str(), Ok("Function" | "PureFunc"));
        let called = row.get_ref(5)?;
        let called = called.as_str().unwrap_or_default();
        let is_like = |(name, arguments): &(&str, i32)| called == format!("{name}({arguments})");
        count += usize::from(is_call && NAMES.iter().any(is_like));
    }
    Ok(count)
}

/// Puts forms of `LIKE` and `GLOB` that look at the clock in the place of SQLite's own, for as long as the connection
/// is open. They give the same. SQLite then searches no index for them. The limits of the connection must be set.
///
/// # Errors
/// Those of SQLite.
pub fn replace_likes(conn: &Connection, clock: &Clock) -> Result<()> {
    let most = conn.limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for (name, arguments) in NAMES {
        let own = Arc::clone(clock);
        define(conn, clock, name, arguments, move |context| {
            compare(context, name == "glob", most, &own)
        })?;
    }
    Ok(())
}

fn compare(
    context: &Context<'_>,
    is_glob: bool,
    most: usize,
    clock: &Clock,
) -> Result<Option<bool>> {
    let pattern = text(context, 0);
    if pattern.as_ref().is_some_and(|pattern| pattern.len() > most) {
        let why = "LIKE or GLOB pattern too complex";
        return Err(Error::UserFunctionError(why.into()));
    }
    let mut escape = None;
    if context.len() == 3 {
        let Some(given) = text(context, 2) else {
            return Ok(None);
        };
        let mut chars = until_nul(&given).chars();
        escape = chars.next();
        if escape.is_none() || chars.next().is_some() {
            let why = "ESCAPE expression must be a single character";
            return Err(Error::UserFunctionError(why.into()));
        }
    }
    let (Some(pattern), Some(text)) = (pattern, text(context, 1)) else {
        return Ok(None);
    };
    let pattern = match is_glob {
        true => Pattern::glob(until_nul(&pattern)),
        false => Pattern::like(until_nul(&pattern), escape),
    };
    // A pattern that is not whole matches nothing.
    let is_match = pattern.map(|pattern| pattern.matches(until_nul(&text), clock));
    is_match.unwrap_or(Ok(false)).map(Some)
}

/// SQLite reads these texts up to the first NUL.
fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// A part of a pattern.
enum Part {
    /// Any characters.
    Any,
    /// One character.
    One,
    /// This character.
    Char(char),
    /// One of these, or none of them.
    Set(Vec<(char, char)>, bool),
}

struct Pattern {
    parts: Vec<Part>,
    ignores_case: bool,
}

impl Pattern {
    fn like(pattern: &str, escape: Option<char>) -> Option<Self> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                c if Some(c) == escape => Part::Char(chars.next()?),
                '%' => Part::Any,
                '_' => Part::One,
                c => Part::Char(c),
            });
        }
        Some(Self {
            parts,
            ignores_case: true,
        })
    }

    fn glob(pattern: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One,
                '[' => set(&mut chars)?,
                c => Part::Char(c),
            });
        }
        Some(Self {
            parts,
            ignores_case: false,
        })
    }

    /// Takes steps by the product of both lengths at most: of all `Any`, only the last one that was met is tried again.
    fn matches(&self, text: &str, clock: &Clock) -> Result<bool> {
        let (mut part, mut at) = (0, 0);
        // The part behind the last `Any`, and the place in the text from which it was tried.
        let mut again: Option<(usize, usize)> = None;
        let mut steps = 0;
        loop {
            steps += 1;
            if steps == STEPS {
                steps = 0;
                look(clock)?;
            }
            let next = text[at..].chars().next();
            match (self.parts.get(part), next) {
                (Some(Part::Any), _) => {
                    part += 1;
                    if part == self.parts.len() {
                        return Ok(true);
                    }
                    again = Some((part, at));
                    continue;
                }
                (None, None) => return Ok(true),
                // The rest needs more characters, whatever `Any` takes.
                (Some(_), None) => return Ok(false),
                (Some(one), Some(c)) if self.is(one, c) => {
                    part += 1;
                    at += c.len_utf8();
                    continue;
                }
                _ => {}
            }
            let Some((behind, from)) = again else {
                return Ok(false);
            };
            let skipped = text[from..].chars().next().map_or(0, char::len_utf8);
            again = Some((behind, from + skipped));
            (part, at) = (behind, from + skipped);
        }
    }

    fn is(&self, part: &Part, c: char) -> bool {
        match part {
            Part::Any | Part::One => true,
            Part::Char(own) if self.ignores_case => own.eq_ignore_ascii_case(&c),
            Part::Char(own) => *own == c,
            Part::Set(ranges, is_inverted) => {
                let is_in = ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&c));
                is_in != *is_inverted
            }
        }
    }
}

/// The rest of a set behind `[` in a pattern of `GLOB`; nothing if it has no end.
fn set(chars: &mut Peekable<Chars<'_>>) -> Option<Part> {
    let mut ranges = Vec::new();
    let is_inverted = chars.next_if_eq(&'^').is_some();
    // It ends the set anywhere else.
    if chars.next_if_eq(&']').is_some() {
        ranges.push((']', ']'));
    }
    let mut before = None;
    loop {
        let c = chars.next()?;
        let is_last = chars.peek().is_none_or(|next| *next == ']');
        match before.take() {
            _ if c == ']' => return Some(Part::Set(ranges, is_inverted)),
            Some(first) if c == '-' && !is_last => ranges.push((first, chars.next()?)),
            _ => {
                ranges.push((c, c));
                before = Some(c);
            }
        }
    }
}
