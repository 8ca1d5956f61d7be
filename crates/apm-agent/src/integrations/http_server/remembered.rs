//! Requests and responses as they were written last, for the next one that says the same.
//!
//! A check of health, a program that polls, a page that everybody opens: many messages of a service are alike but for
//! their time. To compare one with what is remembered takes a fraction of the time of writing it: all that its text
//! depends on is compared, and nothing is trusted that has a secret name, which is neither compared nor kept.

/// Messages that are remembered: a power of two.
pub(crate) const PLACES: usize = 8;
/// Bytes of the longest text that is remembered, of the longest path, and of all values that are compared.
pub(super) const LONGEST: usize = 4 * 1024;
/// Headers of a message that is remembered.
const MOST_HEADERS: usize = 32;
/// Messages that pass at most before one is remembered again.
const MOST_PATIENCE: u8 = 64;

/// The parts of a message beside its headers.
pub(super) trait Key {
    /// The same, to be kept.
    type Kept;

    fn is(&self, kept: &Self::Kept) -> bool;

    fn keep(&self) -> Self::Kept;
}

/// The name of a header, and its value where that is compared.
pub(super) type Compared<N> = (N, Option<Box<[u8]>>);

/// Messages of one kind: requests, or responses. `N` is the name of a header.
#[derive(Debug)]
pub(super) struct Remembered<K, N>([Place<K, N>; PLACES]);

/// A place for one message.
#[derive(Debug)]
struct Place<K, N> {
    message: Option<Message<K, N>>,
    /// Messages that are to pass before one is remembered.
    wait: u8,
    /// The value of `wait` before the last one: it grows while what is remembered is not met again.
    patience: u8,
}

#[derive(Debug)]
struct Message<K, N> {
    key: K,
    /// Of the settings that decided what is secret.
    generation: u64,
    /// Names and values; the value of a secret one is not looked at.
    headers: Vec<Compared<N>>,
    json: Box<[u8]>,
    was_met: bool,
}

impl<K, N> Default for Remembered<K, N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Place {
            message: None,
            wait: 0,
            patience: 1,
        }))
    }
}

/// The place of the messages about a path, which others share. Most services have few paths that are asked for often.
#[inline]
pub(crate) fn place(path: &str) -> usize {
    let last = path.bytes().next_back().unwrap_or_default();
    (path.len() + usize::from(last)) % PLACES
}

impl<K, N: PartialEq> Remembered<K, N> {
    /// Appends a message from memory, if it is remembered in this place. Whether it is.
    #[inline]
    pub(super) fn write<'h>(
        &mut self,
        out: &mut Vec<u8>,
        place: usize,
        generation: u64,
        key: &impl Key<Kept = K>,
        headers: impl Iterator<Item = (&'h N, &'h [u8])>,
    ) -> bool
    where
        N: 'h,
    {
        let Some(message) = &mut self.0[place].message else {
            return false;
        };
        if message.generation != generation || !key.is(&message.key) {
            return false;
        }
        let mut known = message.headers.iter();
        for (name, value) in headers {
            match known.next() {
                Some((known, expected)) if known == name => {
                    if expected
                        .as_deref()
                        .is_some_and(|expected| expected != value)
                    {
                        return false;
                    }
                }
                _ => return false,
            }
        }
        if known.next().is_some() {
            return false;
        }
        message.was_met = true;
        out.extend_from_slice(&message.json);
        true
    }

    /// A message is not remembered. Whether it is to be.
    pub(super) fn is_wanted(&mut self, place: usize) -> bool {
        let place = &mut self.0[place];
        if place.message.take().is_some_and(|before| before.was_met) {
            place.patience = 1;
        }
        if place.wait > 0 {
            place.wait -= 1;
            return false;
        }
        place.patience = place.patience.saturating_mul(2).min(MOST_PATIENCE);
        place.wait = place.patience;
        true
    }

    /// Remembers a message. `headers`: as they are compared.
    pub(super) fn keep(
        &mut self,
        place: usize,
        generation: u64,
        key: &impl Key<Kept = K>,
        headers: Vec<Compared<N>>,
        json: &[u8],
    ) {
        if json.len() <= LONGEST && headers.len() <= MOST_HEADERS {
            self.0[place].message = Some(Message {
                key: key.keep(),
                generation,
                headers,
                json: json.into(),
                was_met: false,
            });
        }
    }
}
