//! Characters that a query spells in another way.

use std::iter::Peekable;
use std::str::CharIndices;

/// Characters that end an unquoted word.
pub(super) fn is_special(char: char) -> bool {
    matches!(char, '(' | ')' | '{' | '}' | ':' | '<' | '>' | '"' | '\\')
}

/// `field:"value"`, on one line, escaped so that it parses back to exactly this value.
#[must_use]
pub fn filter(field: &str, value: &str) -> String {
    let mut out = String::with_capacity(field.len() + value.len() + 3);
    for char in field.chars() {
        match char {
            // Other blanks follow their backslash as they are, but the text must stay on one line.
            '\n' | '\r' | '\t' => push_within_quotes(&mut out, char),
            char => {
                if is_special(char) || char == '*' || char.is_whitespace() {
                    out.push('\\');
                }
                out.push(char);
            }
        }
    }
    out.push(':');
    out + &quoted(value)
}

/// A value in quotes, on one line, escaped so that it parses back to exactly this value.
#[must_use]
pub fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for char in value.chars() {
        push_within_quotes(&mut out, char);
    }
    out.push('"');
    out
}

/// A character of a quoted value.
fn push_within_quotes(out: &mut String, char: char) {
    match char {
        '"' | '\\' => {
            out.push('\\');
            out.push(char);
        }
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        char => out.push(char),
    }
}

/// The same query on one line, for a field that can hold no more: browsers drop line breaks, and `a:1⏎and b:2` would
/// become `a:1and b:2`. In quotes a line break becomes `\n`, elsewhere a blank.
#[must_use]
pub fn one_line(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    let mut quoted = false;
    let mut chars = query.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                out.push('\\');
                // A line break after a backslash is no escape: the backslash stands for itself.
                out.extend(chars.next_if(|next| !matches!(next, '\n' | '\r')));
            }
            '"' => {
                quoted = !quoted;
                out.push('"');
            }
            // Lines of Windows end with both: one blank is enough.
            '\r' if chars.peek() == Some(&'\n') && !quoted => {}
            '\n' | '\r' if quoted => push_within_quotes(&mut out, char),
            '\n' | '\r' => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

/// Reads what follows a backslash within quotes. A backslash that escapes nothing stays in the text.
pub(super) fn within_quotes(chars: &mut Peekable<CharIndices<'_>>, out: &mut String) {
    if let Some(char) = whitespace_or_unicode(chars) {
        out.push(char);
    } else if let Some((_, char)) = chars.next_if(|(_, char)| matches!(char, '"' | '\\')) {
        out.push(char);
    } else {
        out.push('\\');
    }
}

/// Reads what follows a backslash outside of quotes: it takes their meaning from special characters, blanks and
/// keywords.
pub(super) fn outside_quotes(chars: &mut Peekable<CharIndices<'_>>, out: &mut String) {
    let special = |char: &char| is_special(*char) || *char == '*' || char.is_whitespace();
    let keyword = || {
        let rest: String = chars.clone().map(|(_, char)| char).take(4).collect();
        ["and", "or", "not"].iter().any(|word| {
            let Some(start) = rest.get(..word.len()) else {
                return false;
            };
            start.eq_ignore_ascii_case(word)
                && !rest[word.len()..].starts_with(char::is_alphanumeric)
        })
    };
    if keyword() {
        // `\not` is the word, and no line break before `ot`.
        return;
    }
    if let Some(char) = whitespace_or_unicode(chars) {
        out.push(char);
    } else if let Some((_, char)) = chars.next_if(|(_, char)| special(char)) {
        out.push(char);
    } else {
        out.push('\\');
    }
}

/// `\n`, `\r`, `\t`, `\u00e9`.
fn whitespace_or_unicode(chars: &mut Peekable<CharIndices<'_>>) -> Option<char> {
    let found = match chars.peek()?.1 {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(chars),
        _ => return None,
    };
    chars.next();
    Some(found)
}

/// `u` and four digits; of a pair of surrogates both.
fn unicode(chars: &mut Peekable<CharIndices<'_>>) -> Option<char> {
    // Nothing is taken before it is known to be a character: half of a pair stays in the text as it was written.
    let mut ahead = chars.clone();
    let first = code(&mut ahead)?;
    let char = match first {
        0xd800..=0xdbff => {
            ahead.next_if(|(_, char)| *char == '\\')?;
            let second = code(&mut ahead).filter(|second| (0xdc00..=0xdfff).contains(second))?;
            char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        }
        first => char::from_u32(first),
    };
    let char = char?;
    *chars = ahead;
    Some(char)
}

fn code(chars: &mut Peekable<CharIndices<'_>>) -> Option<u32> {
    chars.next_if(|(_, char)| *char == 'u')?;
    let mut code = 0;
    for _ in 0..4 {
        let (_, digit) = chars.next_if(|(_, char)| char.is_ascii_hexdigit())?;
        code = code * 16 + digit.to_digit(16)?;
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_several_lines_means_the_same_on_one() {
        for (query, line) in [
            ("a:1\nand b:2", "a:1 and b:2"),
            ("a:1\r\nand b:2", "a:1 and b:2"),
            (
                "a:\"one\ntwo\" \n or b:\"x\\\"\ny\"",
                "a:\"one\\ntwo\"   or b:\"x\\\"\\ny\"",
            ),
            ("a:\"one\r\ntwo\"", "a:\"one\\r\\ntwo\""),
            ("a\\\nb", "a\\ b"),
            ("plain", "plain"),
        ] {
            assert_eq!(one_line(query), line, "{query:?}");
        }
    }
}
