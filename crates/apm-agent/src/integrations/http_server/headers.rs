//! Headers as JSON, with the decision per name remembered.
//!
//! Whether a name is secret takes microseconds to find out (a dozen wildcard patterns); few names occur. Each thread
//! remembers them in a table of fixed size, where one name takes the place of another only when many collide.
//!
//! The type of a name is that of the web framework: their versions of the crate `http` differ.

use super::head::KnownHead;
use super::remembered::{Compared, LONGEST, Remembered};
use crate::config::Snapshot;
use crate::encode::json;
use crate::recording::http::{KnownHost, KnownPeer};
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
pub(crate) struct HeaderCache<N> {
    slots: Box<[Option<Known<N>>]>,
    /// Of the settings that the decisions follow.
    generation: u64,
    /// The same decisions for the names of cookies.
    pub(super) cookies: RedactionCache,
    /// The host of the request before.
    pub(super) host: KnownHost,
    /// The other end of its connection.
    pub(super) peer: KnownPeer,
    /// Whole messages.
    pub(super) requests: Remembered<KnownHead, N>,
    pub(super) responses: Remembered<u16, N>,
}

#[derive(Debug)]
struct Known<N> {
    name: N,
    /// `"name":`
    key: Box<[u8]>,
    secret: bool,
    /// It holds cookies, which are written one by one.
    cookies: bool,
    /// Its value is an address.
    url: bool,
}

impl<N> Default for HeaderCache<N> {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| None).collect(),
            generation: 0,
            cookies: RedactionCache::default(),
            host: KnownHost::default(),
            peer: KnownPeer::default(),
            requests: Remembered::default(),
            responses: Remembered::default(),
        }
    }
}

impl<N: AsRef<str> + Clone + PartialEq> HeaderCache<N> {
    /// Appends `"name":"value"` pairs; a repeated header becomes an array. Values of one name follow each other. The
    /// `cookie` header is left out: cookies are written one by one. Whether there may be one.
    pub(super) fn write<'h>(
        &mut self,
        out: &mut Vec<u8>,
        settings: &Snapshot,
        headers: impl Iterator<Item = (&'h N, &'h [u8])>,
    ) -> bool
    where
        N: 'h,
    {
        self.renew(settings);
        let before = out.len();
        let (mut has_cookies, mut seen) = (false, 0);
        let mut rest = headers.take(MAX_HEADERS).peekable();
        while let Some((name, value)) = rest.next() {
            seen += 1;
            if out.len() - before > MAX_BYTES {
                has_cookies = true;
                break;
            }
            let known = self.known(settings, name);
            if known.cookies {
                has_cookies = true;
                continue;
            }
            out.extend_from_slice(&known.key);
            if rest.peek().is_some_and(|(next, _)| *next == name) {
                out.push(b'[');
                known.write(out, value, settings);
                while let Some((_, value)) = rest.next_if(|(next, _)| *next == name) {
                    seen += 1;
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
        // Those behind the last one were not looked at.
        has_cookies || seen == MAX_HEADERS
    }

    /// Other settings may redact other names.
    fn renew(&mut self, settings: &Snapshot) {
        if self.generation != settings.generation {
            self.slots.fill_with(|| None);
            self.generation = settings.generation;
        }
    }

    /// Headers as those of a later message are compared with them: a secret one by its name alone. `None` if the text
    /// depends on more than what is compared, or if that is too long to be kept.
    pub(super) fn comparable<'h>(
        &mut self,
        settings: &Snapshot,
        headers: impl Iterator<Item = (&'h N, &'h [u8])>,
    ) -> Option<Vec<Compared<N>>>
    where
        N: 'h,
    {
        self.renew(settings);
        let mut bytes = 0;
        let compared = headers.map(|(name, value)| {
            let known = self.known(settings, name);
            bytes += value.len();
            // The URL shows the host, even where its header is secret.
            let hides_host = known.secret && name.as_ref().eq_ignore_ascii_case("host");
            let is_whole = !known.cookies && !known.url && !hides_host && bytes <= LONGEST;
            is_whole.then(|| (name.clone(), (!known.secret).then(|| value.into())))
        });
        compared.collect()
    }

    fn known(&mut self, settings: &Snapshot, name: &N) -> &Known<N> {
        let home = hash(name.as_ref());
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
            let text = name.as_ref();
            let mut key = Vec::with_capacity(text.len() + 3);
            json::keyword(&mut key, text);
            key.push(b':');
            Known {
                name: name.clone(),
                key: key.into(),
                secret: settings.sanitize_field_names.matches(text),
                cookies: text.eq_ignore_ascii_case("cookie"),
                url: urls::is_header(text),
            }
        })
    }
}

impl<N> Known<N> {
    fn write(&self, out: &mut Vec<u8>, value: &[u8], settings: &Snapshot) {
        if self.secret {
            json::string(out, REDACTED);
        } else if self.url {
            let value = String::from_utf8_lossy(value);
            let secrets = &settings.sanitize_field_names;
            json::keyword(out, &urls::text(&value, |name| secrets.matches(name)));
        } else {
            json::keyword_bytes(out, value);
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
    use super::*;
    use crate::config::{Config, LocalSources};

    fn remembered(cache: &HeaderCache<String>) -> usize {
        cache.slots.iter().flatten().count()
    }

    #[test]
    fn names_that_share_a_place_are_both_remembered() {
        let settings = Config::resolve(LocalSources::default()).0.snapshot();
        let mut cache = HeaderCache::default();
        let [one, other] = ["accept-language", "connection"].map(str::to_owned);
        assert_eq!(hash(&one) % SLOTS, hash(&other) % SLOTS);
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
            let name = format!("x-header-{number}");
            assert_eq!(cache.known(&settings, &name).name, name);
        }
        assert!((SLOTS / 2..=SLOTS).contains(&remembered(&cache)));
    }
}
