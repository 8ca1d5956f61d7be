//! Lines of source in a stack trace, lightly coloured: enough for Rust, Python, JavaScript, Go and their kin.

use maud::Markup;

use super::code::{Kind, spans};

const WORDS: &[&str] = &[
    "Err", "False", "None", "Ok", "Self", "Some", "True", "as", "async", "await", "break", "case",
    "class", "const", "continue", "def", "defer", "elif", "else", "enum", "except", "export", "fn",
    "for", "from", "func", "function", "go", "if", "impl", "import", "in", "is", "let", "loop",
    "match", "mod", "move", "mut", "new", "not", "null", "or", "pub", "raise", "ref", "return",
    "self", "static", "struct", "switch", "throw", "trait", "true", "try", "type", "unsafe", "use",
    "var", "void", "where", "while", "with", "yield",
];

/// One line of source. A comment starts at `//` or `#`, but not inside of a string.
pub(crate) fn line(text: &str) -> Markup {
    let mut pieces: Vec<(Kind, &str)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, len) = match first {
            '"' => (Kind::String, string(rest.as_bytes())),
            '/' if rest.starts_with("//") => (Kind::Comment, rest.len()),
            // `#[derive]` is an attribute, not a comment.
            '#' if rest.starts_with("# ") => (Kind::Comment, rest.len()),
            '0'..='9' => (
                Kind::Number,
                run(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.'),
            ),
            c if c.is_alphabetic() || c == '_' => {
                let len = run(rest, |c| c.is_alphanumeric() || c == '_');
                let kind = match &rest[..len] {
                    word if WORDS.binary_search(&word).is_ok() => Kind::Keyword,
                    _ if rest[len..].starts_with('(') || rest[len..].starts_with("!(") => {
                        Kind::Function
                    }
                    _ => Kind::Plain,
                };
                (kind, len)
            }
            c => (Kind::Plain, c.len_utf8()),
        };
        pieces.push((kind, &rest[..len]));
        rest = &rest[len..];
    }
    spans(pieces)
}

fn run(text: &str, of: fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_line_of_rust_is_coloured() {
        let shown = line(r#"    let n = format!("{} // <b>", 1_000); // why"#).into_string();
        assert!(shown.starts_with("    <span"));
        insta::assert_snapshot!(shown.trim_start().replace(" <", "\n<").replace("(<", "(\n<"), @r#"
        <span class="k">let</span> n =
        <span class="f">format</span>!(
        <span class="str">&quot;{} // &lt;b&gt;&quot;</span>,
        <span class="nu">1_000</span>);
        <span class="c">// why</span>
        "#);
    }

    proptest! {
        #[test]
        fn any_line_keeps_its_text(text in r#"[a-z"\\/#é0-9 (!<&]{0,40}"#) {
            let shown = line(&text).into_string();
            let marks = ["</span>", r#"<span class="k">"#, r#"<span class="f">"#, r#"<span class="str">"#,
                         r#"<span class="nu">"#, r#"<span class="c">"#];
            let bare = marks.iter().fold(shown, |bare, mark| bare.replace(mark, ""));
            let bare = bare.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            prop_assert_eq!(bare, text);
        }
    }
}
