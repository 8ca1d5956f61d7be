//! Characters that act on the text around them.

/// True for the characters with the Unicode property `Bidi_Control`: marks, embeddings, overrides and isolates. A text
/// with them reads as another one than it is, so that pages, terminals, reports and messages show none of them.
#[must_use]
pub fn turns_direction(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// True for characters that a terminal, a log or the head of a mail obeys instead of showing them: control codes,
/// separators of lines and of paragraphs, and those that [`turns_direction`] is about.
#[must_use]
pub fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns_direction(c)
}

#[cfg(test)]
mod tests {
    use super::{is_obeyed, turns_direction};

    #[test]
    fn what_ends_a_line_or_is_a_code_is_obeyed_and_what_is_seen_is_not() {
        let obeyed = "\0\n\r\t\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}";
        assert!(obeyed.chars().all(is_obeyed));
        assert!(!"a é漢 →\u{a0}…".chars().any(is_obeyed));
    }

    #[test]
    fn the_characters_are_those_that_unicode_calls_controls_of_direction() {
        let found: Vec<u32> = ('\0'..=char::MAX)
            .filter(|c| turns_direction(*c))
            .map(u32::from)
            .collect();
        // `Bidi_Control` in Unicode's PropList.txt.
        let listed = [
            0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068,
            0x2069,
        ];
        assert_eq!(found, listed);
    }
}
