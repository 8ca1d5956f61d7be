//! Headers as JSON, with the decision per name remembered.
//!
//! Whether a name is secret takes microseconds to find out (a dozen wildcard patterns); few names occur. Each worker
//! remembers them in a table of fixed size, where one name takes the place of another only when many collide.

use actix_web::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};

use crate::config::Snapshot;
use crate::encode::json;
use crate::sanitize::{REDACTED, RedactionCache, urls};

const SLOTS: usize = 128;
/// Places where a name may stand. With one, two names that share it (`accept-language` and `connection` do) would be
/// decided anew in each request.
const PLACES: usize = 8;
/// Headers of one message that are recorded.
const MAX_HEADERS: usize = 100;
/// Bytes of JSON after which the rest is left out: an event has to stay below the server's limit of 300 KiB.
const MAX_BYTES: usize = 32 * 1024;

/// The names of headers, ready to be written, and whether their values may be shown.
#[derive(Debug)]
pub(super) struct HeaderCache {
    slots: Box<[Option<Known>]>,
    /// Of the settings that the decisions follow.
    generation: u64,
    /// The same decisions for the names of cookies.
    pub(super) cookies: RedactionCache,
}

#[derive(Debug)]
struct Known {
    name: HeaderName,
    /// `"name":`
    key: Box<[u8]>,
    secret: bool,
    /// Its value is an address.
    url: bool,
}

impl Default for HeaderCache {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| None).collect(),
            generation: 0,
            cookies: RedactionCache::default(),
        }
    }
}

impl HeaderCache {
    /// Appends `"name":"value"` pairs; a repeated header becomes an array. The `cookie` header is left out: cookies are
    /// written one by one.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, settings: &Snapshot, headers: &HeaderMap) {
        if self.generation != settings.generation {
            self.slots.fill_with(|| None);
            self.generation = settings.generation;
        }
        let before = out.len();
        // Values of one name follow each other.
        let mut rest = headers.iter().take(MAX_HEADERS).peekable();
        while let Some((name, value)) = rest.next() {
            if *name == COOKIE {
                continue;
            }
            if out.len() - before > MAX_BYTES {
                break;
            }
            let known = self.known(settings, name);
            out.extend_from_slice(&known.key);
            if rest.peek().is_some_and(|(next, _)| *next == name) {
                out.push(b'[');
                known.write(out, value, settings);
                while let Some((_, value)) = rest.next_if(|(next, _)| *next == name) {
                    out.push(b',');
                    known.write(out, value, settings);
                }
                out.push(b']');
            } else {
                known.write(out, value, settings);
            }
            out.push(b',');
        }
        if out.len() > before {
            out.pop();
        }
    }

    fn known(&mut self, settings: &Snapshot, name: &HeaderName) -> &Known {
        let home = hash(name.as_str());
        let place = (home..home + PLACES)
            .map(|place| place % SLOTS)
            .find(|&place| {
                let known = &self.slots[place];
                known.as_ref().is_none_or(|known| known.name == *name)
            });
        let slot = match place {
            Some(place) => &mut self.slots[place],
            None => {
                let slot = &mut self.slots[home % SLOTS];
                *slot = None;
                slot
            }
        };
        slot.get_or_insert_with(|| {
            let mut key = Vec::with_capacity(name.as_str().len() + 3);
            json::keyword(&mut key, name.as_str());
            key.push(b':');
            Known {
                name: name.clone(),
                key: key.into(),
                secret: settings.sanitize_field_names.matches(name.as_str()),
                url: urls::is_header(name.as_str()),
            }
        })
    }
}

impl Known {
    fn write(&self, out: &mut Vec<u8>, value: &HeaderValue, settings: &Snapshot) {
        if self.secret {
            json::string(out, REDACTED);
        } else if self.url {
            let value = String::from_utf8_lossy(value.as_bytes());
            let secrets = &settings.sanitize_field_names;
            json::keyword(out, &urls::text(&value, |name| secrets.matches(name)));
        } else {
            json::keyword_bytes(out, value.as_bytes());
        }
    }
}

/// FNV-1a: short names, and nothing to gain for one who makes them collide.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 16)) as usize
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ACCEPT_LANGUAGE, CONNECTION};

    use super::*;
    use crate::config::{Config, LocalSources};

    fn remembered(cache: &HeaderCache) -> usize {
        cache.slots.iter().flatten().count()
    }

    #[test]
    fn names_that_share_a_place_are_both_remembered() {
        let settings = Config::resolve(LocalSources::default()).0.snapshot();
        let mut cache = HeaderCache::default();
        let [one, other] = [ACCEPT_LANGUAGE, CONNECTION];
        assert_eq!(hash(one.as_str()) % SLOTS, hash(other.as_str()) % SLOTS);
        for name in [&one, &other, &one] {
            assert_eq!(cache.known(&settings, name).name, *name);
        }
        assert_eq!(remembered(&cache), 2);
    }

    #[test]
    fn any_number_of_names_fits_into_the_table() {
        let settings = Config::resolve(LocalSources::default()).0.snapshot();
        let mut cache = HeaderCache::default();
        for number in 0..1000 {
            let name: HeaderName = format!("x-header-{number}").parse().unwrap();
            assert_eq!(cache.known(&settings, &name).name, name);
        }
        assert!((SLOTS / 2..=SLOTS).contains(&remembered(&cache)));
    }
}
