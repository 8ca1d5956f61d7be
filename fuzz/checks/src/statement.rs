//! SQL.

use sql_lexer::{
    Dialect, Fingerprint, Lexer, MAX_NORMALIZED, Syntax, highlight, pretty, signature,
};

/// Tokens are the text in every reading, and what is made of them stays within bounds.
pub fn statement(text: &str) {
    let dialects = [
        Dialect::Mysql,
        Dialect::Postgresql,
        Dialect::Sqlite,
        Dialect::Standard,
        Dialect::Unknown,
    ];
    let readings = dialects.map(Syntax::cautious);
    for syntax in readings
        .into_iter()
        .chain([Syntax::SIGNATURE, Syntax::guess(text)])
    {
        let mut at = 0;
        for token in Lexer::new(text, syntax) {
            assert!(
                text[at..].starts_with(token.text) && !token.text.is_empty(),
                "{syntax:?}"
            );
            at += token.text.len();
        }
        assert_eq!(at, text.len(), "{syntax:?}");
    }
    assert_eq!(
        highlight(text).map(|(_, piece)| piece.len()).sum::<usize>(),
        text.len()
    );
    let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '\0', "");
    assert_eq!(bare(&pretty(text)), bare(text));
    // Upper case has up to three characters for one.
    assert!(signature(text).chars().count() <= 3 * text.chars().count() + 16);
    for subtype in ["", "mysql", "postgresql", "sqlite", "redis", "mongodb"] {
        let fingerprint = Fingerprint::of_subtype(text, subtype);
        // One token may follow where the bound is reached.
        assert!(
            fingerprint.normalized.len() <= MAX_NORMALIZED + 2 * text.len() + 16,
            "{subtype}"
        );
        assert_eq!(
            fingerprint,
            Fingerprint::of_subtype(text, subtype),
            "{subtype}"
        );
    }
}
