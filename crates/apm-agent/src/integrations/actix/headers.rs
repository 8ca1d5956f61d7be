//! Headers as JSON, with the decision per name remembered.
//!
//! Whether a name is secret takes microseconds to find out (a dozen wildcard patterns); few names occur. Each worker remembers
//! them in a table of fixed size, where names that collide take turns.

use std::iter::Peekable;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::encode::json;
use crate::wildcard::WildcardList;

const SLOTS: usize = 128;
/// Headers of one message that are recorded.
const MAX_HEADERS: usize = 100;
/// Bytes of JSON after which the rest is left out: an event has to stay below the server's limit of 300 KiB.
const MAX_BYTES: usize = 32 * 1024;
const REDACTED: &[u8] = b"\"[REDACTED]\"";

/// The names of headers, ready to be written, and what may be shown of their values.
#[derive(Debug)]
pub(super) struct HeaderCache {
    slots: Box<[Option<Known>]>,
    secrets: WildcardList,
}

#[derive(Debug)]
struct Known {
    name: HeaderName,
    /// `"name":`
    key: Box<[u8]>,
    show: Show,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    Value,
    Nothing,
    /// Each cookie by its own name.
    Cookies,
}

impl Default for HeaderCache {
    fn default() -> Self {
        let secrets = WildcardList::parse(
            "password, passwd, pwd, secret, *key, *token*, *session*, *credit*, *card*, *auth*, set-cookie, *principal*",
        );
        Self {
            slots: (0..SLOTS).map(|_| None).collect(),
            secrets,
        }
    }
}

impl HeaderCache {
    /// Appends `"name":"value"` pairs; a repeated header becomes an array.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, headers: &HeaderMap) {
        let before = out.len();
        let mut rest = headers.iter().take(MAX_HEADERS).peekable();
        while let Some((name, value)) = rest.next() {
            if out.len() - before > MAX_BYTES {
                break;
            }
            let known = Self::known(&mut self.slots, &self.secrets, name);
            out.extend_from_slice(&known.key);
            if repeats(&mut rest, name) {
                out.push(b'[');
                write_value(out, value, known.show, &self.secrets);
                while let Some((_, value)) = rest.next_if(|(next, _)| *next == name) {
                    out.push(b',');
                    write_value(out, value, known.show, &self.secrets);
                }
                out.push(b']');
            } else {
                write_value(out, value, known.show, &self.secrets);
            }
            out.push(b',');
        }
        if out.len() > before {
            out.pop();
        }
    }

    fn known<'a>(
        slots: &'a mut [Option<Known>],
        secrets: &WildcardList,
        name: &HeaderName,
    ) -> &'a Known {
        let slot = &mut slots[hash(name.as_str()) % SLOTS];
        if slot.as_ref().is_none_or(|known| known.name != *name) {
            *slot = None;
        }
        slot.get_or_insert_with(|| {
            let mut key = Vec::with_capacity(name.as_str().len() + 3);
            json::keyword(&mut key, name.as_str());
            key.push(b':');
            let show = match name.as_str() {
                "cookie" => Show::Cookies,
                text if secrets.matches(text) => Show::Nothing,
                _ => Show::Value,
            };
            Known {
                name: name.clone(),
                key: key.into(),
                show,
            }
        })
    }
}

fn repeats<'a>(
    rest: &mut Peekable<impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>>,
    name: &HeaderName,
) -> bool {
    rest.peek().is_some_and(|(next, _)| *next == name)
}

fn write_value(out: &mut Vec<u8>, value: &HeaderValue, show: Show, secrets: &WildcardList) {
    match show {
        Show::Value => json::keyword_bytes(out, value.as_bytes()),
        Show::Nothing => out.extend_from_slice(REDACTED),
        Show::Cookies => {
            let text = String::from_utf8_lossy(value.as_bytes());
            let mut shown = String::with_capacity(text.len());
            for pair in text.split(';') {
                let name = pair.split('=').next().unwrap_or_default();
                if !shown.is_empty() {
                    shown.push(';');
                }
                if secrets.matches(name.trim()) {
                    shown.push_str(name);
                    shown.push_str("=[REDACTED]");
                } else {
                    shown.push_str(pair);
                }
            }
            json::keyword(out, &shown);
        }
    }
}

/// FNV-1a: short names, and nothing to gain for one who makes them collide.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 16)) as usize
}
