//! Secrets in URLs: the values of parameters with secret names, and users with their passwords.
//!
//! The rule is that of headers and form fields: the name decides. URLs stand in URLs
//! (`?next=https%3A%2F%2F…%3Ftoken%3D…`), so a separator counts however often it is percent-encoded. Where it is not
//! clear how far a value reaches, more is taken away and not less.

use std::borrow::Cow;

use super::{REDACTED, decoded};

/// Names that are judged in one text: each costs up to a microsecond. The values of further ones are taken away unseen.
const MAX_NAMES: usize = 128;
/// No parameter that means anything has a longer name, in bytes.
const MAX_NAME: usize = 256;
/// The number of times that a name is decoded.
const MAX_LAYERS: usize = 4;

/// A query string, without the question mark in front.
pub(crate) fn query(query: &str, is_secret: impl FnMut(&str) -> bool) -> Cow<'_, str> {
    Scanner::new(query, is_secret).run(true)
}

/// Any text that may hold URLs: an address, a header, a message.
pub(crate) fn text(text: &str, is_secret: impl FnMut(&str) -> bool) -> Cow<'_, str> {
    Scanner::new(text, is_secret).run(false)
}

/// Whether the value of a header is an address. Its name is in lower case.
pub(crate) fn is_header(name: &str) -> bool {
    const HEADERS: [&str; 12] = [
        "referer",
        "location",
        "content-location",
        "refresh",
        "link",
        "origin",
        "destination",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-forwarded-uri",
        "x-request-uri",
    ];
    HEADERS.contains(&name)
}

/// A character of a URL, decoded.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    /// Bytes that it takes.
    len: usize,
    /// The number of times that it was percent-encoded.
    layers: usize,
}

/// The place at which the name of a parameter began.
#[derive(Clone, Copy)]
struct Name {
    at: usize,
    /// The separator in front of it.
    after: u8,
}

struct Scanner<'t, F> {
    text: &'t str,
    is_secret: F,
    judged: usize,
    /// The text so far: what stands before `done` is in it.
    kept: String,
    done: usize,
}

impl<'t, F: FnMut(&str) -> bool> Scanner<'t, F> {
    fn new(text: &'t str, is_secret: F) -> Self {
        Self {
            text,
            is_secret,
            judged: 0,
            kept: String::new(),
            done: 0,
        }
    }

    fn run(mut self, in_query: bool) -> Cow<'t, str> {
        let bytes = self.text.as_bytes();
        // Nearly all texts.
        if !bytes.iter().any(|byte| matches!(byte, b'=' | b'@' | b'%')) {
            return Cow::Borrowed(self.text);
        }
        let mut name = in_query.then_some(Name { at: 0, after: b'&' });
        let mut at = 0;
        while at < bytes.len() {
            let unit = unit(bytes, at);
            let behind = at + unit.len;
            at = match unit.byte {
                b'?' | b'&' | b';' | b'#' => {
                    name = Some(Name {
                        at: behind,
                        after: unit.byte,
                    });
                    behind
                }
                b'=' => match name.take() {
                    Some(name) if self.takes_away(&self.text[name.at..at]) => {
                        let end = self.end_of_value(behind, unit.layers, name, in_query);
                        self.replace(behind, end)
                    }
                    _ => behind,
                },
                // `://` may be followed by a user and a password.
                b':' => match self.user(behind) {
                    Some((begin, end)) => self.replace(begin, end),
                    None => behind,
                },
                // A blank that is encoded belongs to the URL.
                byte if unit.layers == 0 && ends_url(byte) => {
                    name = None;
                    behind
                }
                _ => behind,
            };
        }
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.kept.push_str(&self.text[self.done..]);
        Cow::Owned(self.kept)
    }

    /// Whether the value of this name is a secret.
    fn takes_away(&mut self, name: &str) -> bool {
        if name.is_empty() || name.len() > MAX_NAME {
            return false;
        }
        if self.judged == MAX_NAMES {
            return true;
        }
        self.judged += 1;
        let mut name = Cow::Borrowed(name);
        for _ in 0..MAX_LAYERS {
            match decoded(&name) {
                Cow::Borrowed(_) => break,
                Cow::Owned(plain) => name = Cow::Owned(plain),
            }
        }
        (self.is_secret)(&name)
    }

    /// The end of the value that begins at `at`, behind an equals sign that was encoded so often.
    fn end_of_value(&self, mut at: usize, layers: usize, name: Name, in_query: bool) -> usize {
        let bytes = self.text.as_bytes();
        while at < bytes.len() {
            let unit = unit(bytes, at);
            let ends = match unit.byte {
                // A separator that is encoded more often belongs to a URL within the value.
                b'&' | b'#' => unit.layers <= layers,
                // `/path;jsessionid=…?x=1`
                b';' | b'?' => name.after == b';' && unit.layers <= layers,
                byte => !in_query && unit.layers == 0 && ends_url(byte),
            };
            if ends {
                return at;
            }
            at += unit.len;
        }
        at
    }

    /// The place of the user and the password, if `://` and a host with a user follow.
    fn user(&self, mut at: usize) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        for _ in 0..2 {
            let slash = (at < bytes.len()).then(|| unit(bytes, at))?;
            if slash.byte != b'/' {
                return None;
            }
            at += slash.len;
        }
        let begin = at;
        let mut end = None;
        while at < bytes.len() {
            let unit = unit(bytes, at);
            match unit.byte {
                // A password may have an `@` in it, so the last one counts.
                b'@' => end = Some(at),
                b'/' | b'?' | b'#' => break,
                byte if unit.layers == 0 && ends_url(byte) => break,
                _ => {}
            }
            at += unit.len;
        }
        end.filter(|end| *end > begin).map(|end| (begin, end))
    }

    /// Leaves out the text between two places, and says where to go on.
    fn replace(&mut self, begin: usize, end: usize) -> usize {
        if begin < end {
            self.kept.push_str(&self.text[self.done..begin]);
            self.kept.push_str(REDACTED);
            self.done = end;
        }
        end
    }
}

/// The character at a place. `%253D` is an equals sign that was encoded twice.
fn unit(bytes: &[u8], at: usize) -> Unit {
    let plain = Unit {
        byte: bytes[at],
        len: 1,
        layers: 0,
    };
    if plain.byte != b'%' {
        return plain;
    }
    let (mut from, mut layers) = (at + 1, 1);
    loop {
        match escaped(bytes, from) {
            Some(b'%') if escaped(bytes, from + 2).is_some() => {
                from += 2;
                layers += 1;
            }
            Some(byte) => {
                return Unit {
                    byte,
                    len: from + 2 - at,
                    layers,
                };
            }
            None => return plain,
        }
    }
}

/// The byte that two hexadecimal digits stand for.
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok()
}

/// Whether a byte cannot stand in a URL, so that it ends there.
fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'`' | b'\\' | 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, LocalSources};

    fn secret(name: &str) -> bool {
        let config = Config::resolve(LocalSources::default()).0;
        config.load().sanitize_field_names.matches(name)
    }

    #[test]
    fn parameters_lose_their_values_by_name() {
        let table = [
            ("a=1&token=abc&b=2", "a=1&token=[REDACTED]&b=2"),
            ("sid=1", "sid=[REDACTED]"),
            ("jwt=a.b.c", "jwt=[REDACTED]"),
            ("csrf=x&page=2", "csrf=[REDACTED]&page=2"),
            ("X-Goog-Signature=ff", "X-Goog-Signature=[REDACTED]"),
            (
                "AWSAccessKeyId=A&Signature=S&sig=s",
                "AWSAccessKeyId=[REDACTED]&Signature=[REDACTED]&sig=[REDACTED]",
            ),
            (
                "%74oken=abc&to%6ben=x",
                "%74oken=[REDACTED]&to%6ben=[REDACTED]",
            ),
            (
                "user[password]=x&user[name]=y",
                "user[password]=[REDACTED]&user[name]=y",
            ),
            ("token=a=b;c d\"e'f&x=1", "token=[REDACTED]&x=1"),
            ("token=a%26b&x=1", "token=[REDACTED]&x=1"),
            ("a=1;token=x;b=2", "a=1;token=[REDACTED];b=2"),
            ("token=&token", "token=&token"),
            ("x=%zz&token=ä&y=ß", "x=%zz&token=[REDACTED]&y=ß"),
            ("page=2&sort=name", "page=2&sort=name"),
            ("", ""),
        ];
        for (given, expected) in table {
            assert_eq!(query(given, secret), expected, "{given}");
        }
        assert!(matches!(query("page=2", secret), Cow::Borrowed(_)));
    }

    #[test]
    fn urls_in_urls_are_seen_however_often_they_are_encoded() {
        let table = [
            (
                "next=https%3A%2F%2Fx%2F%3Ftoken%3Dabc%26y%3D1&z=2",
                "next=https%3A%2F%2Fx%2F%3Ftoken%3D[REDACTED]%26y%3D1&z=2",
            ),
            (
                "next=/login?token=abc&z=2",
                "next=/login?token=[REDACTED]&z=2",
            ),
            (
                "next=%252Flogin%253Fs%2574oken%253Dabc%2526y%253D1",
                "next=%252Flogin%253Fs%2574oken%253D[REDACTED]%2526y%253D1",
            ),
            (
                "next=https%3A%2F%2Fann%3Apw%40x%2F",
                "next=https%3A%2F%2F[REDACTED]%40x%2F",
            ),
        ];
        for (given, expected) in table {
            assert_eq!(query(given, secret), expected, "{given}");
        }
    }

    #[test]
    fn urls_are_found_in_text() {
        let table = [
            (
                "error sending request for url (https://ann:pw@api.example/v1?token=abc): refused",
                "error sending request for url (https://[REDACTED]@api.example/v1?token=[REDACTED] refused",
            ),
            (
                "postgres://ann:p@ss@db/shop is down, http://h/ is not",
                "postgres://[REDACTED]@db/shop is down, http://h/ is not",
            ),
            (
                "{\"url\":\"/x?sig=abc\",\"token\":1}",
                "{\"url\":\"/x?sig=[REDACTED]\",\"token\":1}",
            ),
            (
                "/app;jsessionid=ABC?x=1#access_token=abc",
                "/app;jsessionid=[REDACTED]?x=1#access_token=[REDACTED]",
            ),
            (
                "Server=db;Password=abc;Timeout=3",
                "Server=db;Password=[REDACTED];Timeout=3",
            ),
            ("is it? token = 3", "is it? token = 3"),
            ("mail ann@example.com: a=b", "mail ann@example.com: a=b"),
            ("100% = all", "100% = all"),
        ];
        for (given, expected) in table {
            assert_eq!(text(given, secret), expected, "{given}");
        }
    }

    #[test]
    fn the_values_of_very_many_parameters_are_taken_away_unseen() {
        let many: String = (0..10_000).map(|number| format!("a{number}=v&")).collect();
        let mut judged = 0;
        let kept = query(&many, |_| {
            judged += 1;
            false
        });
        assert_eq!(judged, MAX_NAMES);
        assert_eq!(kept.matches("=v&").count(), MAX_NAMES);
    }

    #[test]
    fn whatever_stands_in_a_text_it_ends_and_no_secret_is_left() {
        let pieces = [
            "?", "&", ";", "#", "=", "%", "%25", "%3D", "%26", "://", "@", "ä", " ", "\"", "x",
        ];
        fastrand::seed(7);
        for _ in 0..20_000 {
            let mut random = String::new();
            for _ in 0..fastrand::usize(0..12) {
                random.push_str(pieces[fastrand::usize(..pieces.len())]);
            }
            let given = format!("{random}?token=S3CRET");
            assert!(!text(&given, secret_name).contains("S3CRET"), "{given}");
            let given = format!("{random}&token=S3CRET{random}");
            assert!(!query(&given, secret_name).contains("S3CRET"), "{given}");
        }
        fn secret_name(name: &str) -> bool {
            name.contains("token")
        }
    }
}
