//! Addresses of pages: a path and parameters, written with everything escaped that telemetry may have put into a name.

use std::fmt;

use maud::Render;

/// An address on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Href {
    path: String,
    params: Vec<(String, String)>,
    anchor: String,
}

impl Href {
    /// An address from path segments: `Href::to(&["services", name])`.
    pub(crate) fn to(segments: &[&str]) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            encode(segment, &mut path);
        }
        Self::at(path)
    }

    /// An address from a path that is escaped already.
    pub(crate) fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            params: Vec::new(),
            anchor: String::new(),
        }
    }

    /// Sets a parameter, in place if it is there; an empty value removes it.
    #[must_use]
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        if value.is_empty() {
            return self.without(key);
        }
        let Some(place) = self.params.iter().position(|(name, _)| name == key) else {
            return self.and(key, value);
        };
        value.clone_into(&mut self.params[place].1);
        let mut at = 0;
        self.params.retain(|(name, _)| {
            at += 1;
            name != key || at == place + 1
        });
        self
    }

    /// Adds a parameter that may be repeated.
    #[must_use]
    pub(crate) fn and(mut self, key: &str, value: &str) -> Self {
        self.params.push((key.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.params.retain(|(name, _)| name != key);
        self
    }

    #[must_use]
    pub(crate) fn anchor(mut self, id: &str) -> Self {
        id.clone_into(&mut self.anchor);
        self
    }
}

impl fmt::Display for Href {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.path.clone();
        for (i, (key, value)) in self.params.iter().enumerate() {
            text.push(if i == 0 { '?' } else { '&' });
            encode(key, &mut text);
            text.push('=');
            encode(value, &mut text);
        }
        if !self.anchor.is_empty() {
            text.push('#');
            encode(&self.anchor, &mut text);
        }
        out.write_str(&text)
    }
}

impl Render for Href {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().as_str().render_to(buffer);
    }
}

/// Percent-encodes all but unreserved characters, and the few that are harmless and readable in an address.
fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:*,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_telemetry_cannot_leave_their_place() {
        let href = Href::to(&["services", "a/b?c#d&e=f \"<é>"])
            .set("q", "x:\"1&2\"")
            .anchor("a b");
        assert_eq!(
            href.to_string(),
            "/services/a%2Fb%3Fc%23d%26e%3Df%20%22%3C%C3%A9%3E?q=x:%221%262%22#a%20b"
        );
    }

    #[test]
    fn parameters_are_set_in_place_and_removed() {
        let href = Href::at("/x").set("a", "1").set("b", "2").set("a", "3");
        assert_eq!(href.to_string(), "/x?a=3&b=2");
        assert_eq!(href.clone().set("a", "").to_string(), "/x?b=2");
        assert_eq!(href.without("b").to_string(), "/x?a=3");
        let href = Href::at("/x").and("a", "1").and("b", "2").and("a", "3");
        assert_eq!(href.to_string(), "/x?a=1&b=2&a=3");
        assert_eq!(href.set("a", "4").to_string(), "/x?a=4&b=2");
    }
}
