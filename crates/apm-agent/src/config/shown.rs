//! Values in lines of the log: what is secret in them is masked.

use std::fmt;

/// A token or a key: sent to the server, never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) const MASK: &str = "[REDACTED]";

    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

/// A text that may come from elsewhere, for a line of the log: it cannot break the line, and is not longer than a few.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 1000;
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = plain.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Masks the `user:password@` of URLs in a value.
pub(crate) fn without_password(text: &str) -> String {
    text.split(',')
        // A password may contain `@`, so the last one ends it.
        .map(|item| match (item.find("://"), item.rfind('@')) {
            (Some(scheme), Some(at)) if scheme < at => {
                format!("{}://{}{}", &item[..scheme], Secret::MASK, &item[at..])
            }
            _ => item.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(",")
}
