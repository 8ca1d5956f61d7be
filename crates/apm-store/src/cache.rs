//! A bounded map from byte strings to small values, which forgets what was not asked for lately.
//!
//! The library decides what is forgotten: what was asked for again stays longer than what came once, so a flood of new
//! names does not push out the usual ones. Keys are compared, not only their hashes.

use std::hash::{BuildHasher, Hasher, RandomState};

use quick_cache::unsync::{self, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that an entry takes beside its key and its value.
const OVERHEAD: usize = 64;
/// Bytes of an entry with a long key. The library makes room for so many entries, and remembers the hashes of half as
/// many that it has forgotten.
const LARGE_ENTRY: usize = 256;

type Map<V> = unsync::Cache<Box<[u8]>, V, Bytes, Xxh3>;

#[derive(Debug)]
pub(super) struct Cache<V>(Map<V>);

impl<V> Cache<V> {
    /// A cache that holds at most `limit` bytes of keys and their book-keeping.
    pub(super) fn new(limit: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(limit.div_ceil(LARGE_ENTRY))
            .weight_capacity(limit as u64)
            .build()
            .expect("both capacities are set");
        let lifecycle = DefaultLifecycle::default();
        Self(Map::with_options(
            options,
            Bytes,
            Xxh3::default(),
            lifecycle,
        ))
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        self.0.get(key)
    }

    /// Keeps a value.
    pub(super) fn insert(&mut self, key: &[u8], value: V) {
        self.0.insert(key.into(), value);
    }

    /// Forgets the values that do not pass.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.0.retain(|_, value| keep(value));
    }
}

/// Weighs entries by the memory that they take.
#[derive(Clone, Debug)]
struct Bytes;

impl<V> Weighter<Box<[u8]>, V> for Bytes {
    fn weight(&self, key: &Box<[u8]>, _: &V) -> u64 {
        (key.len() + OVERHEAD + size_of::<V>()) as u64
    }
}

/// XXH3 with a secret start, so that nobody can choose keys that collide.
#[derive(Clone, Debug)]
struct Xxh3(u64);

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
struct Xxh3Hasher(u64);

impl Hasher for Xxh3Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_usize(&mut self, number: usize) {
        // A slice hashes its length before its bytes: it becomes a part of their seed.
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
            assert_eq!(cache.get(b"kept"), Some(&0));
        }
        assert!(cache.0.len() < 1000);
        assert!(cache.0.weight() <= 64 * 1024);
        // The library decides which of the names that came once are left.
        let left = (0..100_000u32).filter(|number| cache.get(&number.to_le_bytes()).is_some());
        assert!((1..1000).contains(&left.count()));
        assert_eq!(cache.get(&99_999u32.to_le_bytes()), Some(&99_999));
    }

    #[test]
    fn values_that_do_not_pass_are_forgotten() {
        let mut cache = Cache::new(64 * 1024);
        for number in 0..100u32 {
            cache.insert(&number.to_le_bytes(), number);
        }
        cache.retain(|number| number % 2 == 0);
        assert_eq!(cache.get(&4u32.to_le_bytes()), Some(&4));
        assert_eq!(cache.get(&5u32.to_le_bytes()), None);
    }
}
