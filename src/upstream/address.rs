//! The upstream's URL, taken apart: what is asked, who asks, and what may be shown.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The address that `/upstream` asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The URL without the name and password that it may have.
    pub(super) url: String,
    /// Name and password, sent as `Authorization: Basic`.
    pub(super) credentials: Option<(String, String)>,
    /// The URL without anything that may be secret: errors name it, and errors reach logs, events and answers.
    pub(super) shown: String,
}

impl Address {
    /// Takes a URL apart. One without a scheme is of HTTP.
    pub fn new(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // A password may hold `@`, and a host does not.
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(name), decoded(password))
        });
        let path_alone = path.split(['?', '#']).next().unwrap_or_default();
        Self {
            url: format!("{scheme}://{host}{path}"),
            credentials,
            shown: format!("{scheme}://{host}{path_alone}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_sent_and_not_shown() {
        for (url, asked, user, shown) in [
            (
                "http://h:1/people?key=k",
                "http://h:1/people?key=k",
                None,
                "http://h:1/people",
            ),
            (
                "http://me:p%40ss@h/p?a=b#c",
                "http://h/p?a=b#c",
                Some(("me", "p@ss")),
                "http://h/p",
            ),
            ("http://me@h", "http://h", Some(("me", "")), "http://h"),
            ("h:1/p?key=k", "http://h:1/p?key=k", None, "http://h:1/p"),
            (
                "http://a:b@c@h/p",
                "http://h/p",
                Some(("a", "b@c")),
                "http://h/p",
            ),
            (
                "http://h?q=me@there",
                "http://h?q=me@there",
                None,
                "http://h",
            ),
        ] {
            let address = Address::new(url);
            assert_eq!((&*address.url, &*address.shown), (asked, shown), "{url}");
            let credentials = address.credentials.as_ref();
            let credentials = credentials.map(|(name, password)| (&**name, &**password));
            assert_eq!(credentials, user, "{url}");
            assert!(!format!("{address:?}").contains("p@ss"));
        }
    }
}
