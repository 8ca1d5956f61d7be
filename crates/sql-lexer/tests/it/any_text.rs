//! The lexer on broken, foreign and hostile texts, read in every way.

use proptest::prelude::*;
use sql_lexer::{
    Backslash, Brackets, Comments, Dialect, Dollars, Hash, Lexer, Syntax, highlight, pretty,
    signature,
};

/// Pieces at which readings differ.
const PIECES: [&str; 36] = [
    "'",
    "\"",
    "`",
    "[",
    "]",
    "$",
    "$a$",
    "$1$",
    "/*",
    "*/",
    "/*!50",
    "--",
    "//",
    "#",
    "#>",
    "\\",
    "é",
    "名",
    "½",
    "…",
    "...",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x",
    "\n",
    " ",
    "x",
    "(",
    ")",
    "\0",
    "q'[",
    "E'",
    "%(a)s",
    "select from ",
];

fn readings(text: &str) -> Vec<Syntax> {
    let dialects = [
        Dialect::Mysql,
        Dialect::Postgresql,
        Dialect::Sqlite,
        Dialect::Standard,
        Dialect::Unknown,
    ];
    let odd = Syntax {
        backslash: Backslash::Plain,
        brackets: Brackets::Guess,
        comments: Comments::NestedIfClosed,
        slash_comments: true,
        hash: Hash::GuessNames,
        dollars: Dollars::ToEndAnyTag,
        dollar_names: true,
        loose_numbers: false,
    };
    let mut readings: Vec<_> = dialects.map(Syntax::cautious).to_vec();
    readings.extend([Syntax::SIGNATURE, Syntax::guess(text), odd]);
    readings
}

/// Each token begins where the one before ends, none is empty, and only the last one may be open.
fn check(text: &str) {
    for syntax in readings(text) {
        let mut rebuilt = String::new();
        let mut tokens = Lexer::new(text, syntax);
        while let Some(token) = tokens.next() {
            assert!(!token.text.is_empty(), "{syntax:?} {text:?}");
            assert!(
                token.closed || tokens.rest().is_empty(),
                "{syntax:?} {text:?}: {token:?}"
            );
            rebuilt.push_str(token.text);
        }
        assert_eq!(rebuilt, text, "{syntax:?}");
        let significant: String = Lexer::new(text, syntax)
            .significant()
            .map(|token| token.text)
            .collect();
        let filtered: String = Lexer::new(text, syntax)
            .filter(|token| !token.kind.is_trivia())
            .map(|token| token.text)
            .collect();
        assert_eq!(significant, filtered, "{syntax:?} {text:?}");
    }
    let shown: String = highlight(text).map(|(_, piece)| piece).collect();
    assert_eq!(shown, text);
    let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '\0', "");
    assert_eq!(bare(&pretty(text)), bare(text));
    assert!(
        signature(text).chars().count() <= 2 * text.chars().count() + 16,
        "{text:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn tokens_are_the_text(text in ".{0,80}") {
        check(&text);
    }

    #[test]
    fn tokens_are_the_text_where_readings_differ(
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..12)
    ) {
        check(&pieces.concat());
    }
}

/// Not a matter of the clock: what looks to the end of the text at every token would take minutes here.
#[test]
fn hostile_repetition_costs_no_more_than_its_length() {
    let more = [
        "'\\", "\\'", "\"\\\"", "[[", "a[", "q'(", "$a", "$$", "#a ", "from #a ", "select '", "a.",
        "%(",
    ];
    for piece in PIECES.iter().chain(&more) {
        let text = format!("select {}", piece.repeat(200_000 / piece.len()));
        for syntax in readings(&text) {
            assert!(Lexer::new(&text, syntax).count() <= text.len());
        }
        assert!(signature(&text).len() <= 2 * text.len());
    }
    // Every tag is another one, and none is closed.
    let tags: String = (0..60_000).map(|number| format!("$a{number}$ ")).collect();
    for syntax in readings(&tags) {
        assert!(Lexer::new(&tags, syntax).count() <= tags.len());
    }
}
