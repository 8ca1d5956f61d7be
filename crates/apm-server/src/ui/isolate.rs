//! Telemetry that would break out of its place: letters that run from right to left, characters that turn the
//! direction of what follows, codes that colour a terminal.
//!
//! It is done to the finished document, so that no page can forget it. Our own words have none of these characters.
//!
//! * A run of letters from right to left is isolated: by `bdi` in text, by two invisible characters in attributes and
//!   drawings, where there are no elements. What stands beside it keeps its place.
//! * Characters that control the direction, and control codes, are shown by a sign. They would act on what follows
//!   them.
//! * ANSI colours are left out: they mean nothing on a page, and log lines are full of them.
//!
//! The values of fields and the addresses of links stay as they are: they are sent back.

use apm_store::turns_direction;

/// First strong isolate, and pop directional isolate.
const OPEN: char = '\u{2068}';
const CLOSE: char = '\u{2069}';

/// A finished document, or a part of one, with everything in its place.
pub(crate) fn settle(html: String) -> String {
    match first_odd(&html) {
        None => html,
        Some(_) => Walk::new(&html).run(),
    }
}

/// The place of the first character that has to be changed.
fn first_odd(text: &str) -> Option<usize> {
    // All but the codes of ASCII are above this byte, and few documents have more of those than dashes and quotes.
    let might = |byte: u8| {
        byte >= 0xc2 || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| might(*byte)) {
        at += next;
        let c = text[at..].chars().next()?;
        if is_control(c) || is_rtl(c) {
            return Some(at);
        }
        at += c.len_utf8();
    }
    None
}

/// Letters that run from right to left: Hebrew, Arabic, Syriac, Thaana, N'Ko and others.
fn is_rtl(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && c != '\u{061c}'
}

/// Characters that act on their surroundings instead of being seen.
fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        c if c.is_control() => true,
        c => c == '\u{feff}' || turns_direction(c),
    }
}

/// The sign that is shown for a control character.
fn sign(c: char, out: &mut String) {
    match c {
        // The pictures of control codes stand in the order of the codes.
        '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => out.push('\u{2421}'),
        _ => {
            let name = match c {
                '\u{061c}' => "ALM",
                '\u{200e}' => "LRM",
                '\u{200f}' => "RLM",
                '\u{202a}' => "LRE",
                '\u{202b}' => "RLE",
                '\u{202c}' => "PDF",
                '\u{202d}' => "LRO",
                '\u{202e}' => "RLO",
                '\u{2066}' => "LRI",
                '\u{2067}' => "RLI",
                '\u{2068}' => "FSI",
                '\u{2069}' => "PDI",
                _ => "",
            };
            match name {
                "" => out.push_str(&format!("⟨{:04X}⟩", u32::from(c))),
                name => out.extend(["⟨", name, "⟩"]),
            }
        }
    }
}

/// The length of an ANSI colour at the start of a text: ESC, `[`, digits and semicolons, `m`.
fn colour(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    // Besides the codes: ESC and `[` before them, and `m` behind them.
    codes[end..].starts_with('m').then_some(end + 3)
}

/// Writes text with its runs from right to left between two marks.
fn plain(text: &str, (open, close): (impl Mark, impl Mark), out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            rest = &rest[length..];
        } else if is_control(c) {
            sign(c, out);
            rest = &rest[c.len_utf8()..];
        } else if is_rtl(c) {
            let length = run(rest);
            open.push(out);
            out.push_str(&rest[..length]);
            close.push(out);
            rest = &rest[length..];
        } else {
            let end = rest
                .find(|c| is_control(c) || is_rtl(c))
                .unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
}

/// The length of the run from right to left that a text begins with: up to its last such letter before a letter of
/// another kind, a control character or markup.
fn run(text: &str) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if is_rtl(c) {
            end = at + c.len_utf8();
        } else if is_control(c) || c.is_alphabetic() || matches!(c, '<' | '>' | '&' | '"' | '\n') {
            break;
        }
    }
    end
}

/// The marks around a run.
trait Mark {
    fn push(&self, out: &mut String);
}

impl Mark for char {
    fn push(&self, out: &mut String) {
        out.push(*self);
    }
}

impl Mark for &str {
    fn push(&self, out: &mut String) {
        out.push_str(self);
    }
}

/// Elements in which there are no other elements, or none of HTML.
const BARE: [&str; 6] = ["title", "option", "textarea", "script", "style", "svg"];
/// Attributes that are sent back, or that nobody reads.
const KEPT: [&str; 13] = [
    "href",
    "value",
    "action",
    "name",
    "id",
    "src",
    "data-rows",
    "data-live",
    "data-field",
    "data-cols",
    "data-column",
    "data-becomes",
    "data-suggest",
];

/// A walk over a document as maud writes it: `<` only begins a tag, attributes are quoted, and neither is within text.
struct Walk<'h> {
    rest: &'h str,
    out: String,
    /// The element of [`BARE`] that the walk is in.
    within: Option<&'static str>,
}

impl<'h> Walk<'h> {
    fn new(html: &'h str) -> Self {
        Self {
            rest: html,
            out: String::with_capacity(html.len() + html.len() / 16),
            within: None,
        }
    }

    fn run(mut self) -> String {
        while !self.rest.is_empty() {
            let text = self.take(self.rest.find('<').unwrap_or(self.rest.len()));
            match self.within {
                Some("textarea" | "script" | "style") => self.out.push_str(text),
                Some(_) => plain(text, (OPEN, CLOSE), &mut self.out),
                None => plain(text, ("<bdi>", "</bdi>"), &mut self.out),
            }
            self.tag();
        }
        self.out
    }

    fn take(&mut self, length: usize) -> &'h str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn tag(&mut self) {
        let Some(inner) = self.rest.strip_prefix('<') else {
            return;
        };
        let is_end = inner.starts_with('/');
        let name = inner.trim_start_matches('/');
        let name = &name[..name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len())];
        let bare = BARE.into_iter().find(|bare| *bare == name);
        match (is_end, self.within) {
            // Elements within one of these, such as the title of a drawing, do not end it.
            (false, None) => self.within = bare,
            (true, Some(within)) if within == name => self.within = None,
            _ => {}
        }
        // From one quotation mark to the next: what is between attributes, and their values.
        loop {
            let end = self.rest.find(['"', '>']).unwrap_or(self.rest.len());
            let before = self.take(end);
            self.out.push_str(before);
            if !self.rest.starts_with('"') {
                let close = self.take(usize::from(!self.rest.is_empty()));
                self.out.push_str(close);
                return;
            }
            self.out.push('"');
            self.rest = &self.rest[1..];
            let value = self.take(self.rest.find('"').unwrap_or(self.rest.len()));
            // Before the name stands the tag, or the end of the attribute before.
            let attribute = before.trim_end_matches('=');
            let attribute = attribute.rsplit(' ').next().unwrap_or(attribute);
            if KEPT.contains(&attribute) || first_odd(value).is_none() {
                self.out.push_str(value);
            } else {
                plain(value, (OPEN, CLOSE), &mut self.out);
            }
            if self.rest.starts_with('"') {
                self.out.push('"');
                self.rest = &self.rest[1..];
            }
        }
    }
}

#[cfg(test)]
mod tests;
