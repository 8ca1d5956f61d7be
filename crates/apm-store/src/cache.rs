//! A bounded map from byte strings to small values, which forgets what was not asked for lately.
//!
//! Two generations: what is found in the old one moves to the young one; when the young one is full it becomes
//! the old one, and the old one is dropped. So anything used once per generation stays, at the cost of one map
//! operation, and memory is bounded by bytes whatever is thrown at it. Keys are compared, not only their hashes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that an entry takes beside its key.
const OVERHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct Cache<V> {
    limit: usize,
    bytes: usize,
    young: HashMap<Box<[u8]>, V, Xxh3>,
    old: HashMap<Box<[u8]>, V, Xxh3>,
}

impl<V> Cache<V> {
    /// A cache that holds at most `limit` bytes of keys and their book-keeping.
    pub(super) fn new(limit: usize) -> Self {
        let hasher = Xxh3::default();
        Self {
            limit: limit / 2,
            bytes: 0,
            young: HashMap::with_hasher(hasher.clone()),
            old: HashMap::with_hasher(hasher),
        }
    }

    /// The value of `key`, to read and to change.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<&mut V> {
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.put(key, value);
        }
        self.young.get_mut(key)
    }

    /// Keeps a value.
    pub(super) fn insert(&mut self, key: &[u8], value: V) {
        self.put(key.into(), value);
    }

    /// Forgets the values that do not pass. What their keys took is not given back before the generation ends.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.young.retain(|_, value| keep(value));
        self.old.retain(|_, value| keep(value));
    }

    fn put(&mut self, key: Box<[u8]>, value: V) {
        let cost = key.len() + OVERHEAD + size_of::<V>();
        if self.bytes + cost > self.limit && !self.young.is_empty() {
            self.old = std::mem::replace(
                &mut self.young,
                HashMap::with_hasher(self.old.hasher().clone()),
            );
            self.bytes = 0;
        }
        self.bytes += cost;
        self.young.insert(key, value);
    }
}

/// XXH3 with a secret start, so that nobody can choose keys that collide.
#[derive(Clone, Debug)]
pub(super) struct Xxh3(u64);

impl Default for Xxh3 {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Xxh3 {
    type Hasher = Xxh3Hasher;

    fn build_hasher(&self) -> Xxh3Hasher {
        Xxh3Hasher(self.0)
    }
}

#[derive(Debug)]
pub(super) struct Xxh3Hasher(u64);

impl Hasher for Xxh3Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = self.0.rotate_left(5) ^ number as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::new(64 * 1024);
        cache.insert(b"kept", 0);
        for number in 0..100_000u32 {
            cache.insert(&number.to_le_bytes(), number);
            assert_eq!(cache.get(b"kept"), Some(&mut 0));
        }
        assert!(cache.young.len() + cache.old.len() < 1000);
        assert_eq!(cache.get(&7u32.to_le_bytes()), None);
        assert_eq!(cache.get(&99_999u32.to_le_bytes()), Some(&mut 99_999));
    }
}
