//! Keeps secrets out of events: values of headers, cookies and form fields are replaced by their field's name.
//!
//! The decision is by name alone (`sanitize_field_names`); values are never looked at. The name stays, so that one sees
//! that there was something. Parameters of URLs count as fields, wherever a URL is recognised. Bodies that are no forms
//! are not touched.

pub(crate) mod multipart;
pub(crate) mod urls;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::config::Snapshot;
use crate::encode::json;
use crate::util::wildcard::WildcardList;

/// The replacement of a secret.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// The number of names in a cache: services see a few dozen, strangers may send any number.
const MAX_NAMES: usize = 256;
/// Longer names are decided each time.
const MAX_NAME_LEN: usize = 64;
/// Cookies of one request that are recorded; browsers keep about as many for a site.
const MAX_COOKIES: usize = 100;

/// Remembers the decision for names that were seen before; one per thread, so there is no lock.
///
/// Checking a dozen patterns costs a few hundred nanoseconds per name, a look-up a tenth of that.
#[derive(Debug, Default)]
pub(crate) struct RedactionCache {
    generation: u64,
    names: HashMap<Box<str>, bool>,
}

impl RedactionCache {
    /// Whether the value of the field `name` must not be sent.
    pub(crate) fn redacts(&mut self, snapshot: &Snapshot, name: &str) -> bool {
        if self.generation != snapshot.generation {
            self.names.clear();
            self.generation = snapshot.generation;
        }
        if let Some(&redacts) = self.names.get(name) {
            return redacts;
        }
        let redacts = snapshot.sanitize_field_names.matches(name);
        if self.names.len() < MAX_NAMES && name.len() <= MAX_NAME_LEN {
            self.names.insert(name.into(), redacts);
        }
        redacts
    }
}

/// Appends the pairs of a `cookie` header as members of an object, for `context.request.cookies`; the header itself is
/// then left out. Of a name that occurs again the first value counts.
///
/// `redacts` says whether the value of a name is a secret.
pub(crate) fn cookies(out: &mut Vec<u8>, header: &str, mut redacts: impl FnMut(&str) -> bool) {
    let (mut names, mut count) = ([""; MAX_COOKIES], 0);
    for pair in header.split(';') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.trim();
        if name.is_empty() || names[..count].contains(&name) {
            continue;
        }
        if count == MAX_COOKIES {
            break;
        }
        if count > 0 {
            out.push(b',');
        }
        names[count] = name;
        count += 1;
        json::string(out, name);
        out.push(b':');
        json::string(
            out,
            if redacts(name) {
                REDACTED
            } else {
                value.trim()
            },
        );
    }
}

/// The fields of an `application/x-www-form-urlencoded` body; a field that occurs several times becomes an array.
pub(crate) fn form(body: &str, secrets: &WildcardList) -> Map<String, Value> {
    let mut fields = Map::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name);
        let value = if secrets.matches(&name) {
            REDACTED.to_owned()
        } else {
            without_secrets(&decoded(value), secrets)
        };
        add(&mut fields, &name, value);
    }
    fields
}

/// A text without the secrets of the URLs in it.
pub(crate) fn without_secrets(text: &str, secrets: &WildcardList) -> String {
    urls::text(text, |name| secrets.matches(name)).into_owned()
}

/// Adds the value of a field; the values of one that occurs several times become an array.
fn add(fields: &mut Map<String, Value>, name: &str, value: String) {
    let value = Value::from(value);
    match fields.get_mut(name) {
        None => drop(fields.insert(name.to_owned(), value)),
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// Undoes percent encoding; what is not valid stays as it is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| Some(digit(bytes.get(at + 1))? << 4 | digit(bytes.get(at + 2))?))
            .flatten();
        match escape.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => {
                plain.push(value);
                at += 3;
            }
            None => {
                plain.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::config::{Config, LocalSources};

    fn config() -> Config {
        Config::resolve(LocalSources::default()).0
    }

    #[test]
    fn the_default_list_covers_what_the_specification_demands() {
        let (config, mut cache) = (config(), RedactionCache::default());
        let secret = [
            "password",
            "passwd",
            "pwd",
            "secret",
            "X-Api-Key",
            "apikey",
            "X-CSRF-Token",
            "PHPSESSIONID",
            "credit_card",
            "Authorization",
            "Set-Cookie",
            "user_principal_name",
            "pw",
            "pass",
            "connect.sid",
        ];
        let plain = [
            "accept",
            "cookie",
            "content-type",
            "host",
            "keyboard",
            "user-agent",
            "passport",
            "",
        ];
        for _ in 0..2 {
            for name in secret {
                assert!(cache.redacts(&config.load(), name), "{name}");
            }
            for name in plain {
                assert!(!cache.redacts(&config.load(), name), "{name}");
            }
        }
    }

    #[test]
    fn the_cache_is_bounded_and_follows_the_configuration() {
        let (config, _) = Config::resolve(LocalSources {
            code: vec![("remote_capture".to_owned(), "true".to_owned())],
            ..LocalSources::default()
        });
        let mut cache = RedactionCache::default();
        for index in 0..10_000 {
            assert!(cache.redacts(&config.load(), &format!("x-token-{index}")));
        }
        assert!(!cache.redacts(&config.load(), &"x".repeat(MAX_NAME_LEN + 1)));
        assert_eq!(cache.names.len(), MAX_NAMES);

        config.apply_central(&BTreeMap::from([(
            "sanitize_field_names".to_owned(),
            "x-mine".to_owned(),
        )]));
        assert!(cache.redacts(&config.load(), "X-Mine"));
        assert!(!cache.redacts(&config.load(), "x-token-1"));
    }

    #[test]
    fn cookies_keep_their_names_and_lose_secret_values() {
        let config = config();
        let header = "theme=dark; sessionid=38afes7a8; theme=light;; flag; =x; q\"=a\\b";
        let mut out = Vec::new();
        cookies(&mut out, header, |name| {
            config.load().sanitize_field_names.matches(name)
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#""theme":"dark","sessionid":"[REDACTED]","flag":"","q\"":"a\\b""#
        );
    }

    #[test]
    fn no_more_cookies_are_recorded_than_a_browser_keeps() {
        let header: String = (0..10_000).map(|number| format!("c{number}=;")).collect();
        let mut out = Vec::new();
        cookies(&mut out, &header, |_| false);
        assert_eq!(
            out.iter().filter(|byte| **byte == b':').count(),
            MAX_COOKIES
        );
    }

    #[test]
    fn forms_are_decoded_before_their_names_are_judged() {
        let config = config();
        let body = "name=J%C3%BCrgen+K&pass%77ord=hunter2&tag=a&tag=b&tag=c&empty&bad=%zz%4&=x";
        assert_eq!(
            Value::from(form(body, &config.load().sanitize_field_names)),
            json!({
                "name": "Jürgen K", "password": "[REDACTED]", "tag": ["a", "b", "c"],
                "empty": "", "bad": "%zz%4", "": "x",
            })
        );
        assert!(form("", &config.load().sanitize_field_names).is_empty());
    }
}
