//! Source text as classes: words of the language, strings, numbers, calls.

use maud::{Markup, PreEscaped, html};

/// The kind of a piece of source, as the design's class: `k f str p nu c`, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Keyword,
    Function,
    String,
    Placeholder,
    Number,
    Comment,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Keyword => "k",
            Self::Function => "f",
            Self::String => "str",
            Self::Placeholder => "p",
            Self::Number => "nu",
            Self::Comment => "c",
        }
    }
}

/// Pieces as spans; plain ones stand bare, neighbours of one kind share a span. Every piece is escaped.
pub(crate) fn spans<'a>(pieces: impl IntoIterator<Item = (Kind, &'a str)>) -> Markup {
    let mut out = String::new();
    for (kind, text) in pieces {
        let piece = match kind {
            Kind::Plain => html! { (text) },
            kind => html! { span class=(kind.class()) { (text) } },
        };
        out.push_str(&piece.into_string());
    }
    PreEscaped(out)
}

/// A block of code that scrolls in its own frame.
pub(crate) fn block(id: &str, code: Markup) -> Markup {
    html! { pre.code id=(id) tabindex="0" { (code) } }
}
