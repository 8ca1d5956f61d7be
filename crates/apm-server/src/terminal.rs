//! Text of telemetry on a terminal.

use apm_store::is_obeyed;

/// A text on one line, without anything that a terminal would obey: escape codes, line breaks, and characters that turn
/// the direction of what follows.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_obeyed(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The same for a text of several lines, which stay apart.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_telemetry_is_shown_and_not_obeyed() {
        let text = "a\u{1b}[31mb\nc\u{202e}d\u{9b}2J\u{2028}\u{85}";
        assert_eq!(
            plain(text),
            "a\u{fffd}[31mb c\u{fffd}d\u{fffd}2J\u{fffd}\u{fffd}"
        );
        assert_eq!(
            plain_lines(text),
            "a\u{fffd}[31mb\nc\u{fffd}d\u{fffd}2J\u{fffd}\u{fffd}"
        );
        assert_eq!(plain_lines("größe → 1\n"), "größe → 1\n");
    }
}
